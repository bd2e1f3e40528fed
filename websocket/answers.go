package websocket

import (
	"context"
	"sync"
	"sync/atomic"
)

// answers are the pongs (and keepalive pings) that wait to be written. They go out when the reader would wait or hands on a
// message, or when the buffer is full, with one write for all of them. While another goroutine writes, that one sends them when it
// is done, so a reader never waits for a writer. Nothing grows: when the buffer is full and cannot be sent, only the newest pong is
// kept, which section 5.5.3 of RFC 6455 allows ("MAY elect to send a Pong frame for only the most recently processed Ping frame").
type answers struct {
	mu     sync.Mutex
	frames *buffer // encoded frames, the first n bytes
	n      int32
	some   atomic.Bool
}

// put adds a control frame.
func (a *answers) put(c *Conn, op opcode, payload []byte) {
	if a.full(len(payload)) {
		c.answerPings()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.frames == nil {
		a.frames = borrow(smallBuffer)
	}
	if int(a.n)+maxHeader+len(payload) > len(a.frames.data) {
		a.n = 0
	}
	a.n = int32(len(c.appendFrame(a.frames.data[:a.n], header{fin: true, opcode: op}, payload)))
	a.some.Store(true)
}

// full reports whether another payload of n bytes has no room.
func (a *answers) full(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.frames != nil && int(a.n)+maxHeader+n > len(a.frames.data)
}

func (a *answers) take() (*buffer, int32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, n := a.frames, a.n
	a.frames, a.n = nil, 0
	a.some.Store(false)
	return b, n
}

// answerPings sends what waits, unless somebody is writing who will.
func (c *Conn) answerPings() {
	if c.mustWrite() && c.wire.try() {
		c.unlockWire()
	}
}

// unlockWire lets go of the wire, after sending the answers and the output that came while it was held.
func (c *Conn) unlockWire() {
	for {
		if c.answers.some.Load() {
			c.sendAnswers()
		}
		c.sendOutput(context.Background())
		c.wire.unlock()
		if !c.mustWrite() || !c.wire.try() {
			return
		}
	}
}

func (c *Conn) sendAnswers() {
	b, n := c.answers.take()
	if b == nil {
		return
	}
	if !c.closeSent {
		c.send(context.Background(), b.data[:n])
	}
	b.giveBack()
}
