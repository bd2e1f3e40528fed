package websocket

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"time"
	"unicode/utf8"
)

// Write sends one message. It returns when the kernel has taken it, which says nothing about the peer; or, if the bytes that brought the
// last message have brought more messages, before that: then up to 64 KiB of small answers are sent together, before the next Read
// waits or soon. p is not modified and not kept. In the handler form it does not wait: the message is sent when the handler returns, or soon, and [ErrFull] means that SendLimit
// or more bytes wait already and this message was dropped.
//
// A cancelled ctx is harmless while the message has not begun; once a part of it is sent, cancelling closes the connection,
// since half a frame cannot be taken back. Errors: ctx's, [ErrClosed] (with the cause), [ErrInvalidUTF8], [ErrMessageType],
// [ErrWriteTimeout].
func (c *Conn) Write(ctx context.Context, t MessageType, p []byte) error {
	if err := checkMessage(t, p); err != nil {
		return err
	}
	if c.handled {
		one := [1][]byte{p}
		return c.enqueue(ctx, t, one[:])
	}
	if len(p) <= largeBuffer/2 && c.more.Load() && c.mayWrite(ctx) == nil && c.gather(t, p) {
		return nil
	}
	if c.wire.try() {
		done, err := c.writeAtOnce(ctx, t, p)
		c.unlockWire()
		if done {
			return err
		}
	}
	if err := c.lockMessage(ctx); err != nil {
		return err
	}
	defer c.unlockMessage()
	out := outgoing{c: c, ctx: ctx, buf: borrow(maxHeader + len(p))}
	out.message(t, p)
	return out.finish()
}

// WriteMany sends several messages of one type, in order and nothing between them, in as few system calls as possible. If it
// fails, a beginning of them may have been sent. All else is as with Write.
func (c *Conn) WriteMany(ctx context.Context, t MessageType, messages [][]byte) error {
	size := 0
	for _, p := range messages {
		if err := checkMessage(t, p); err != nil {
			return err
		}
		size += maxHeader + len(p)
	}
	if len(messages) == 0 {
		return nil
	}
	if c.handled {
		return c.enqueue(ctx, t, messages)
	}
	if err := c.lockMessage(ctx); err != nil {
		return err
	}
	defer c.unlockMessage()
	out := outgoing{c: c, ctx: ctx, buf: borrow(size)}
	for _, p := range messages {
		out.message(t, p)
	}
	return out.finish()
}

func checkMessage(t MessageType, p []byte) error {
	switch {
	case t == MessageBinary:
		return nil
	case t != MessageText:
		return ErrMessageType
	case !utf8.Valid(p[asciiRun(p):]):
		return ErrInvalidUTF8
	}
	return nil
}

// lockMessage takes both locks: nothing else is sent until unlockMessage.
func (c *Conn) lockMessage(ctx context.Context) error {
	if err := c.mayWrite(ctx); err != nil {
		return err
	}
	if err := c.awaitLock(ctx, &c.message); err != nil {
		return err
	}
	if err := c.lockWire(ctx); err != nil {
		c.message.unlock()
		return err
	}
	c.sendOutput(ctx) // what was accepted before comes first
	return nil
}

func (c *Conn) unlockMessage() {
	c.unlockWire()
	c.message.unlock()
}

// lockWire takes the wire for frames; it fails if there may be no more.
func (c *Conn) lockWire(ctx context.Context) error {
	if err := c.awaitLock(ctx, &c.wire); err != nil {
		return err
	}
	err := c.mayWrite(ctx)
	if err == nil && c.closeSent {
		err = ErrClosed.saying("a Close frame was sent; nothing may follow it")
	}
	if err != nil {
		c.unlockWire()
	}
	return err
}

// awaitLock takes one of the two locks, or tells why it cannot be had.
func (c *Conn) awaitLock(ctx context.Context, l lock) error {
	err := l.lock(ctx, c)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return cancelled("write", ctx.Err())
	}
	return closedBecause(c.ended())
}

func (c *Conn) mayWrite(ctx context.Context) error {
	if why := c.ended(); why != nil {
		return closedBecause(why)
	}
	if err := ctx.Err(); err != nil {
		return cancelled("write", err)
	}
	return nil
}

