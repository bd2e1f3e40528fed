package websocket

import (
	"context"
	"sync"
)

// DialQueue lets one connection at a time be opened to an address: "There MUST be no more than one connection in a CONNECTING state"
// (RFC 6455, section 4.1), a rule that protects servers from scripts in browsers. Put one into the DialOptions of all dials that shall
// keep it. The zero value is ready; any goroutine may use it.
type DialQueue struct {
	mu      sync.Mutex
	turns   map[string]lock
	waiting map[string]int
}

// enter waits for the turn at addr.
func (q *DialQueue) enter(ctx context.Context, addr string) (leave func(), err error) {
	q.mu.Lock()
	if q.turns == nil {
		q.turns, q.waiting = make(map[string]lock), make(map[string]int)
	}
	turn, ok := q.turns[addr]
	if !ok {
		turn = newLock()
		q.turns[addr] = turn
	}
	q.waiting[addr]++
	q.mu.Unlock()

	forget := func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.waiting[addr]--; q.waiting[addr] == 0 {
			delete(q.turns, addr)
			delete(q.waiting, addr)
		}
	}
	if err := turn.lock(ctx, nil); err != nil {
		forget()
		return nil, err
	}
	return func() { turn.unlock(); forget() }, nil
}
