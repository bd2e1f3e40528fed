package vote

import (
	"context"
	"slices"
	"time"

	"parley/channel"
	"parley/identity"
)

// Cast puts in who's ballot, or exchanges it, and returns the vote with it counted. It may be repeated: a ballot like
// the one that is there succeeds and changes nothing.
//
// It returns identity.ErrNoSession for nobody, ErrNoVote, ErrVoteClosed, ErrAlreadyVoted, ErrBadOptions, or what the room says.
func (s *Service) Cast(ctx context.Context, who channel.Sender, code string, options []int) (Vote, error) {
	v, _, err := s.cast(ctx, who, code, options)
	return v, err
}

// CastAndShow is Cast, and Show of the vote that it returns.
func (s *Service) CastAndShow(ctx context.Context, who channel.Sender, code string, options []int) (View, error) {
	v, own, err := s.cast(ctx, who, code, options)
	if err != nil {
		return View{}, err
	}
	return s.viewWith(ctx, who, v, &own, viewNames)
}

func (s *Service) cast(ctx context.Context, who channel.Sender, code string, options []int) (Vote, Ballot, error) {
	if who.ID == "" {
		return Vote{}, Ballot{}, identity.ErrNoSession
	}
	code, err := NormalizeCode(code)
	if err != nil {
		return Vote{}, Ballot{}, err
	}
	room, err := s.homes.Load(code, func() (string, error) {
		v, err := s.store.Vote(ctx, code)
		return v.Room, err
	})
	if err != nil {
		return Vote{}, Ballot{}, err
	}
	if err := s.mayRead(ctx, who, room); err != nil {
		return Vote{}, Ballot{}, err
	}
	if len(options) > MaxOptions {
		return Vote{}, Ballot{}, ErrBadOptions.Detail("the ballot has %d options, and no vote has so many", len(options))
	}
	options = slices.Clone(options)
	slices.Sort(options)
	b := Ballot{Code: code, Voter: who, Options: options, At: s.now().Truncate(time.Millisecond).UTC()}
	v, err := s.store.Cast(ctx, b, func(v Vote, earlier *Ballot) error { return v.accepts(b, earlier, s.now()) })
	if err != nil {
		return Vote{}, Ballot{}, err
	}
	s.tallies.learn(stateOf(v))
	return v, b, nil
}

// accepts is the rule for ballots.
func (v Vote) accepts(b Ballot, earlier *Ballot, now time.Time) error {
	if earlier != nil && slices.Equal(earlier.Options, b.Options) {
		return nil // also when the vote is closed by now: it is the answer to the first request that was lost
	}
	switch {
	case !v.Open:
		return ErrVoteClosed.Detail("the vote %s is closed", v.Code)
	case v.past(now):
		return ErrVoteClosed.Detail("the vote %s closed at %s", v.Code, stamp(v.Closes))
	case earlier != nil && !v.Change:
		return ErrAlreadyVoted.Detail("there is a ballot of yours in %s, and ballots cannot be changed here", v.Code)
	}
	for i, id := range b.Options {
		if id < 1 || id > len(v.Options) {
			return ErrBadOptions.Detail("there is no option %d: they are numbered from 1 to %d", id, len(v.Options))
		}
		if i > 0 && id == b.Options[i-1] {
			return ErrBadOptions.Detail("option %d is on the ballot twice", id)
		}
	}
	if n := len(b.Options); n < v.Min || n > v.Max {
		if v.Min == v.Max {
			return ErrBadOptions.Detail("the ballot has %d options: choose %d", n, v.Min)
		}
		return ErrBadOptions.Detail("the ballot has %d options: choose %d to %d", n, v.Min, v.Max)
	}
	return nil
}
