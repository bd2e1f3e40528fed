package websocket

import (
	"context"
	"os"
	"sync"
	"time"
)

// expiry makes a context of a deadline that may be moved, as net.Conn has them: also while something waits under it.
type expiry struct {
	parent context.Context

	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// context returns the one to wait under. It is the same one until it has expired and the deadline was set anew.
func (e *expiry) context() context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renew()
	return e.ctx
}

func (e *expiry) renew() {
	if e.ctx == nil {
		e.ctx, e.cancel = context.WithCancelCause(e.parent)
	}
}

// set moves the deadline; the zero time is none.
func (e *expiry) set(t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	if e.ctx != nil && e.ctx.Err() != nil {
		e.ctx = nil
	}
	e.renew()
	cancel := e.cancel
	switch wait := time.Until(t); {
	case t.IsZero():
	case wait <= 0:
		cancel(os.ErrDeadlineExceeded)
	default:
		var timer *time.Timer
		timer = time.AfterFunc(wait, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.timer == timer {
				cancel(os.ErrDeadlineExceeded)
			}
		})
		e.timer = timer
	}
}

// isSet reports whether there is a deadline.
func (e *expiry) isSet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.timer != nil || e.ctx.Err() != nil
}

// stop lets go of the parent and of the timer.
func (e *expiry) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	if e.cancel != nil {
		e.cancel(context.Canceled)
	}
}

// expired reports whether a wait under ctx ended because of the deadline.
func expired(ctx context.Context) bool { return context.Cause(ctx) == os.ErrDeadlineExceeded }
