package client

import "iter"

// maxSignals is how many signals wait for who reads them. They are passing things: the oldest go first.
const maxSignals = 64

// signals is a queue that forgets.
type signals struct {
	waiting chan Signal
	ended   chan struct{}
}

func newSignals() *signals {
	return &signals{waiting: make(chan Signal, maxSignals), ended: make(chan struct{})}
}

// push is called with the lock held, so by one goroutine at a time.
func (q *signals) push(s Signal) {
	for {
		select {
		case q.waiting <- s:
			return
		default:
		}
		select {
		case <-q.waiting:
		default:
		}
	}
}

func (q *signals) close() { close(q.ended) }

// Signals gives what passes in the channel ("typing", "here", "join", "leave"), until the subscription ends. They come by
// WebSocket and SSE only; up to 64 wait, then the oldest are forgotten. Client.Presence tells who is here by any transport.
func (s *Subscription) Signals() iter.Seq[Signal] {
	return func(yield func(Signal) bool) {
		for {
			select {
			case one := <-s.signals.waiting:
				if !yield(one) {
					return
				}
			case <-s.signals.ended:
				return
			}
		}
	}
}
