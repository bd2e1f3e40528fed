package websocket

import (
	"context"
	"time"
)

// lock is a mutex whose wait can be given up.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

func (l lock) try() bool {
	select {
	case l <- struct{}{}:
		return true
	default:
		return false
	}
}

// lock waits until ctx is cancelled, whose error it returns, or abandon is closed: then it returns [ErrClosed].
func (l lock) lock(ctx context.Context, abandon <-chan struct{}) error {
	if l.try() {
		return nil
	}
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-abandon:
		return ErrClosed
	}
}

// lockWithin waits at most d.
func (l lock) lockWithin(d time.Duration) bool {
	if l.try() {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case l <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

func (l lock) unlock() { <-l }
