package websocket

import (
	"context"
	"io"
)

// Reader waits for the next message and returns it as a stream, for messages too big to hold. ctx is for the stream's Read calls
// too; once it is cancelled, the rest of the message is lost to this stream but the connection stays usable. Errors are those of
// Conn.Read. The stream may be dropped at any point; the next Read or Reader skips the rest of its message.
func (c *Conn) Reader(ctx context.Context) (MessageType, io.Reader, error) {
	if err := c.beginRead(ctx); err != nil {
		return 0, nil, err
	}
	defer c.reading.unlock()
	if err := c.skipStream(ctx); err != nil {
		return 0, nil, err
	}
	r := &messageReader{c: c, ctx: ctx}
	kind := MessageType(c.partType)
	if kind != 0 {
		r.rest = c.partial
		c.partType, c.partial = 0, nil
	} else {
		ev, err := c.nextData(ctx, nil)
		if err != nil {
			return 0, nil, err
		}
		kind, r.rest, r.last = MessageType(ev.message), ev.payload, ev.last
	}
	c.stream = r
	return kind, r, nil
}

// messageReader streams one message.
type messageReader struct {
	c    *Conn
	ctx  context.Context
	rest []byte // received and not yet read; within the connection's input
	last bool   // nothing comes after rest
	err  error
}

func (r *messageReader) Read(p []byte) (int, error) {
	c := r.c
	if err := c.beginRead(r.ctx); err != nil {
		return 0, err
	}
	defer c.reading.unlock()
	for len(r.rest) == 0 && r.err == nil {
		switch {
		case c.stream != r:
			r.err = ErrClosed.saying("the stream of this message is over; the connection has gone on to another")
		case r.last:
			r.err = io.EOF
			c.stream = nil
			c.answerPings()
		default:
			ev, err := c.nextData(r.ctx, nil)
			r.rest, r.last, r.err = ev.payload, ev.last, err
		}
	}
	if len(r.rest) > 0 && c.stream == r {
		n := copy(p, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	return 0, r.err
}

// skipStream reads to the end of the message that a Reader has begun.
func (c *Conn) skipStream(ctx context.Context) error {
	r := c.stream
	if r == nil {
		return nil
	}
	r.rest = nil // what it points to is about to be overwritten
	for !r.last {
		ev, err := c.nextData(ctx, nil)
		if err != nil {
			return err
		}
		r.last = ev.last
	}
	c.stream = nil
	return nil
}

// abandonStream ends the stream of a Reader, since somebody else reads now.
func (c *Conn) abandonStream() {
	if c.stream != nil {
		c.stream.rest = nil
		c.stream = nil
	}
}
