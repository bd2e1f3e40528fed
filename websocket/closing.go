package websocket

import (
	"context"
	"time"
)

// Close performs the closing handshake (RFC 6455, section 7): it sends a Close frame, waits at most CloseTimeout for the peer's,
// and closes the connection. Messages that come before the peer's Close frame go to a Read that is running, or are dropped.
//
// The code must be one that may be sent (1000–1003, 1007–1014, 3000–4999), or [StatusNoStatus] for a Close frame without one; with any
// other the connection is closed with 1011 and [ErrBadClose] returned. A reason longer than 123 bytes is cut. Close returns nil when
// the peer has answered or had closed before, [ErrCloseTimeout] when it did not answer in time, and otherwise how the connection
// ended. In any case it is closed.
//
// In the handler form it does not wait for the peer: OnClose tells how it ended, and until then nothing more is handed to OnMessage.
func (c *Conn) Close(code StatusCode, reason string) error {
	var bad error
	if !code.onWire() && code != StatusNoStatus {
		bad = ErrBadClose.saying("status code %d may not be sent in a Close frame; 1011 was sent in its place", int(code))
		code, reason = StatusInternalError, ""
	}
	deadline := time.Now().Add(c.limits.closeTimeout)
	if c.handled {
		c.leave(code, reason)
		return bad
	}
	defer c.keepalive.join()
	c.closing.Store(true)
	c.sendClose(code, reason)
	err := c.awaitClose(deadline)
	if bad != nil {
		return bad
	}
	return err
}

// CloseNow closes the connection at once, without a Close frame. Everything that waits on it returns with [ErrClosed].
func (c *Conn) CloseNow() error {
	c.parting()
	c.teardown(ErrClosed, true)
	c.keepalive.join()
	return nil
}

// leave is Close without waiting for the peer: who reads will see its answer, or that none comes in time.
func (c *Conn) leave(code StatusCode, reason string) {
	defer c.keepalive.join()
	deadline := time.Now().Add(c.limits.closeTimeout)
	c.closing.Store(true)
	c.sendClose(code, reason)
	if c.ended() == nil {
		c.boundClose(deadline)
	}
}

// sendClose sends a Close frame, unless one was sent.
func (c *Conn) sendClose(code StatusCode, reason string) {
	if !c.wire.lockWithin(c.limits.closeTimeout) {
		return // a write hangs; there is no way to say goodbye
	}
	defer c.unlockWire()
	if c.closeSent || c.ended() != nil {
		return
	}
	c.out.stop()
	c.sendOutput(context.Background()) // what was accepted before
	c.sendAnswers()                    // of pings that came before
	var payload [maxControl]byte
	out := outgoing{c: c, ctx: context.Background(), buf: borrow(maxHeader + maxControl)}
	out.frame(header{fin: true, opcode: opClose}, appendClose(payload[:0], code, reason))
	c.closeSent = true
	out.finish()
}

// awaitClose waits for the peer's Close frame: through the Read that is running, or by reading itself.
func (c *Conn) awaitClose(deadline time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	switch c.reading.lock(ctx, c) {
	case nil:
		c.abandonStream()
		c.readDeadline().setClosing(deadline, c.nc)
		for err := error(nil); err == nil; {
			_, err = c.nextData(context.Background(), nil)
		}
		c.reading.unlock()
	case context.DeadlineExceeded:
		c.teardown(ErrCloseTimeout, true)
	}
	c.teardown(ErrClosed, false)
	if e, ok := c.why.(*CloseError); ok {
		if e.Code != StatusAbnormalClosure {
			return nil
		}
		if e.cause == error(ErrCloseTimeout) {
			return ErrCloseTimeout
		}
	}
	return c.why
}
