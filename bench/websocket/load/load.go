package load

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"parley/bench/socket"
)

// Load is a set of connections behind one epoll. One goroutine uses it.
type Load struct {
	Messages int64 // received so far
	Bytes    int64 // received so far, frames and all

	epoll  int
	conns  []*Conn
	events []unix.EpollEvent
	buf    []byte
}

// New returns a load without connections. Close it.
func New() (*Load, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return &Load{epoll: fd, events: make([]unix.EpollEvent, 256), buf: make([]byte, 256<<10)}, nil
}

// Close resets all connections.
func (l *Load) Close() {
	for _, c := range l.conns {
		unix.Close(c.fd)
	}
	unix.Close(l.epoll)
}

// wave is how many handshakes are under way at once.
const wave = 32

// Open adds n connections to the server.
func (l *Load) Open(server netip.AddrPort, path, offer string, n int) ([]*Conn, error) {
	first := len(l.conns)
	for len(l.conns) < first+n {
		var under []*opening
		for range min(wave, first+n-len(l.conns)) {
			o, err := begin(server, path, offer, len(l.conns)+len(under))
			if err != nil {
				abandon(under)
				return nil, err
			}
			under = append(under, o)
		}
		for i, o := range under {
			c, err := o.finish()
			if err != nil {
				abandon(under[i+1:])
				return nil, err
			}
			c.index = len(l.conns)
			l.conns = append(l.conns, c)
			event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.index)}
			if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, c.fd, &event); err != nil {
				return nil, err
			}
		}
	}
	return l.conns[first:], nil
}

func abandon(under []*opening) {
	for _, o := range under {
		unix.Close(o.fd)
	}
}

// silence is how long a server may say nothing while messages are awaited, before the run fails.
const silence = 30 * time.Second

var errSilent = errors.New("the server has been silent for 30 s though messages are awaited")

// run handles what comes until done says so; on is told of messages that came on a connection.
func (l *Load) run(done func() bool, on func(c *Conn, messages int) error) error {
	for !done() {
		n, err := l.poll(int(silence/time.Millisecond), on)
		if err != nil {
			return err
		}
		if n == 0 {
			return errSilent
		}
	}
	return nil
}

// poll waits for events, at most so many milliseconds, and handles them.
func (l *Load) poll(timeout int, on func(c *Conn, messages int) error) (events int, err error) {
	n, err := unix.EpollWait(l.epoll, l.events, timeout)
	if err == unix.EINTR {
		return 1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("epoll_wait: %w", err)
	}
	for _, e := range l.events[:n] {
		c := l.conns[e.Fd]
		if e.Events&unix.EPOLLOUT != 0 {
			if err := l.flush(c); err != nil {
				return n, err
			}
		}
		if e.Events&^unix.EPOLLOUT != 0 {
			messages, err := l.receive(c)
			if err != nil {
				return n, fmt.Errorf("connection %d: %w", c.index, err)
			}
			if messages > 0 {
				if err := on(c, messages); err != nil {
					return n, err
				}
			}
		}
	}
	return n, nil
}

// receive reads once: epoll tells if there is more.
func (l *Load) receive(c *Conn) (int, error) {
	n, err := socket.Read(c.fd, l.buf)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errors.New("the server closed the connection without a Close frame")
	}
	messages, err := c.feed(l.buf[:n])
	l.Messages += int64(messages)
	l.Bytes += int64(n)
	return messages, err
}

// send sends the next n messages of the connection's tape.
func (l *Load) send(c *Conn, n int) error {
	c.due += n
	if len(c.rest) > 0 {
		return nil
	}
	return l.flush(c)
}

// flush writes until nothing is due or the kernel takes no more; epoll then tells when it does.
func (l *Load) flush(c *Conn) error {
	waited := len(c.rest) > 0
	for {
		if len(c.rest) == 0 {
			if c.due == 0 {
				break
			}
			k := min(c.due, c.tape.burst)
			c.rest, c.pos = c.tape.next(c.pos, k)
			c.due -= k
		}
		n, err := socket.Write(c.fd, c.rest)
		if err == unix.EINTR {
			continue
		}
		if err != nil && err != unix.EAGAIN {
			return fmt.Errorf("connection %d: write: %w", c.index, err)
		}
		if c.rest = c.rest[max(n, 0):]; err == unix.EAGAIN {
			break
		}
	}
	waits := len(c.rest) > 0
	if waits == waited {
		return nil
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.index)}
	if waits {
		event.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.fd, &event)
}
