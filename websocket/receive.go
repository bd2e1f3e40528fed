package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// nextData waits for the next piece of a message, and deals with everything else that comes before it. The piece is valid until
// the next call. into is where to read it to, if it must be waited for; nil for a borrowed buffer; it must not be longer than what is left of the
// frame. reading must be held.
func (c *Conn) nextData(ctx context.Context, into []byte) (event, error) {
	if err := c.mayRead(ctx); err != nil {
		return event{}, err
	}
	var ev event
	for {
		c.in.consume(c.machine.advance(c.in.unread, &ev))
		var err error
		switch ev.kind {
		case eventData:
			return ev, nil
		case eventNone:
			err = c.receive(ctx, into)
		default:
			err = c.control(ctx, ev)
		}
		if err != nil {
			return event{}, err
		}
	}
}

func (c *Conn) mayRead(ctx context.Context) error {
	if c.readErr != nil {
		return c.readErr
	}
	if err := ctx.Err(); err != nil {
		return cancelled("read", err)
	}
	return nil
}

// control deals with what is no piece of a message.
func (c *Conn) control(ctx context.Context, ev event) error {
	switch ev.kind {
	case eventPing:
		c.answers.put(c, opPong, ev.payload)
	case eventPong:
		c.pings.Load().answered(ev.payload)
	case eventClose:
		return c.receiveClose(ctx, ev.end)
	case eventFail:
		return c.failRead(ctx, ev.end.failure)
	}
	return nil
}

// receive waits for input, all of which was consumed. into is as in nextData.
func (c *Conn) receive(ctx context.Context, into []byte) error {
	c.in.release()
	c.flushRead()
	c.watch(ctx)
	c.boundMessage()
	c.keepalive.waiting()
	if c.raw != nil {
		c.raw.await()
	}
	err := c.in.fill(c.nc, c.raw, c.machine.left, into)
	c.keepalive.waited(len(c.in.unread) > 0)
	if c.handled {
		c.out.cork()
	}
	if err == nil || len(c.in.unread) > 0 {
		return nil
	}
	return c.notReceived(ctx, err)
}

// notReceived says why a wait for input has ended without any.
func (c *Conn) notReceived(ctx context.Context, err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return c.lost(err)
	}
	if err := ctx.Err(); err != nil {
		return cancelled("read", err)
	}
	if d := c.deadline.Load(); d != nil && d.messageLate(time.Now()) {
		return c.failRead(ctx, c.messageLate())
	}
	return c.lost(ErrCloseTimeout)
}

func (c *Conn) messageLate() *ProtocolError {
	return &ProtocolError{
		Code: StatusPolicyViolation, Section: "7.4.1",
		Text:  fmt.Sprintf("the rest of a message did not come within %v (MessageTimeout)", c.limits.messageTimeout),
		cause: ErrMessageTimeout,
	}
}

// boundMessage starts the clock of MessageTimeout when a message must be waited for, and stops it between messages.
func (c *Conn) boundMessage() {
	d := c.deadline.Load()
	switch {
	case c.limits.messageTimeout == 0:
	case c.machine.idle():
		if d != nil && !d.message.IsZero() {
			d.setMessage(time.Time{}, c.nc)
		}
	case d == nil || d.message.IsZero() || d.pauses != c.machine.pauses:
		d = c.readDeadline()
		d.pauses = c.machine.pauses
		d.setMessage(time.Now().Add(c.limits.messageTimeout), c.nc)
	}
}

func cancelled(what string, err error) error {
	return fmt.Errorf("websocket: %s: %w", what, err)
}

// receiveClose answers the peer's Close frame and ends the connection (RFC 6455, section 7.1.1): a server closes at once; a
// client leaves it to the server, so that the state of waiting out TCP stays with the side that called.
func (c *Conn) receiveClose(ctx context.Context, end *ending) error {
	err := &CloseError{Code: end.code, Reason: end.reason}
	c.readErr = err
	c.sendClose(end.code, "")
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
	c.watch(ctx)
	c.readDeadline().setMessage(time.Now().Add(c.limits.closeTimeout), c.nc)
	for {
		c.in.release()
		if err := c.in.fill(c.nc, c.raw, 0, nil); err != nil {
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
