package websocket

import (
	"context"
	"runtime"
	"sync"
)

// flushers write the output of connections for which nobody else is about to: a few goroutines for all connections that have some, which
// end when there are none. Such a goroutine never waits for a peer: what the kernel does not take at once is left to a goroutine of its own.
var flushers flushQueue

type flushQueue struct {
	mu      sync.Mutex
	waiting []*Conn
	running int
}

func (q *flushQueue) add(c *Conn) {
	q.mu.Lock()
	q.waiting = append(q.waiting, c)
	start := q.running < runtime.GOMAXPROCS(0) && q.running < len(q.waiting)
	if start {
		q.running++
	}
	q.mu.Unlock()
	if start {
		go runFlusher() // nothing is captured, so starting it takes no memory
	}
}

func runFlusher() { flushers.run() }

func (q *flushQueue) run() {
	buf := borrow(largeBuffer)
	defer buf.giveBack()
	var mine [64]*Conn
	for {
		n := q.next(mine[:])
		if n == 0 {
			return
		}
		for i, c := range mine[:n] {
			mine[i] = nil
			c.flushNow(buf.data)
		}
	}
}

// next takes the first of those that wait, in the order in which they came. When there are none, the goroutine must end.
func (q *flushQueue) next(into []*Conn) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := copy(into, q.waiting)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	if n == 0 {
		q.running--
		if cap(q.waiting) > 1<<10 {
			q.waiting = nil // of a broadcast; who is silent holds nothing
		}
	}
	return n
}

// flushNow writes what waits, as far as the kernel takes it at once. Who holds the wire meanwhile does it before letting go.
func (c *Conn) flushNow(buf []byte) {
	for c.mustWrite() && c.wire.try() {
		if rest := c.writeOutputNow(buf); rest != nil {
			go c.flushRest(rest)
			return
		}
		if c.answers.some.Load() {
			go c.unlockWire() // it may have to wait for the peer
			return
		}
		c.wire.unlock()
	}
}

// writeOutputNow returns what is left, nil if nothing is. The wire must be held.
func (c *Conn) writeOutputNow(buf []byte) (rest *pieces) {
	for {
		p := c.out.take()
		switch {
		case p == nil:
			return nil
		case c.closeSent:
			p.giveBack()
			continue
		}
		for all := false; !all; {
			data := p.join(buf)
			n, err := c.raw.writeNow(data)
			if err != nil {
				c.writeFailed(context.Background(), err)
				break
			}
			c.sent(int64(n))
			if all = p.advance(n); n < len(data) {
				return p
			}
		}
		p.giveBack()
	}
}

// flushRest writes what the kernel did not take at once. The wire must be held; it is let go.
func (c *Conn) flushRest(p *pieces) {
	n, _ := c.sendPieces(context.Background(), p)
	p.giveBack()
	c.sent(n)
	c.unlockWire()
}
