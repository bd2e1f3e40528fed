package identity

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// seenStore has every user, and notes what is written.
type seenStore struct {
	Store
	created  time.Time
	writes   []map[string]time.Time
	expiries []time.Time
	fail     bool
}

func (s *seenStore) Secret(context.Context, string) ([]byte, error) { return make([]byte, 32), nil }

func (s *seenStore) User(_ context.Context, id string) (User, error) {
	return User{ID: id, Created: s.created, Seen: s.created}, nil
}

func (s *seenStore) SeenUsers(_ context.Context, at time.Time, ids ...string) error {
	if s.fail {
		return errors.New("the disk is full")
	}
	w := map[string]time.Time{}
	for _, id := range ids {
		w[id] = at
	}
	s.writes = append(s.writes, w)
	return nil
}

func (s *seenStore) ExpireUsers(_ context.Context, since time.Time) ([]User, error) {
	s.expiries = append(s.expiries, since)
	return nil, nil
}

func TestSeenIsWrittenOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC()
		store := &seenStore{created: start}
		s, err := New(t.Context(), store, Options{GuestTTL: 48 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		ids := []string{newID(), newID()}
		for range 3 * 60 { // somebody who is here every minute for three hours
			for _, id := range ids {
				if _, err := s.Authenticate(ctx, s.signer.sign(id, start)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute + time.Millisecond)
			synctest.Wait()
		}
		if n := len(store.writes); n != 2 {
			t.Errorf("written %d times in three hours: %v", n, store.writes)
		}
		for _, w := range store.writes {
			if len(w) != 2 {
				t.Errorf("not in one batch: %v", w)
			}
		}
		if n := len(store.expiries); n != 4 || !store.expiries[0].Equal(start.Add(-48*time.Hour)) {
			t.Errorf("expired %d times: %v", n, store.expiries)
		}
		stop()
		<-done
	})
}

func TestSeenIsTriedAgainAndWrittenAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &seenStore{created: time.Now().Add(-24 * time.Hour), fail: true}
		s, err := New(t.Context(), store, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		if _, err := s.Authenticate(ctx, s.signer.sign(newID(), time.Now())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		store.fail = false
		stop()
		<-done
		if len(store.writes) != 1 {
			t.Fatalf("%v", store.writes)
		}
	})
}
