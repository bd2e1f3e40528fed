package websocket

import (
	"context"
	"sync"
	"time"
)

// mutex is one whose wait can be given up. The zero value is free. It is small, as a connection has several; only a wait needs a channel.
type mutex struct {
	mu      sync.Mutex
	held    bool
	waiting int32         // waiters that the mutex was not handed to yet
	handed  chan struct{} // one of the waiters takes it from here; made by the first
}

// lock is a mutex that is shared.
type lock = *mutex

func newLock() lock { return &mutex{} }

func (l *mutex) try() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held {
		return false
	}
	l.held = true
	return true
}

// enter takes the mutex, or begins to wait for its being handed over; then leave, if not that, must follow.
func (l *mutex) enter() (handed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		l.held = true
		return nil
	}
	if l.handed == nil {
		l.handed = make(chan struct{}, 1)
	}
	l.waiting++
	return l.handed
}

// leave gives a wait up. What was handed over in this moment is handed on.
func (l *mutex) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.handed:
		l.release()
	default:
		l.waiting--
	}
}

func (l *mutex) unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

func (l *mutex) release() {
	if l.waiting > 0 {
		l.waiting--
		l.handed <- struct{}{} // has room: it is handed to one at a time
	} else {
		l.held = false
	}
}

// lock waits until ctx is cancelled, whose error it returns, or abandon is closed: then it returns [ErrClosed].
func (l *mutex) lock(ctx context.Context, abandon <-chan struct{}) error {
	handed := l.enter()
	if handed == nil {
		return nil
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