func closedBecause(why error) error {
	if errors.Is(why, ErrClosed) {
		return why
	}
	return ErrClosed.because(why)
}

// outgoing gathers encoded frames in one borrowed buffer and sends it whenever it is full. The wire must be held.
type outgoing struct {
	c   *Conn
	ctx context.Context
	buf *buffer
	n   int
	err error
}

// frame adds a frame.
func (o *outgoing) frame(h header, payload []byte) {
	h.length = int64(len(payload))
	if o.n+maxHeader > len(o.buf.data) {
		o.flush()
	}
	o.c.giveKey(&h, o.buf.data[o.n:])
	o.n = len(appendHeader(o.buf.data[:o.n], h))
	pos := 0
	for len(payload) > 0 && o.err == nil {
		if o.n == len(o.buf.data) {
			o.flush()
			if len(payload) >= largeBuffer && !h.masked && o.err == nil { // it can be sent from where it is
				o.err = o.c.send(o.ctx, payload)
				return
			}
		}
		piece := o.buf.data[o.n : o.n+copy(o.buf.data[o.n:], payload)]
		if h.masked {
			pos = mask(piece, h.key, pos)
		}
		o.n += len(piece)
		payload = payload[len(piece):]
	}
}

func (o *outgoing) flush() {
	if o.err == nil {
		o.err = o.c.send(o.ctx, o.buf.data[:o.n])
	}
	o.n = 0
}

// finish sends what is left, gives the buffer back and returns the first error.
func (o *outgoing) finish() error {
	o.flush()
	o.buf.giveBack()
	return o.err
}

// giveKey makes a client's frame masked with a fresh random key: "The masking key MUST be unpredictable" (section 5.3).
func (c *Conn) giveKey(h *header, scratch []byte) {
	if c.client {
		rand.Read(scratch[:4])
		h.masked = true
		h.key = binary.LittleEndian.Uint32(scratch)
	}
}

// appendFrame encodes a whole frame in our role; dst must have room.
func (c *Conn) appendFrame(dst []byte, h header, payload []byte) []byte {
	c.giveKey(&h, dst[len(dst):cap(dst)])
	return appendFrame(dst, h, payload)
}

// send writes p, which is whole frames or follows their beginning. An error closes the connection. The wire must be held.
func (c *Conn) send(ctx context.Context, p []byte) error {
	if why := c.ended(); why != nil {
		return closedBecause(why)
	}
	if c.sock != nil {
		return c.hand(p)
	}
	var err error
	if c.raw != nil {
		var n int
		n, err = c.raw.writeNow(p)
		p = p[n:]
	}
	if err == nil && len(p) > 0 {
		err = c.sendWaiting(ctx, p)
	}
	if err == nil {
		return nil
	}
	return c.writeFailed(ctx, err)
}

// writeFailed closes the connection after an error of a write, and returns what the writer is told.
func (c *Conn) writeFailed(ctx context.Context, err error) error {
	if why := c.ended(); why != nil {
		return closedBecause(why)
	}
	if cerr := ctx.Err(); cerr != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = cancelled("write: the connection is closed, as a message was cut off", cerr)
		c.teardown(ErrClosed.because(err), true)
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrWriteTimeout
	}
	c.teardown(&CloseError{Code: StatusAbnormalClosure, cause: err}, true)
	return ErrClosed.because(err)
}

// sendWaiting writes to a peer that is slow, for WriteTimeout or until ctx is cancelled.
func (c *Conn) sendWaiting(ctx context.Context, p []byte) error {
	if c.limits.writeTimeout > 0 {
		c.nc.SetWriteDeadline(time.Now().Add(c.limits.writeTimeout))
		defer c.nc.SetWriteDeadline(time.Time{})
	}
	if ctx.Done() != nil {
		fired := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			c.nc.SetWriteDeadline(longAgo)
			close(fired)
		})
		defer func() {
			if !stop() {
				<-fired
				c.nc.SetWriteDeadline(time.Time{})
			}
		}()
	}
	_, err := c.nc.Write(p)
	return err
}
