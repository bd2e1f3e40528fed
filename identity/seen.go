package identity

import (
	"context"
	"maps"
	"slices"
	"time"
)

const (
	seenStep   = time.Hour   // a user's last use is written at most once in so long
	seenFlush  = time.Minute // how often Run writes what is due
	expiryStep = time.Hour   // how often Run looks for guests to forget
	seenMax    = 100_000     // users waiting to be written; further ones wait for their next use
	seenBatch  = 500         // users per write
)

// see notes that a user was here, if that is not known since an hour.
func (s *Service) see(u User) {
	now := s.now()
	if now.Sub(u.Seen) < seenStep {
		return
	}
	now = now.UTC().Truncate(time.Millisecond)
	s.mu.Lock()
	noted := len(s.seen) < seenMax
	if noted {
		s.seen[u.ID] = now
	}
	s.mu.Unlock()
	if noted {
		s.users.Update(u.ID, func(u User) User { u.Seen = now; return u })
	}
}

// Run writes when people were last seen, and forgets guests unseen for GuestTTL, until ctx is done; then it writes
// what is left. What fails is logged and tried again.
func (s *Service) Run(ctx context.Context) {
	flush := time.NewTicker(seenFlush)
	defer flush.Stop()
	expire := time.NewTicker(expiryStep)
	defer expire.Stop()
	s.expire(ctx)
	for {
		select {
		case <-flush.C:
			s.flushSeen(ctx)
		case <-expire.C:
			s.flushSeen(ctx)
			s.expire(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			s.flushSeen(last)
			return
		}
	}
}

func (s *Service) flushSeen(ctx context.Context) {
	s.mu.Lock()
	due := s.seen
	s.seen = make(map[string]time.Time)
	s.mu.Unlock()
	if len(due) == 0 {
		return
	}
	// One time for all of a batch: they were noted within one flush of each other, and an hour is the precision.
	at := slices.MaxFunc(slices.Collect(maps.Values(due)), time.Time.Compare)
	for ids := range slices.Chunk(slices.Collect(maps.Keys(due)), seenBatch) {
		if err := s.store.SeenUsers(ctx, at, ids...); err != nil {
			s.log.WarnContext(ctx, "could not write when people were last seen; trying again", "error", err)
			s.mu.Lock()
			for _, id := range ids {
				if len(s.seen) < seenMax {
					s.seen[id] = due[id]
				}
			}
			s.mu.Unlock()
		}
	}
}

func (s *Service) expire(ctx context.Context) {
	gone, err := s.store.ExpireUsers(ctx, s.now().Add(-s.ttl))
	for _, u := range gone { // with an error too: those are gone already
		s.changed(Change{User: u, Gone: true})
	}
	if len(gone) > 0 {
		s.log.InfoContext(ctx, "forgot guests unseen for long", "guests", len(gone), "after", s.ttl)
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "could not forget guests unseen for long; trying again", "error", err)
	}
}
