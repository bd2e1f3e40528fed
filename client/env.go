package client

import (
	"context"
	"sync"
	"time"
)

// env is what the parts of a client share. Everything that decides (connection, feeds, the links' bookkeeping) happens
// under one lock, one thing after the other; whatever waits for the network is a goroutine of its own that takes the
// lock to say what it saw.
type env struct {
	mu     sync.Mutex
	closed bool
	ctx    context.Context // ends with the client
	stop   context.CancelFunc
	work   sync.WaitGroup // every goroutine and timer of the client

	http     *requester
	feeds    *feeds
	timeouts Timeouts
	random   func() float64
}

func newEnv(o Options) *env {
	ctx, stop := context.WithCancel(context.Background())
	return &env{ctx: ctx, stop: stop, timeouts: o.Timeouts, random: o.Random}
}

// run starts a goroutine of the client's. The lock is held.
func (e *env) run(f func()) {
	if !e.closed {
		e.work.Go(f)
	}
}

// timer calls a function once, under the lock, unless it is stopped before.
type timer struct {
	env     *env
	t       *time.Timer
	stopped bool
}

// after makes a timer. The lock is held.
func (e *env) after(d time.Duration, f func()) *timer {
	t := &timer{env: e}
	if e.closed {
		return t
	}
	e.work.Add(1)
	t.t = time.AfterFunc(d, func() {
		defer e.work.Done()
		e.mu.Lock()
		defer e.mu.Unlock()
		if !t.stopped && !e.closed {
			t.stopped = true
			f()
		}
	})
	return t
}

// stop ends the timer, also one that is nil or has fired. The lock is held.
func (t *timer) stop() {
	if t == nil || t.stopped {
		return
	}
	t.stopped = true
	if t.t != nil && t.t.Stop() {
		t.env.work.Done()
	}
}
