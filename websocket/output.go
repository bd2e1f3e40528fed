package websocket

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// output is what was accepted to be sent and waits for its turn: what Send was given, and in the handler form what Write was given.
// Whoever holds the wire sends it before letting go, so what piles up while a connection is being written goes out as one write. When
// nobody is about to, a goroutine is started that does and ends; connections of an event loop leave it to their loop.
type output struct {
	some atomic.Bool // something waits

	mu        sync.Mutex
	waiting   *pieces // nil while nothing waits
	later     *pieces // what must wait for the end of a streamed message (section 5.4: messages may not be interleaved)
	size      int64   // bytes of both, with those being written just now
	corked    bool    // handlers are running for bytes just read; their reader sends everything afterwards
	flushing  bool    // a goroutine was started, or the loop told, and has not taken it yet
	streaming bool    // a Writer has begun a message
	wake      bool    // the connection is to be woken when nothing waits any more
	shut      bool    // a Close frame was sent, or the connection is closed: nothing may follow
}

// pieces are encoded frames, in order. One alone is in the memory of the struct: of a broadcast, as many of them wait as there are connections.
type pieces struct {
	list []piece
	one  [1]piece
}

// piece is a run of encoded bytes.
type piece struct {
	data []byte
	own  *buffer // what data lies in, if it is ours alone; nil if it is shared and may not be changed
}

var pieceLists = sync.Pool{New: func() any {
	p := &pieces{}
	p.list = p.one[:0]
	return p
}}

// add appends a piece.
func (p *pieces) add(one piece) {
	if len(p.list) == 1 && cap(p.list) == 1 {
		p.list, p.one[0] = slices.Grow(p.list, 15), piece{} // more are likely to follow
	}
	p.list = append(p.list, one)
}

// smallPiece is the size up to which shared bytes are copied behind others instead of being a piece of their own.
const smallPiece = 64

// giveBack returns the memory of a list that was sent or is dropped.
func (p *pieces) giveBack() {
	for i := range p.list {
		if p.list[i].own != nil {
			p.list[i].own.giveBack()
		}
	}
	clear(p.list)
	p.list = p.list[:0]
	pieceLists.Put(p)
}

// room returns free bytes behind the last piece, at least n of them if n is no more than hugeBuffer; the caller extends data.
func (p *pieces) room(n int) (last *piece, free []byte) {
	if i := len(p.list) - 1; i >= 0 && p.list[i].own != nil {
		last = &p.list[i]
		if free = last.data[len(last.data):cap(last.data)]; len(free) >= n {
			return last, free
		}
	}
	b := borrowWhole(n)
	p.add(piece{data: b.data[:0], own: b})
	return &p.list[len(p.list)-1], b.data
}

// copyIn appends a copy of b.
func (p *pieces) copyIn(b []byte) {
	for len(b) > 0 {
		last, free := p.room(min(len(b), hugeBuffer))
		n := copy(free, b)
		last.data = last.data[:len(last.data)+n]
		b = b[n:]
	}
}

// share appends b itself.
func (p *pieces) share(b []byte) {
	if i := len(p.list) - 1; len(b) <= smallPiece && i >= 0 && p.list[i].own != nil && cap(p.list[i].data)-len(p.list[i].data) >= len(b) {
		p.list[i].data = append(p.list[i].data, b...)
		return
	}
	p.add(piece{data: b})
}

// open returns the list that a new message goes to. mu must be held.
func (o *output) open() *pieces {
	at := &o.waiting
	if o.streaming {
		at = &o.later
	} else if !o.some.Load() {
		o.some.Store(true)
	}
	if *at == nil {
		*at = pieceLists.Get().(*pieces)
	}
	return *at
}

// take takes everything that waits, to be sent; nil if there is nothing. sent must follow.
func (o *output) take() *pieces {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.taken()
}

// taken is take when mu is held.
func (o *output) taken() *pieces {
	p := o.waiting
	o.waiting = nil
	o.flushing = false
	if p != nil {
		o.some.Store(false)
	}
	return p
}

// sent says that n bytes were taken by the kernel.
func (c *Conn) sent(n int64) {
	o := &c.out
	o.mu.Lock()
	o.size = max(0, o.size-n) // it may have been closed meanwhile
	wake := o.wake && o.size == 0
	if wake {
		o.wake = false
	}
	o.mu.Unlock()
	if wake {
		c.Wake()
	}
}

// close drops what waits, and takes no more.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
	for _, p := range []*pieces{o.waiting, o.later} {
		if p != nil {
			p.giveBack()
		}
	}
	o.waiting, o.later, o.size = nil, nil, 0
	o.some.Store(false)
}

// stop lets no more messages in; what waits may still go out before the Close frame.
func (o *output) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
}

