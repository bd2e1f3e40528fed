package websocket

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// memoryRoom is how many bytes one direction of a connection in memory holds.
const memoryRoom = 64 << 10

// memoryPipe returns the two ends of a connection in memory. Unlike net.Pipe's they take what is written before it is read, and can be
// half closed, as sockets can.
func memoryPipe() (*memoryConn, *memoryConn) {
	there, back := newMemoryFlow(), newMemoryFlow()
	end := func(in, out *memoryFlow) *memoryConn {
		return &memoryConn{in: in, out: out, readUntil: expiry{parent: context.Background()}, writeUntil: expiry{parent: context.Background()}}
	}
	return end(there, back), end(back, there)
}

type memoryConn struct {
	in, out               *memoryFlow
	readUntil, writeUntil expiry
}

// memoryFlow is one direction.
type memoryFlow struct {
	mu      sync.Mutex
	data    []byte
	ended   bool          // nothing more is written
	unread  bool          // nobody will read
	changed chan struct{} // closed at the next change
}

func newMemoryFlow() *memoryFlow { return &memoryFlow{changed: make(chan struct{})} }

// change lets f change the flow, and wakes who waits for that if f says so.
func (m *memoryFlow) change(f func() bool) (next <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f() {
		close(m.changed)
		m.changed = make(chan struct{})
	}
	return m.changed
}

func (c *memoryConn) Read(p []byte) (n int, err error) {
	for {
		ctx := c.readUntil.context()
		if ctx.Err() != nil {
			return 0, os.ErrDeadlineExceeded
		}
		changed := c.in.change(func() bool {
			n = copy(p, c.in.data)
			c.in.data = c.in.data[n:]
			switch {
			case c.in.unread:
				n, err = 0, net.ErrClosed
			case n == 0 && c.in.ended:
				err = io.EOF
			}
			return n > 0
		})
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (c *memoryConn) Write(p []byte) (written int, err error) {
	for {
		ctx := c.writeUntil.context()
		if ctx.Err() != nil {
			return written, os.ErrDeadlineExceeded
		}
		changed := c.out.change(func() bool {
			n := min(len(p), memoryRoom-len(c.out.data))
			switch {
			case c.out.ended:
				n, err = 0, net.ErrClosed
			case c.out.unread:
				n, err = 0, io.ErrClosedPipe
			}
			c.out.data = append(c.out.data, p[:n]...)
			p, written = p[n:], written+n
			return n > 0
		})
		if len(p) == 0 || err != nil {
			return written, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (c *memoryConn) Close() error {
	c.in.change(func() bool { c.in.unread, c.in.data = true, nil; return true })
	c.readUntil.stop()
	err := c.CloseWrite()
	c.writeUntil.stop()
	return err
}

// CloseWrite ends what the other side reads, and leaves what it writes.
func (c *memoryConn) CloseWrite() error {
	c.out.change(func() bool { c.out.ended = true; return true })
	return nil
}

func (c *memoryConn) SetDeadline(t time.Time) error {
	c.readUntil.set(t)
	c.writeUntil.set(t)
	return nil
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.readUntil.set(t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.writeUntil.set(t)
	return nil
}

func (c *memoryConn) LocalAddr() net.Addr  { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "pipe" }
func (memoryAddr) String() string  { return "pipe" }
