package vote_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/channel"
	"parley/vote"
)

// run runs the service's deadlines for the rest of the test.
func run(t *testing.T, s *vote.Service) {
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
}

// closed reports whether the closing of the vote is in its channel, and at which time.
func closed(t *testing.T, s *site, code string) (bool, time.Time) {
	t.Helper()
	log := s.log(t, channel.Vote(code))
	newest := log[len(log)-1]
	return !parse(t, newest).Open, newest.At
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, vote.Config{Now: time.Now})
		run(t, s.Service)
		synctest.Wait() // it sleeps, with nothing to do

		late := s.create(t, vote.Spec{ClosesIn: 3 * time.Hour})
		soon := s.create(t, vote.Spec{ClosesIn: time.Hour})
		never := s.create(t, vote.Spec{ClosesIn: time.Hour})
		byHand := s.create(t, vote.Spec{ClosesIn: time.Hour})
		s.update(t, never.Code, vote.Change{Closes: new(time.Time{})})
		s.update(t, byHand.Code, vote.Change{Open: new(false)})
		s.cast(t, bob, soon.Code, 1)

		time.Sleep(time.Hour - time.Millisecond)
		s.cast(t, cyd, soon.Code, 1)
		if done, _ := closed(t, s, soon.Code); done {
			t.Error("closed before the deadline")
		}
		time.Sleep(2 * time.Millisecond)
		if done, at := closed(t, s, soon.Code); !done || at.Sub(soon.Closes) < 0 || at.Sub(soon.Closes) > time.Millisecond {
			t.Errorf("closed %t at %v, not at %v", done, at, soon.Closes)
		}
		if n := len(s.log(t, channel.Vote(byHand.Code))); n != 2 {
			t.Errorf("a vote closed by hand has %d tallies", n)
		}

		// A nearer deadline wakes Run; one that moves away does not close.
		soonest := time.Now().Add(10 * time.Second)
		s.update(t, late.Code, vote.Change{Closes: &soonest})
		later := time.Now().Add(time.Hour)
		moved := s.create(t, vote.Spec{ClosesIn: 5 * time.Second})
		s.update(t, moved.Code, vote.Change{Closes: &later})
		time.Sleep(11 * time.Second)
		if done, _ := closed(t, s, late.Code); !done {
			t.Error("a deadline that was put forward is missed")
		}
		if done, _ := closed(t, s, moved.Code); done {
			t.Error("closed at a deadline that was put off")
		}
		time.Sleep(time.Hour)
		if done, _ := closed(t, s, moved.Code); !done {
			t.Error("a deadline that was put off is missed")
		}
		if done, _ := closed(t, s, never.Code); done {
			t.Error("closed at a deadline that was taken away")
		}
	})
}

// After a restart, and with several nodes, a vote that is due closes at once, and once.
func TestDeadlineAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, vote.Config{Now: time.Now})
		due, next := s.create(t, vote.Spec{ClosesIn: time.Minute}), s.create(t, vote.Spec{ClosesIn: time.Hour})
		time.Sleep(10 * time.Minute)
		for range 3 {
			run(t, vote.New(s.engine, vote.Config{}))
		}
		synctest.Wait()
		if done, _ := closed(t, s, due.Code); !done {
			t.Error("what was due while nothing ran is still open")
		}
		time.Sleep(time.Hour)
		for _, v := range []vote.Vote{due, next} {
			if n := len(s.log(t, channel.Vote(v.Code))); n != 2 {
				t.Errorf("three nodes made %d tallies of one closing", n)
			}
		}
	})
}

// failing is a store whose deadlines cannot be read for a while.
type failing struct {
	vote.Store
	broken atomic.Bool
	asked  atomic.Int64
}

func (f *failing) NextDeadline(ctx context.Context) (string, time.Time, error) {
	f.asked.Add(1)
	if f.broken.Load() {
		return "", time.Time{}, errors.New("the disk is on fire")
	}
	return f.Store.NextDeadline(ctx)
}

func TestDeadlineRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, vote.Config{Now: time.Now})
		v := s.create(t, vote.Spec{ClosesIn: 2 * time.Minute})
		store := &failing{Store: s.engine}
		store.broken.Store(true)
		run(t, vote.New(store, vote.Config{}))
		time.Sleep(5 * time.Minute)
		if n := store.asked.Load(); n < 5 || n > 20 {
			t.Errorf("a broken store was asked %d times in 5 minutes", n)
		}
		store.broken.Store(false)
		time.Sleep(time.Minute)
		if done, _ := closed(t, s, v.Code); !done {
			t.Error("not closed after the store came back")
		}

		s.create(t, vote.Spec{ClosesIn: 10 * time.Hour})
		before := store.asked.Load()
		time.Sleep(time.Hour)
		if n := store.asked.Load() - before; n > 61 {
			t.Errorf("with nothing to do the store was asked %d times in an hour", n)
		}
	})
}
