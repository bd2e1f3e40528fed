package chat

import (
	"context"

	"parley/channel"
	"parley/identity"
	"parley/problem"
)

// Direct returns the direct channel of who and another person, given by id or name, and that person. It makes nothing: the
// first message opens the conversation. identity.ErrNoUser; problem.Forbidden for oneself.
func (s *Service) Direct(ctx context.Context, who channel.Sender, idOrName string) (channel.Name, channel.Sender, error) {
	if err := signedIn(who); err != nil {
		return "", channel.Sender{}, err
	}
	u, err := s.people.Lookup(ctx, idOrName)
	if err != nil {
		return "", channel.Sender{}, err
	}
	if u.ID == who.ID {
		return "", channel.Sender{}, problem.Forbidden.Detail("a direct conversation is with somebody else")
	}
	return channel.Direct(who.ID, u.ID), u.Sender(), nil
}

// open makes the conversation of who and other, if it is not there, and tells both.
func (s *Service) open(ctx context.Context, who channel.Sender, other identity.User, name channel.Name) error {
	_, err := s.directs.Load(name, func() (bool, error) {
		with := other.Sender()
		tail, err := s.channels.Tail(ctx, name)
		if err != nil {
			return false, err
		}
		_, err = s.store.OpenDirect(ctx, who, with, added(who.ID, directWith(with, name, tail)), added(with.ID, directWith(who, name, tail)))
		return true, err
	})
	return err
}

func directWith(with channel.Sender, name channel.Name, tail channel.Position) Conversation {
	return Conversation{Channel: name, Kind: channel.KindDirect, Name: with.Name, Private: true, With: with, Position: tail}
}