// cork says that handlers are about to run and that flushRead follows.
func (o *output) cork() {
	o.mu.Lock()
	o.corked = true
	o.mu.Unlock()
}

func (o *output) uncork() {
	o.mu.Lock()
	o.corked = false
	o.mu.Unlock()
}

// mustFlush reports whether nobody is about to send, and from now on somebody is: the caller. mu must be held.
func (o *output) mustFlush() bool {
	if o.corked || o.flushing || o.waiting == nil {
		return false
	}
	o.flushing = true
	return true
}

// join returns as much from the beginning of the list as one write should have: a big piece itself, or several copied into buf.
func (p *pieces) join(buf []byte) []byte {
	if len(p.list) == 1 || len(p.list[0].data) >= len(buf) {
		return p.list[0].data
	}
	n := 0
	for _, piece := range p.list {
		if n+len(piece.data) > len(buf) {
			break
		}
		n += copy(buf[n:], piece.data)
	}
	return buf[:n]
}

// advance drops the first n bytes, and reports whether nothing is left.
func (p *pieces) advance(n int) bool {
	for i := range p.list {
		if n < len(p.list[i].data) {
			p.list[i].data = p.list[i].data[n:]
			copy(p.list, p.list[i:])
			clear(p.list[len(p.list)-i:])
			p.list = p.list[:len(p.list)-i]
			return false
		}
		n -= len(p.list[i].data)
		if p.list[i].own != nil {
			p.list[i].own.giveBack()
			p.list[i].own = nil
		}
	}
	clear(p.list)
	p.list = p.list[:0]
	return true
}

// flush makes what waits go out, without waiting for it.
func (c *Conn) flush() {
	if c.sock != nil {
		c.sock.Schedule()
		return
	}
	if c.raw == nil {
		go c.lockAndFlush()
		return
	}
	flushers.add(c)
}

func (c *Conn) lockAndFlush() {
	if c.wire.lock(context.Background(), c) == nil {
		c.unlockWire()
	}
}

// parting writes what still waits and the kernel takes at once, before the connection is closed without a Close frame.
func (c *Conn) parting() {
	if c.raw == nil || !c.out.some.Load() || !c.wire.try() {
		return
	}
	defer c.wire.unlock()
	if p := c.out.take(); p != nil && !c.closeSent {
		for _, piece := range p.list {
			if n, err := c.raw.writeNow(piece.data); err != nil || n < len(piece.data) {
				return
			}
		}
	}
}

// flushRead sends what the handlers of one read have written, and the answers to its pings, before the next read. A peer that does not
// take it is not read any further.
func (c *Conn) flushRead() {
	if c.more.Load() {
		c.more.Store(false)
	}
	if !c.handled {
		c.answerPings()
		return
	}
	c.out.uncork()
	if c.mustWrite() && c.wire.lock(context.Background(), c) == nil {
		c.unlockWire()
	}
}

// mustWrite reports whether something waits that the holder of the wire has to send.
func (c *Conn) mustWrite() bool {
	return c.answers.some.Load() || (c.out.some.Load() && c.sock == nil)
}

// sendOutput sends what waits. The wire must be held.
func (c *Conn) sendOutput(ctx context.Context) (err error) {
	if c.sock != nil {
		return nil // its own loop does
	}
	for c.out.some.Load() {
		p := c.out.take()
		if p == nil {
			return err
		}
		var n int64
		if !c.closeSent {
			n, err = c.sendPieces(ctx, p)
		}
		p.giveBack()
		c.sent(n)
	}
	return err
}

// sendPieces sends them with as few writes as possible, and returns how many bytes they had.
func (c *Conn) sendPieces(ctx context.Context, p *pieces) (total int64, err error) {
	if len(p.list) == 1 {
		return int64(len(p.list[0].data)), c.send(ctx, p.list[0].data)
	}
	b := borrow(largeBuffer)
	defer b.giveBack()
	for more := true; more && err == nil; {
		data := p.join(b.data)
		err = c.send(ctx, data)
		total += int64(len(data))
		more = !p.advance(len(data))
	}
	return total, err
}

// beginStream makes messages wait for the end of one that is written in fragments; endStream lets them go.
func (o *output) beginStream() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.streaming = true
}

func (c *Conn) endStream() {
	o := &c.out
	o.mu.Lock()
	o.streaming = false
	if o.later != nil {
		o.waiting, o.later = joined(o.waiting, o.later), nil
		o.some.Store(true)
	}
	must := o.mustFlush()
	o.mu.Unlock()
	if must {
		c.flush()
	}
}

// joined returns first and then second as one list.
func joined(first, second *pieces) *pieces {
	if first == nil {
		return second
	}
	first.list = append(first.list, second.list...)
	clear(second.list)
	second.list = second.list[:0]
	pieceLists.Put(second)
	return first
}
