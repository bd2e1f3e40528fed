package load

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"parley/bench/socket"
)

// Load is a set of connections to one server, behind one epoll.
type Load struct {
	Delivered int64 // messages that came to readers so far
	Bytes     int64 // received so far
	Late      *Latencies
	After     func() error // is called when what came has been handled; may be nil

	server netip.AddrPort
	base   time.Time
	epoll  int
	conns  []*Conn
	events []unix.EpollEvent
	buf    []byte
}

// New returns a load without connections. Close it.
func New(server netip.AddrPort) (*Load, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return &Load{server: server, base: time.Now(), epoll: fd, events: make([]unix.EpollEvent, 512), buf: make([]byte, 256<<10)}, nil
}

// Close resets all connections.
func (l *Load) Close() {
	for _, c := range l.conns {
		c.Close()
	}
	unix.Close(l.epoll)
}

// Now is the load's clock, in nanoseconds.
func (l *Load) Now() int64 { return int64(time.Since(l.base)) }

// Conn is one connection.
type Conn struct {
	load    *Load
	index   int
	fd      int
	closed  bool
	take    func(p []byte) (n int, err error) // takes the whole units at the beginning of what came
	pending []byte                            // of a unit that has begun
	rest    []byte                            // that the kernel did not take yet
	waits   bool                              // for EPOLLOUT
	paused  bool
	again   func() error // connects again where the server has closed the connection; nil: that is an error
}

// open connects.
func (l *Load) open(take func(p []byte) (int, error)) (*Conn, error) {
	fd, err := socket.Dial(l.server, len(l.conns))
	if err != nil {
		return nil, err
	}
	c := &Conn{load: l, index: len(l.conns), fd: fd, take: take}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.index)}
	if err := errors.Join(unix.SetNonblock(fd, true), unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event)); err != nil {
		unix.Close(fd)
		return nil, err
	}
	l.conns = append(l.conns, c)
	return c, nil
}

// Close resets the connection.
func (c *Conn) Close() {
	if !c.closed {
		c.closed = true
		unix.Close(c.fd)
	}
}

func (c *Conn) interest() error {
	event := unix.EpollEvent{Fd: int32(c.index)}
	if !c.paused {
		event.Events |= unix.EPOLLIN
	}
	if c.waits {
		event.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(c.load.epoll, unix.EPOLL_CTL_MOD, c.fd, &event)
}

// send sends p, which may be used again afterwards.
func (c *Conn) send(p []byte) error {
	if len(c.rest) > 0 {
		c.rest = append(c.rest, p...)
		return nil
	}
	n, err := c.write(p)
	if err != nil || n == len(p) {
		return err
	}
	c.rest, c.waits = append(c.rest, p[n:]...), true
	return c.interest()
}

func (c *Conn) write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := socket.Write(c.fd, p[n:])
		switch err {
		case nil:
			n += m
		case unix.EINTR:
		case unix.EAGAIN:
			return n, nil
		default:
			return n, fmt.Errorf("connection %d: write: %w", c.index, err)
		}
	}
	return n, nil
}

func (c *Conn) flush() error {
	n, err := c.write(c.rest)
	c.rest = c.rest[:copy(c.rest, c.rest[n:])]
	if err != nil || len(c.rest) > 0 {
		return err
	}
	c.rest, c.waits = nil, false
	return c.interest()
}

// receive reads once: epoll tells if there is more.
func (c *Conn) receive() error {
	n, err := socket.Read(c.fd, c.load.buf)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case n == 0 || err == unix.ECONNRESET:
		if c.again == nil {
			return errors.New("the server closed the connection")
		}
		c.Close()
		return c.again()
	case err != nil:
		return err
	}
	c.load.Bytes += int64(n)
	p := c.load.buf[:n]
	if len(c.pending) > 0 {
		c.pending = append(c.pending, p...)
		p = c.pending
	}
	n, err = c.take(p)
	if err != nil {
		return err
	}
	if n == len(p) {
		c.pending = nil
	} else if c.pending == nil {
		c.pending = append(c.pending, p[n:]...)
	} else {
		c.pending = c.pending[:copy(c.pending, c.pending[n:])]
	}
	return nil
}
