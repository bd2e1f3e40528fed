package chat

import (
	"context"
	"crypto/subtle"

	"parley/channel"
	"parley/problem"
)

// Join makes who a member of a room: of a public one, and of a private one with its invite, or as its owner. Being in
// already is no error. ErrNoRoom; ErrBadInvite for an invite that is not (any more) the room's.
func (s *Service) Join(ctx context.Context, who channel.Sender, id, invite string) error {
	if err := signedIn(who); err != nil {
		return err
	}
	r, err := s.store.Room(ctx, id, who.ID)
	if err != nil {
		return noRoom(id, err)
	}
	switch {
	case r.Joined:
		return nil
	case !r.Private || r.Owner.ID == who.ID:
	case invite == "":
		return noRoom(id, ErrNoRoom)
	case subtle.ConstantTimeCompare([]byte(invite), []byte(r.Invite)) != 1:
		return ErrBadInvite.Detail("the invite is wrong or void: ask a member for a new one")
	}
	return s.join(ctx, who, r)
}

func (s *Service) join(ctx context.Context, who channel.Sender, r Room) error {
	c := conversation(r)
	var err error
	if c.Position, err = s.channels.Tail(ctx, c.Channel); err != nil {
		return err
	}
	if _, err := s.store.Join(ctx, r.ID, who, added(who.ID, c)); err != nil {
		return noRoom(r.ID, err)
	}
	s.MemberChanged(r.ID, who.ID, false)
	return nil
}

// Leave ends who's membership; not being in is no error. The owner stays the owner, and can come back. ErrNoRoom.
func (s *Service) Leave(ctx context.Context, who channel.Sender, id string) error {
	if err := signedIn(who); err != nil {
		return err
	}
	r, err := s.see(ctx, who, id)
	if err != nil {
		return err
	}
	if _, err := s.store.Leave(ctx, id, who.ID, left(who.ID, r.Channel())); err != nil {
		return noRoom(id, err)
	}
	s.MemberChanged(id, who.ID, r.Private)
	return nil
}

// Members returns up to MaxMembers people of a room that who may read, by name. ErrNoRoom.
func (s *Service) Members(ctx context.Context, who channel.Sender, id string) ([]channel.Sender, error) {
	if err := s.MayRead(ctx, who, channel.Room(id)); err != nil {
		return nil, err
	}
	return s.store.Members(ctx, id, MaxMembers)
}

// Invite returns the room's invite, and makes one if there is none. Members may: problem.Forbidden. ErrNoRoom.
func (s *Service) Invite(ctx context.Context, who channel.Sender, id string) (string, error) {
	if err := signedIn(who); err != nil {
		return "", err
	}
	r, err := s.see(ctx, who, id)
	if err != nil {
		return "", err
	}
	if !r.Joined {
		return "", problem.Forbidden.Detail("only members of the room may invite: join it first")
	}
	if r.Invite != "" {
		return r.Invite, nil
	}
	invite, err := s.store.EnsureInvite(ctx, id, random(26)) // 130 bits; another's, if that came between
	return invite, noRoom(id, err)
}

// RevokeInvite makes the room's invite void. The owner and the administrator may: problem.NotOwner. ErrNoRoom.
func (s *Service) RevokeInvite(ctx context.Context, who channel.Sender, admin bool, id string) error {
	if _, err := s.owned(ctx, who, admin, id); err != nil {
		return err
	}
	return noRoom(id, s.store.RevokeInvite(ctx, id))
}
