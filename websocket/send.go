package websocket

import (
	"context"
	"math"

	"parley/internal/loop"
)

// SendResult says what became of a message given to [Conn.Send].
type SendResult int

const (
	// Accepted: the message will be sent after everything accepted before, unless the connection ends first.
	Accepted SendResult = iota

	// Full: SendLimit or more bytes wait for a peer that takes them slower than they come. The message was dropped; try again
	// later, send less, or close: that is for the application to decide.
	Full

	// Closed: the connection is closed, or is being closed.
	Closed

	// Invalid: the message is none; see [Prepared.Err].
	Invalid
)

// String returns "accepted", "full", "closed" or "invalid".
func (r SendResult) String() string {
	switch r {
	case Accepted:
		return "accepted"
	case Full:
		return "full"
	case Closed:
		return "closed"
	}
	return "invalid"
}

// Send hands over a message to be sent, and never waits: neither for the network nor for other writers. It keeps its place among the
// messages of Write. Any goroutine may call it at any time. At most SendLimit bytes wait, and one message more.
func (c *Conn) Send(p *Prepared) SendResult {
	if p.err != nil {
		return Invalid
	}
	o := &c.out
	o.mu.Lock()
	if r := o.admit(c.limits.send); r != Accepted {
		o.mu.Unlock()
		return r
	}
	list := o.open()
	rsv, frame, payload := c.sharedForm(p)
	if c.client {
		o.size += c.copyFrame(list, header{fin: true, rsv: rsv, opcode: opcode(p.kind)}, payload) // its own masking key
	} else {
		o.size += int64(len(frame))
		list.share(frame)
	}
	must := o.mustFlush()
	o.mu.Unlock()
	if must {
		c.flush()
	}
	return Accepted
}

// Buffered returns the bytes that were accepted and that the kernel has not taken yet.
func (c *Conn) Buffered() int {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return int(c.out.size)
}

// admit judges whether another message may come in. mu must be held.
func (o *output) admit(limit int64) SendResult {
	switch {
	case o.shut:
		return Closed
	case o.size >= limit:
		return Full
	}
	return Accepted
}

// copyFrame appends a frame of ours to list, and returns its size.
func (c *Conn) copyFrame(list *pieces, h header, payload []byte) int64 {
	h.length = int64(len(payload))
	last, free := list.room(min(maxHeader+len(payload), hugeBuffer))
	c.giveKey(&h, free)
	n := len(appendHeader(free[:0], h))
	last.data = last.data[:len(last.data)+n]
	size := int64(n + len(payload))
	pos := 0
	for len(payload) > 0 {
		last, free := list.room(min(len(payload), hugeBuffer))
		n := copy(free, payload)
		if h.masked {
			pos = mask(free[:n], h.key, pos)
		}
		last.data = last.data[:len(last.data)+n]
		payload = payload[n:]
	}
	return size
}

// enqueue is Write and WriteMany in the handler form: it does not wait.
func (c *Conn) enqueue(ctx context.Context, t MessageType, messages [][]byte) error {
	if err := ctx.Err(); err != nil {
		return cancelled("write", err)
	}
	o := &c.out
	o.mu.Lock()
	limit := c.limits.send
	if o.corked {
		limit = max(limit, c.limits.read)
		limit += min(loop.ReadSize, math.MaxInt64-limit) // what one read brought can be echoed, whatever SendLimit is
	}
	switch o.admit(limit) {
	case Closed:
		o.mu.Unlock()
		if why := c.ended(); why != nil {
			return closedBecause(why)
		}
		return ErrClosed.saying("a Close frame was sent; nothing may follow it")
	case Full:
		o.mu.Unlock()
		return ErrFull
	}
	for _, p := range messages {
		if c.sock == nil || !c.sock.writeLent(t, p) {
			o.size += c.copyMessage(o.open(), t, p)
		}
	}
	must := o.mustFlush()
	o.mu.Unlock()
	if must {
		c.flush()
	}
	return nil
}

// gather accepts a message in place of writing it at once, if the bytes that brought the last message have brought more: their answers go
// out together when the next Read has to wait, or from a goroutine soon, whichever is first. It reports whether it did.
func (c *Conn) gather(t MessageType, p []byte) bool {
	o := &c.out
	o.mu.Lock()
	if !c.putGathered(t, p) {
		o.mu.Unlock()
		return false
	}
	must := o.mustFlush()
	o.mu.Unlock()
	if must {
		c.flush()
	}
	return true
}

// writeAtOnce is Write when nobody else writes, which needs no lock of whole messages; done is false if a message is being streamed. A small
// message behind others that wait goes out as one write with them. The wire must be held.
func (c *Conn) writeAtOnce(ctx context.Context, t MessageType, p []byte) (done bool, err error) {
	if c.closeSent || c.mayWrite(ctx) != nil {
		return false, nil // lockWire tells why
	}
	o := &c.out
	o.mu.Lock()
	streaming, waits := o.streaming, o.waiting != nil
	behind := waits && len(p) <= largeBuffer/2 && c.putGathered(t, p)
	o.mu.Unlock()
	if streaming {
		return false, nil
	}
	if waits {
		if err := c.sendOutput(ctx); behind || err != nil {
			return true, err
		}
	}
	out := outgoing{c: c, ctx: ctx, buf: borrow(maxHeader + len(p))}
	out.message(t, p)
	return true, out.finish()
}

// putGathered adds a message to the output if there is room. The output must be locked.
func (c *Conn) putGathered(t MessageType, p []byte) bool {
	o := &c.out
	if o.streaming || o.admit(largeBuffer) != Accepted {
		return false
	}
	o.size += c.copyMessage(o.open(), t, p)
	return true
}
