package chat

import (
	"context"

	"parley/channel"
)

// Conversations returns up to MaxConversations rooms and direct conversations of who, the last active first.
func (s *Service) Conversations(ctx context.Context, who channel.Sender) ([]Conversation, error) {
	if err := signedIn(who); err != nil {
		return nil, err
	}
	return s.store.Conversations(ctx, who.ID, MaxConversations)
}

// MaxConversations is how many Conversations returns.
const MaxConversations = 1000

// MarkRead notes that who has read a channel up to seq, and tells their other screens (a signal of type read in their
// inbox). It never goes backwards; in a public room that who is not in, it does nothing. Errors as MayRead's.
func (s *Service) MarkRead(ctx context.Context, who channel.Sender, name channel.Name, seq uint64) error {
	if err := signedIn(who); err != nil {
		return err
	}
	if err := s.MayRead(ctx, who, name); err != nil {
		return err
	}
	read, changed, err := s.store.SetRead(ctx, who.ID, name, seq)
	if err != nil || !changed {
		return err
	}
	return s.channels.Signal(ctx, channel.Signal{
		Channel: channel.User(who.ID), Type: "read", From: who, Data: mustEncode(readData{name, read}),
	})
}
