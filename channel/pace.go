package channel

import (
	"sync"
	"time"
)

// pace bounds how often the readers of a conflated channel are woken: the first of many messages at once, later ones together
// at the end of the period. So the last one is always delivered, and how much a reader is sent does not grow with how much is
// written: a vote of ten thousand ballots a second costs its watchers five tallies a second.
type pace struct {
	every time.Duration
	wake  func()

	mu    sync.Mutex
	next  time.Time   // when the period ends
	timer *time.Timer // set while a wake-up is owed
	ended bool
}

// step wakes the readers now, or when the period ends.
func (p *pace) step() {
	p.mu.Lock()
	now := time.Now()
	switch {
	case p.ended || p.timer != nil:
		p.mu.Unlock()
		return
	case now.Before(p.next):
		p.timer = time.AfterFunc(p.next.Sub(now), p.owed)
		p.mu.Unlock()
		return
	}
	p.next = now.Add(p.every)
	p.mu.Unlock()
	p.wake()
}

// owed is the end of a period in which something came.
func (p *pace) owed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.timer, p.next = nil, time.Now().Add(p.every)
	p.wake()
}

// end stops the timer; a wake-up that runs has ended when it returns.
func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
	}
}
