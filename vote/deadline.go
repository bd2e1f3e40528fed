package vote

import (
	"context"
	"time"
)

const (
	// longestSleep bounds how long Run trusts what it knows of the deadlines: with several nodes, one of which dies,
	// the others take over its deadlines within this time.
	longestSleep = time.Minute

	firstRetry, lastRetry = time.Second, 30 * time.Second // after an error of the store
)

// past reports whether the vote's deadline is over.
func (v Vote) past(now time.Time) bool { return !v.Closes.IsZero() && !now.Before(v.Closes) }

// at is the vote as it should be by the clock: closed, if its deadline is over.
func (v Vote) at(now time.Time) Vote {
	v.Open = v.Open && !v.past(now)
	return v
}

// Run closes votes at their deadlines until ctx is done, and returns ctx's error. It sleeps until the next deadline; what was due
// while no Run was running is closed at once. Several nodes may run it on one engine: whoever is first closes the vote.
func (s *Service) Run(ctx context.Context) error {
	retry := firstRetry
	timer := time.NewTimer(0) // to look at once
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
		case <-timer.C:
		}
		sleep, err := s.closeDue(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.log.Error("closing votes at their deadline failed; trying again", "error", err, "after", retry)
			sleep, retry = retry, min(2*retry, lastRetry)
		default:
			retry = firstRetry
		}
		timer.Reset(sleep)
	}
}

// closeDue closes every vote that is due, and returns how long there is nothing more to do.
func (s *Service) closeDue(ctx context.Context) (time.Duration, error) {
	for {
		code, at, err := s.store.NextDeadline(ctx)
		if err != nil {
			return 0, err
		}
		if code == "" {
			return longestSleep, nil
		}
		if wait := at.Sub(s.now()); wait > 0 {
			return min(wait, longestSleep), nil
		}
		if _, err := s.close(ctx, code); err != nil {
			return 0, err
		}
		s.log.Info("a vote closed at its deadline", "vote", code, "deadline", at)
	}
}

// close closes the vote if it is due.
func (s *Service) close(ctx context.Context, code string) (Vote, error) {
	v, err := s.store.Update(ctx, code, func(v Vote) (Vote, error) { return v.at(s.now()), nil })
	if err == nil {
		s.tallies.learn(stateOf(v))
	}
	return v, err
}

// settle closes v if it is due, for whoever asks before Run came to it; so what is answered agrees with the channel.
func (s *Service) settle(ctx context.Context, v Vote) Vote {
	if !v.Open || !v.past(s.now()) {
		return v
	}
	closed, err := s.close(ctx, v.Code)
	if err != nil {
		return v
	}
	return closed
}

// changed is called after every change of a vote other than by ballots.
func (s *Service) changed(v Vote) {
	s.tallies.learn(stateOf(v))
	if v.Open && !v.Closes.IsZero() {
		select {
		case s.wake <- struct{}{}:
		default: // it is woken already, and looks after this change
		}
	}
}
