package websocket

import (
	"context"
	"io"
)

// Writer begins a message that is written as a stream and sent in fragments of up to 4 KiB (RFC 6455, section 5.4). Other messages
// wait until it is closed, control frames do not. Close sends the last fragment; it must be called.
//
// ctx is for the stream's Write and Close calls too: once it is cancelled they fail, and the connection is closed if a part of the
// message was sent. One goroutine may use the stream. Errors are those of Conn.Write.
func (c *Conn) Writer(ctx context.Context, t MessageType) (io.WriteCloser, error) {
	if t != MessageText && t != MessageBinary {
		return nil, ErrMessageType
	}
	if err := c.mayWrite(ctx); err != nil {
		return nil, err
	}
	if err := c.awaitLock(ctx, &c.message); err != nil {
		return nil, err
	}
	if err := c.mayWrite(ctx); err != nil {
		c.message.unlock()
		return nil, err
	}
	c.out.beginStream()
	return &messageWriter{c: c, ctx: ctx, opcode: opcode(t), text: t == MessageText}, nil
}

// messageWriter streams one message. It holds the message lock, and the wire only for each fragment.
type messageWriter struct {
	c       *Conn
	ctx     context.Context
	opcode  opcode // of the next fragment
	text    bool
	utf8    utf8Checker
	z       *compressor // once a compressed fragment was sent
	buf     *buffer     // the fragment being gathered
	n       int
	begun   bool // a fragment was sent
	closed  bool
	failure error
}

func (w *messageWriter) Write(p []byte) (int, error) {
	if w.closed {
		return 0, ErrClosed.saying("the message is complete; begin another with Writer")
	}
	if w.failure != nil {
		return 0, w.failure
	}
	if w.text && w.utf8.check(p) >= 0 {
		return 0, w.fail(ErrInvalidUTF8)
	}
	written := 0
	for written < len(p) {
		if w.buf == nil {
			w.buf = borrow(smallBuffer)
		}
		if w.n == len(w.buf.data) {
			if err := w.fragment(false); err != nil {
				return written, err
			}
		}
		n := copy(w.buf.data[w.n:], p[written:])
		w.n += n
		written += n
	}
	return written, nil
}

// Close sends the rest as the last fragment.
func (w *messageWriter) Close() error {
	if w.closed {
		return w.failure
	}
	if w.failure == nil && w.text && !w.utf8.complete() {
		w.fail(ErrInvalidUTF8)
	}
	if w.failure == nil {
		w.fragment(true)
	}
	w.closed = true
	if w.buf != nil {
		w.buf.giveBack()
		w.buf = nil
	}
	if w.z != nil {
		w.z.giveBack()
	}
	w.c.endStream()
	w.c.message.unlock()
	return w.failure
}

func (w *messageWriter) fragment(fin bool) error {
	if err := w.c.lockWire(w.ctx); err != nil {
		return w.fail(err)
	}
	w.c.sendOutput(context.Background()) // what was accepted before the message began
	out := outgoing{c: w.c, ctx: w.ctx, buf: borrow(maxHeader + w.n)}
	var payload []byte
	if w.buf != nil {
		payload = w.buf.data[:w.n]
	}
	h := header{fin: fin, opcode: w.opcode}
	if w.z != nil || (!w.begun && w.c.deflate != nil && (!fin || w.c.deflate.wants(w.n))) {
		if !w.begun {
			h.rsv = bitRSV1 // of the first fragment only (RFC 7692, section 6.1)
		}
		w.z, payload = out.compressFragment(w.z, payload, fin)
	}
	out.frame(h, payload)
	err := out.finish()
	w.c.unlockWire()
	w.opcode, w.n, w.begun = opContinuation, 0, true
	if err != nil {
		w.fail(err)
	}
	return err
}

// fail gives the message up. If the peer has a part of it, the connection cannot be used for another.
func (w *messageWriter) fail(err error) error {
	w.failure = err
	if w.begun {
		w.c.teardown(ErrClosed.because(err), true)
	}
	return err
}
