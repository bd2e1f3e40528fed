package chat

import (
	"context"
	"errors"
	"strings"

	"parley/channel"
	"parley/identity"
	"parley/problem"
)

// noRoom gives the store's ErrNoRoom its sentence; a private room that one is not in is answered with the same.
func noRoom(id string, err error) error {
	if errors.Is(err, ErrNoRoom) {
		return ErrNoRoom.Detail("there is no room %.40q, or it is private and you are not in it", id)
	}
	return err
}

func signedIn(who channel.Sender) error {
	if who.ID == "" {
		return identity.ErrNoSession.Detail("this needs a session: sign in first")
	}
	return nil
}

// MayRead returns nil if who (the zero Sender: anybody) may read the channel: a public room; a private room they are in; a direct
// conversation of theirs; their own inbox. Otherwise ErrNoRoom, ErrNoChannel, problem.Forbidden or
// identity.ErrNoSession. Mostly it is answered from memory.
func (s *Service) MayRead(ctx context.Context, who channel.Sender, name channel.Name) error {
	switch name.Kind() {
	case channel.KindRoom:
		r, err := s.room(ctx, name.ID())
		if err != nil || !r.private {
			return err
		}
		return s.mayReadPrivate(ctx, who, name.ID())
	case channel.KindDirect:
		if _, err := s.other(who, name); err != nil {
			return err
		}
	case channel.KindUser:
		if err := signedIn(who); err != nil {
			return err
		}
		if name.ID() != who.ID {
			return problem.Forbidden.Detail("%s is the inbox of somebody else", name)
		}
	default:
		return ErrNoChannel.Detail("there are no channels of the kind %q", name.Kind())
	}
	return s.exists(ctx, who)
}

func (s *Service) mayReadPrivate(ctx context.Context, who channel.Sender, id string) error {
	if who.ID == "" {
		return noRoom(id, ErrNoRoom)
	}
	in, err := s.isMember(ctx, id, who.ID)
	if err == nil && !in {
		err = noRoom(id, ErrNoRoom)
	}
	return err
}

// exists refuses those who were forgotten while a stream of theirs was open.
func (s *Service) exists(ctx context.Context, who channel.Sender) error {
	_, err := s.people.User(ctx, who.ID)
	if errors.Is(err, identity.ErrNoUser) {
		return identity.ErrNoSession.Detail("the session has ended: sign in again")
	}
	return err
}

// MayPost returns nil if who may publish in the channel: as MayRead, with a session; in a direct conversation, while the
// other person exists; in an inbox, nobody.
func (s *Service) MayPost(ctx context.Context, who channel.Sender, name channel.Name) error {
	if err := s.MayRead(ctx, who, name); err != nil {
		return err
	}
	if err := signedIn(who); err != nil {
		return err
	}
	switch name.Kind() {
	case channel.KindDirect:
		id, err := s.other(who, name)
		if err != nil {
			return err
		}
		_, err = s.person(ctx, id)
		return err
	case channel.KindUser:
		return problem.Forbidden.Detail("only the server writes into an inbox")
	}
	return nil
}

// other returns the id of the other person of a direct channel of who's.
func (s *Service) other(who channel.Sender, name channel.Name) (string, error) {
	a, b, ok := strings.Cut(name.ID(), ".")
	if !ok || a == "" || b == "" || a == b || channel.Direct(a, b) != name || strings.Contains(b, ".") {
		return "", ErrNoChannel.Detail("%.60q is not a direct conversation: ask for /v1/direct/{user}", name)
	}
	if err := signedIn(who); err != nil {
		return "", err
	}
	switch who.ID {
	case a:
		return b, nil
	case b:
		return a, nil
	}
	return "", problem.Forbidden.Detail("this conversation is of two other people")
}

func (s *Service) person(ctx context.Context, id string) (identity.User, error) {
	u, err := s.people.User(ctx, id)
	if errors.Is(err, identity.ErrNoUser) {
		err = identity.ErrNoUser.Detail("the other person does not exist, or not any more")
	}
	return u, err
}
