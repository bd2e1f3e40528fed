package websocket

import (
	"context"
	"iter"
	"slices"
)

// Read waits for the next message and returns it whole; the slice is the caller's.
//
// When ctx is cancelled it returns ctx's error, and the connection stays as it was: what came of a message is kept for the next
// Read. Any other error is final, except [ErrConcurrentRead]: [*CloseError] when the peer closed or vanished, [*ProtocolError]
// when it broke a rule or a limit, [ErrClosed] when this side closed.
//
// If the last message was taken with Reader and not read to its end, the rest of it is skipped.
func (c *Conn) Read(ctx context.Context) (MessageType, []byte, error) {
	return c.ReadAppend(ctx, nil)
}

// ReadAppend is Read, appending the message to dst, so that a loop can use one slice for all messages.
func (c *Conn) ReadAppend(ctx context.Context, dst []byte) (MessageType, []byte, error) {
	if err := c.beginRead(ctx); err != nil {
		return 0, dst, err
	}
	kind, start := MessageType(0), len(dst)
	err := c.resumeMessage(ctx, &kind, &dst)
	for last := false; err == nil && !last; {
		if kind, dst, last, err = c.readMessage(ctx, kind, dst); err == nil && !last {
			var into []byte
			if kind != 0 {
				dst, into = c.makeRoom(dst)
			}
			err = c.receive(ctx, into) // from here, as a goroutine that waits keeps all the stack that it once needed
		}
	}
	if err != nil {
		c.keepPartial(kind, dst[start:])
		kind, dst = 0, dst[:start]
	}
	c.reading.unlock()
	return kind, dst, err
}

// beginRead takes the right to read. If Close has it, that is no second reader: the end of the connection is awaited.
func (c *Conn) beginRead(ctx context.Context) error {
	if c.reading.try() {
		return nil
	}
	if !c.closing.Load() {
		return ErrConcurrentRead
	}
	select {
	case <-c.Done():
		return c.why
	case <-ctx.Done():
		return cancelled("read", ctx.Err())
	}
}

// resumeMessage begins with what an earlier Read had of its message, if that was cancelled.
func (c *Conn) resumeMessage(ctx context.Context, kind *MessageType, dst *[]byte) error {
	if c.stream != nil {
		if err := c.skipStream(ctx); err != nil {
			return err
		}
	}
	if *kind = MessageType(c.partType); *kind != 0 {
		*dst = append(*dst, c.partial...)
	}
	return c.mayRead(ctx)
}

// readMessage adds to dst what the input has of a message; kind is 0 while there is nothing of it. Unless it is the last of the message, more is to be
// received.
func (c *Conn) readMessage(ctx context.Context, kind MessageType, dst []byte) (_ MessageType, _ []byte, last bool, err error) {
	var ev event
	for {
		c.in.consume(c.machine.advance(c.in.unread, &ev))
		if ev.kind == eventNone {
			return kind, dst, false, nil
		}
		if ev.kind != eventData {
			if err := c.control(ctx, ev); err != nil {
				return kind, dst, false, err
			}
			continue
		}
		kind = MessageType(ev.message)
		if dst == nil {
			dst = make([]byte, 0, c.roomFor(ev))
		}
		if free := dst[len(dst):cap(dst)]; len(free) > 0 && len(ev.payload) > 0 && &free[0] == &ev.payload[0] {
			dst = dst[:len(dst)+len(ev.payload)] // it was read to where it belongs
		} else {
			dst = append(dst, ev.payload...)
		}
		if ev.last {
			c.messageRead()
			return kind, dst, true, nil
		}
	}
}

// messageRead is the end of a message.
func (c *Conn) messageRead() {
	c.partType, c.partial = 0, nil
	if more := len(c.in.unread) > 0 && c.raw != nil; more != c.more.Load() {
		c.more.Store(more)
	}
	if c.answers.some.Load() {
		c.answerPings()
	}
}

// makeRoom returns where the rest of a big message can be read to where it belongs: behind dst, in which there is made as much room as suits
// what has come.
func (c *Conn) makeRoom(dst []byte) (grown, into []byte) {
	left := c.machine.left
	if left < largeBuffer || c.machine.compressed || len(c.in.unread) > 0 {
		return dst, nil
	}
	if room := min(left, int64(max(largeBuffer, len(dst)))); int64(cap(dst)-len(dst)) < room {
		dst = slices.Grow(dst, int(room))
	}
	free := dst[len(dst):cap(dst)]
	return dst, free[:min(int64(len(free)), left)]
}

// roomFor is the first size of a message's slice: all of it if it is here; of what is only announced, as much as suits what has
// come, since a peer can announce without sending.
func (c *Conn) roomFor(ev event) int {
	n := len(ev.payload)
	if !ev.last {
		n += int(min(c.machine.left, int64(smallBuffer+8*n)))
	}
	return n
}

func (c *Conn) keepPartial(kind MessageType, got []byte) {
	if c.readErr != nil || kind == 0 {
		c.partType, c.partial = 0, nil
		return
	}
	c.partType = opcode(kind)
	if len(got) != len(c.partial) {
		c.partial = append([]byte(nil), got...)
	}
}

// Messages returns the messages to come, for a range loop. It ends without an error when the peer closes with 1000, 1001 or no
// code, and otherwise with the error that Read returned. ctx ends it like a Read.
func (c *Conn) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			kind, data, err := c.Read(ctx)
			switch CloseStatus(err) {
			case StatusNormalClosure, StatusGoingAway, StatusNoStatus:
				return
			}
			if !yield(Message{kind, data}, err) || err != nil {
				return
			}
		}
	}
}
