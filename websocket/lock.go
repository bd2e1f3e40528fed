package websocket

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// mutex is one whose wait can be given up. The zero value is free. It is small, as a connection has several; only a wait needs a channel.
type mutex struct {
	state  atomic.Int32  // held, and twice the number of waiters that it was not handed to yet
	mu     sync.Mutex    // of whoever waits, or finds waiters
	handed chan struct{} // one of the waiters takes it from here; made by the first
}

const (
	held   = 1
	waiter = 2
)

// lock is a mutex that is shared.
type lock = *mutex

func newLock() lock { return &mutex{} }

func (l *mutex) try() bool { return l.state.CompareAndSwap(0, held) }

// enter takes the mutex, or begins to wait for its being handed over; then leave, if not that, must follow.
func (l *mutex) enter() (handed <-chan struct{}) {
	if l.try() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch s := l.state.Load(); {
		case s&held == 0 && l.state.CompareAndSwap(s, s|held):
			return nil
		case s&held != 0 && l.state.CompareAndSwap(s, s+waiter):
			if l.handed == nil {
				l.handed = make(chan struct{}, 1)
			}
			return l.handed
		}
	}
}

// leave gives a wait up. What was handed over in this moment is handed on.
func (l *mutex) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.handed:
		l.release()
	default:
		l.state.Add(-waiter)
	}
}

func (l *mutex) unlock() {
	if l.state.CompareAndSwap(held, 0) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

// release hands the mutex over, or frees it. mu must be held, so that no waiter comes or goes.
func (l *mutex) release() {
	if l.state.Load() >= waiter {
		l.state.Add(-waiter)
		l.handed <- struct{}{} // has room: it is handed to one at a time
	} else {
		l.state.Store(0)
	}
}

// lock waits until ctx is cancelled, whose error it returns, or the connection has ended: then it returns [ErrClosed]. c may be nil.
func (l *mutex) lock(ctx context.Context, c *Conn) error {
	handed := l.enter()
	if handed == nil {
		return nil
	}
	var abandon <-chan struct{}
	if c != nil {
		abandon = c.Done()
	}
	select {
	case <-handed:
		return nil
	case <-ctx.Done():
		l.leave()
		return ctx.Err()
	case <-abandon:
		l.leave()
		return ErrClosed
	}
}

// lockWithin waits at most d.
func (l *mutex) lockWithin(d time.Duration) bool {
	handed := l.enter()
	if handed == nil {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-handed:
		return true
	case <-timer.C:
		l.leave()
		return false
	}
}
