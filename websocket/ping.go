package websocket

import (
	"context"
	"encoding/binary"
	"sync"
)

// Ping sends a ping and waits for its pong: the time it takes is the round trip. Another goroutine must be reading, or the pong is
// not seen. It returns nil, ctx's error, or [ErrClosed].
func (c *Conn) Ping(ctx context.Context) error {
	if c.pings.Load() == nil {
		c.pings.CompareAndSwap(nil, &pings{})
	}
	waiting := c.pings.Load()
	id, answered := waiting.begin()
	defer waiting.forget(id)
	if err := c.lockWire(ctx); err != nil {
		return err
	}
	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], id)
	out := outgoing{c: c, ctx: ctx, buf: borrow(maxHeader + len(payload))}
	out.frame(header{fin: true, opcode: opPing}, payload[:])
	err := out.finish()
	c.unlockWire()
	if err != nil {
		return err
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return cancelled("ping", ctx.Err())
	case <-c.Done():
		return closedBecause(c.why)
	}
}

// pings are the calls of Ping that wait. A peer may answer only the latest of several pings (RFC 6455, section 5.5.3), so a pong
// answers all up to its own.
type pings struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan struct{}
}

func (p *pings) begin() (uint64, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	if p.waiting == nil {
		p.waiting = make(map[uint64]chan struct{})
	}
	ch := make(chan struct{})
	p.waiting[p.last] = ch
	return p.last, ch
}

func (p *pings) forget(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
	if len(p.waiting) == 0 {
		p.waiting = nil
	}
}

// answered takes a pong. One that nobody asked for is legal, and ignored.
// p is nil if there was no ping.
func (p *pings) answered(payload []byte) {
	if len(payload) != 8 || p == nil {
		return
	}
	upTo := binary.BigEndian.Uint64(payload)
	p.mu.Lock()
	defer p.mu.Unlock()
	if upTo > p.last {
		return
	}
	for id, ch := range p.waiting {
		if id <= upTo {
			close(ch)
			delete(p.waiting, id)
		}
	}
}
