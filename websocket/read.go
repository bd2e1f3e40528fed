package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"time"
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
	defer c.reading.unlock()
	return c.readMessage(ctx, dst)
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
	case <-c.done:
		return c.why
	case <-ctx.Done():
		return cancelled("read", ctx.Err())
	}
}

func (c *Conn) readMessage(ctx context.Context, dst []byte) (MessageType, []byte, error) {
	if err := c.skipStream(ctx); err != nil {
		return 0, dst, err
	}
	start := len(dst)
	kind := c.partType
	if kind != 0 {
		dst = append(dst, c.partial...)
	}
	for {
		ev, err := c.nextData(ctx)
		if err != nil {
			c.keepPartial(kind, dst[start:])
			return 0, dst[:start], err
		}
		kind = MessageType(ev.message)
		if dst == nil {
			dst = make([]byte, 0, c.roomFor(ev))
		}
		dst = append(dst, ev.payload...)
		if ev.last {
			c.partType, c.partial = 0, nil
			c.answerPings()
			return kind, dst, nil
		}
	}
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
	c.partType = kind
	if len(got) != len(c.partial) {
		c.partial = append([]byte(nil), got...)
	}
}

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
	kind := c.partType
	if kind != 0 {
		r.rest = c.partial
		c.partType, c.partial = 0, nil
	} else {
		ev, err := c.nextData(ctx)
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
			ev, err := c.nextData(r.ctx)
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
		ev, err := c.nextData(ctx)
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

// nextData waits for the next piece of a message, and deals with everything else that comes before it. The piece is valid until
// the next call. reading must be held.
func (c *Conn) nextData(ctx context.Context) (event, error) {
	if c.readErr != nil {
		return event{}, c.readErr
	}
	if err := ctx.Err(); err != nil {
		return event{}, cancelled("read", err)
	}
	for {
		ev, n := c.machine.next(c.in.unread)
		c.in.consume(n)
		switch ev.kind {
		case eventData:
			return ev, nil
		case eventPing:
			c.answers.put(c, opPong, ev.payload)
		case eventPong:
			c.pings.answered(ev.payload)
		case eventClose:
			return event{}, c.receiveClose(ctx, ev)
		case eventFail:
			return event{}, c.failRead(ctx, ev.failure)
		case eventNone:
			c.in.release()
			c.answerPings()
			if err := c.wait(ctx); err != nil {
				return event{}, err
			}
		}
	}
}

// wait fills the input.
func (c *Conn) wait(ctx context.Context) error {
	c.deadline.watch(ctx, c.nc)
	c.boundMessage()
	c.keepalive.waiting()
	err := c.in.fill(c.nc, c.raw, c.machine.left)
	c.keepalive.waited(len(c.in.unread) > 0)
	if err == nil || len(c.in.unread) > 0 {
		return nil
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return c.lost(err)
	}
	if err := ctx.Err(); err != nil {
		return cancelled("read", err)
	}
	if c.deadline.messageLate(time.Now()) {
		return c.failRead(ctx, &ProtocolError{
			Code: StatusPolicyViolation, Section: "7.4.1",
			Text:  fmt.Sprintf("the rest of a message did not come within %v (MessageTimeout)", c.limits.messageTimeout),
			cause: ErrMessageTimeout,
		})
	}
	return c.lost(ErrCloseTimeout)
}

// boundMessage starts the clock of MessageTimeout when a message must be waited for, and stops it between messages.
func (c *Conn) boundMessage() {
	d := &c.deadline
	switch {
	case c.limits.messageTimeout == 0:
	case c.machine.idle():
		if !d.message.IsZero() {
			d.setMessage(time.Time{}, c.nc)
		}
	case d.message.IsZero() || d.pauses != c.machine.pauses:
		d.pauses = c.machine.pauses
		d.setMessage(time.Now().Add(c.limits.messageTimeout), c.nc)
	}
}

func cancelled(what string, err error) error {
	return fmt.Errorf("websocket: %s: %w", what, err)
}

// receiveClose answers the peer's Close frame and ends the connection (RFC 6455, section 7.1.1): a server closes at once; a
// client leaves it to the server, so that the state of waiting out TCP stays with the side that called.
func (c *Conn) receiveClose(ctx context.Context, ev event) error {
	err := &CloseError{Code: ev.code, Reason: ev.reason}
	c.readErr = err
	c.sendClose(ev.code, "")
	if c.client {
		c.drain(ctx)
	}
	c.in.release()
	c.teardown(err, false)
	return err
}

// failRead fails the connection (section 7.1.7): it tells the peer why, and closes.
func (c *Conn) failRead(ctx context.Context, failure *ProtocolError) error {
	c.readErr = failure
	c.sendClose(failure.Code, failure.Text)
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	c.drain(ctx)
	c.teardown(failure, false)
	return failure
}

// drain discards what comes until the peer closes, at most for CloseTimeout. Closing with bytes unread would make TCP reset the
// connection, and the peer might lose the Close frame.
func (c *Conn) drain(ctx context.Context) {
	c.deadline.watch(ctx, c.nc)
	c.deadline.setMessage(time.Now().Add(c.limits.closeTimeout), c.nc)
	for {
		c.in.release()
		if err := c.in.fill(c.nc, c.raw, 0); err != nil {
			return
		}
	}
}

// lost is the end of a connection without a Close frame.
func (c *Conn) lost(err error) error {
	if ended := c.ended(); ended != nil {
		c.readErr = ended
		return ended
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	} else if errors.Is(err, net.ErrClosed) {
		err = ErrClosed
	}
	c.readErr = &CloseError{Code: StatusAbnormalClosure, cause: err}
	c.teardown(c.readErr, true)
	return c.readErr
}
