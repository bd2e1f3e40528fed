package websocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// NetConn makes a stream of bytes of the connection, for protocols that are made for TCP. Every Write is one message of the type, so one
// must not be longer than the peer's ReadLimit; a Read takes what there is of the messages that come, whatever their borders.
//
// A peer that closes with 1000 or 1001 is the end of the stream: io.EOF. A message of another type closes the connection with 1003. Close says 1000,
// and waits as [Conn.Close] does. What fails because this side has closed matches net.ErrClosed, other errors are those of Conn. When ctx ends,
// the connection is closed.
//
// Deadlines work as net.Conn has them, and harm nothing: a message whose Write is late is sent on, before any other, for as long as
// WriteTimeout allows; its Write returns its length beside os.ErrDeadlineExceeded. Only a deadline that is set while a Write waits closes
// the connection, since half a message cannot be taken back. Any goroutine may call any method. The Conn itself must not be read any more.
func NetConn(ctx context.Context, c *Conn, t MessageType) net.Conn {
	n := &netConn{c: c, kind: t, ctx: ctx, writing: newLock(), readUntil: expiry{parent: ctx}, writeUntil: expiry{parent: ctx}}
	n.release = context.AfterFunc(ctx, func() { c.CloseNow() })
	return n
}

type netConn struct {
	c       *Conn
	kind    MessageType
	ctx     context.Context
	release func() bool // of the context
	closed  atomic.Bool

	reading   sync.Mutex // held by the Read that is going on
	message   *messageReader
	readUntil expiry

	writing    lock // held while a message is under way
	writeUntil expiry
}

func (n *netConn) Read(p []byte) (int, error) {
	n.reading.Lock()
	defer n.reading.Unlock()
	ctx := n.readUntil.context()
	if err := ctx.Err(); err != nil || len(p) == 0 {
		return 0, n.translate(ctx, err)
	}
	for {
		if n.message == nil {
			kind, r, err := n.c.Reader(ctx)
			if err != nil {
				return 0, n.translate(ctx, err)
			}
			if kind != n.kind {
				n.c.Close(StatusUnsupportedData, fmt.Sprintf("only %v messages are expected here", n.kind))
				return 0, n.translate(ctx, ErrClosed.saying("the connection was closed, as a %v message came", kind))
			}
			n.message = r.(*messageReader)
		}
		n.message.resume(ctx)
		got, err := n.message.Read(p)
		if err == io.EOF {
			n.message, err = nil, nil
		}
		if got > 0 || err != nil {
			return got, n.translate(ctx, err)
		}
	}
}

// resume goes on with a stream whose last Read was cancelled.
func (r *messageReader) resume(ctx context.Context) {
	if r.ctx != ctx && r.err != nil && r.ctx.Err() != nil && r.c.readErr == nil {
		r.err = nil
	}
	r.ctx = ctx
}

func (n *netConn) Write(p []byte) (int, error) {
	ctx := n.writeUntil.context()
	if err := ctx.Err(); err != nil {
		return 0, n.translate(ctx, err)
	}
	if err := n.writing.lock(ctx, n.c); err != nil {
		return 0, n.translate(ctx, err)
	}
	if !n.writeUntil.isSet() {
		defer n.writing.unlock()
		if err := n.c.Write(ctx, n.kind, p); err != nil {
			return 0, n.translate(ctx, err)
		}
		return len(p), nil
	}
	late := make(chan error, 1)
	message := bytes.Clone(p) // the caller has p back when its time is over
	go func() {
		defer n.writing.unlock()
		late <- n.c.Write(n.ctx, n.kind, message)
	}()
	select {
	case err := <-late:
		if err != nil {
			return 0, n.translate(ctx, err)
		}
		return len(p), nil
	case <-ctx.Done():
		return len(p), n.translate(ctx, ctx.Err())
	}
}

// translate makes an error what callers of a net.Conn look for.
func (n *netConn) translate(ctx context.Context, err error) error {
	switch status := CloseStatus(err); {
	case err == nil:
		return nil
	case expired(ctx) && errors.Is(err, context.Canceled):
		return os.ErrDeadlineExceeded
	case errors.Is(err, ErrClosed) || n.closed.Load():
		return fmt.Errorf("%w: %w", net.ErrClosed, err)
	case status == StatusNormalClosure || status == StatusGoingAway:
		return io.EOF
	}
	return err
}

func (n *netConn) Close() error {
	n.closed.Store(true)
	n.release()
	err := n.c.Close(StatusNormalClosure, "")
	n.readUntil.stop()
	n.writeUntil.stop()
	if n.writing.lock(context.Background(), nil) == nil { // no message is under way any more
		n.writing.unlock()
	}
	return err
}

func (n *netConn) LocalAddr() net.Addr  { return n.c.LocalAddr() }
func (n *netConn) RemoteAddr() net.Addr { return n.c.RemoteAddr() }

func (n *netConn) SetDeadline(t time.Time) error {
	n.readUntil.set(t)
	n.writeUntil.set(t)
	return nil
}

func (n *netConn) SetReadDeadline(t time.Time) error {
	n.readUntil.set(t)
	return nil
}

func (n *netConn) SetWriteDeadline(t time.Time) error {
	n.writeUntil.set(t)
	return nil
}
