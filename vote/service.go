package vote

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"parley/channel"
	"parley/internal/cache"
	"parley/problem"
)

// Rooms is what the package needs to know of rooms. The errors say why not.
type Rooms interface {
	MayPost(ctx context.Context, who channel.Sender, room string) error
	MayRead(ctx context.Context, who channel.Sender, room string) error
}

// Config is what a Service may be given. The zero Config is good where there are no rooms.
type Config struct {
	Rooms Rooms            // nil: there are no rooms, and no votes in them
	Now   func() time.Time // default time.Now
	Rand  io.Reader        // for codes; default crypto/rand.Reader
	Log   *slog.Logger     // of the deadlines; default: none
}

// Service is the rules of votes over a store. Its methods may be called concurrently.
type Service struct {
	store   Store
	rooms   Rooms
	now     func() time.Time
	rand    io.Reader
	log     *slog.Logger
	tallies tallies
	homes   *cache.Cache[string, string] // the rooms of votes, by code: they never change
	wake    chan struct{}                // tells Run that there may be a nearer deadline
}

// homesKept is how many votes Cast knows without asking the store (about 100 bytes each, twice as many at most).
const homesKept = 10_000

// New makes a Service. Call Run as well, so that votes close at their deadlines.
func New(store Store, c Config) *Service {
	s := &Service{store: store, rooms: c.Rooms, now: c.Now, rand: c.Rand, log: c.Log, wake: make(chan struct{}, 1)}
	s.homes = cache.New[string, string](homesKept)
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// ListLimit is how many votes List returns at most.
const ListLimit = 100

// Get returns the vote of a code as a person types it, if who may read it: ErrNoVote, or what the room says.
func (s *Service) Get(ctx context.Context, who channel.Sender, code string) (Vote, error) {
	v, err := s.find(ctx, code)
	if err != nil {
		return Vote{}, err
	}
	if err := s.mayRead(ctx, who, v.Room); err != nil {
		return Vote{}, err
	}
	return s.settle(ctx, v), nil
}

// find returns the vote of a code as a person types it, whoever asks.
func (s *Service) find(ctx context.Context, code string) (Vote, error) {
	code, err := NormalizeCode(code)
	if err != nil {
		return Vote{}, err
	}
	return s.store.Vote(ctx, code)
}

// MayRead says whether who may read the channel vote:{code}, and returns the Lens to read it through. The code is
// taken literally, as it is in a channel's name.
func (s *Service) MayRead(ctx context.Context, who channel.Sender, code string) (channel.Lens, error) {
	v, err := s.Get(ctx, who, code)
	if err != nil {
		return nil, err
	}
	if v.Code != code {
		return nil, ErrNoVote.Detail("there is no channel vote:%s: write the code as it is, %s", code, v.Code)
	}
	return s.Lens(ctx, who, v), nil
}

func (s *Service) mayRead(ctx context.Context, who channel.Sender, room string) error {
	switch {
	case room == "":
		return nil
	case s.rooms == nil:
		return problem.Forbidden.Detail("the vote is in a room, and there are no rooms here")
	}
	return s.rooms.MayRead(ctx, who, room)
}

// List returns the votes that who made, took part in, or that are in their rooms, newest first, at most ListLimit;
// without those in rooms that they may not read any more.
func (s *Service) List(ctx context.Context, who channel.Sender) ([]Vote, error) {
	votes, err := s.store.Votes(ctx, who.ID, ListLimit)
	if err != nil {
		return nil, err
	}
	may := map[string]bool{"": true}
	list := make([]Vote, 0, len(votes))
	for _, v := range votes {
		ok, known := may[v.Room]
		if !known {
			ok = s.mayRead(ctx, who, v.Room) == nil
			may[v.Room] = ok
		}
		if ok {
			list = append(list, s.settle(ctx, v))
		}
	}
	return list, nil
}

// Recount returns the vote with its counts and voters counted anew from the ballots. They equal the tally, or the
// store is broken. It is for operators: it asks nobody's permission.
func (s *Service) Recount(ctx context.Context, code string) (Vote, error) {
	return s.store.Recount(ctx, code)
}
