package load

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// silence is how long a server may say nothing while something is awaited, before the measurement fails.
const silence = 30 * time.Second

var errSilent = errors.New("the server has been silent for 30 s though something is awaited")

// Until handles what comes until done says so.
func (l *Load) Until(done func() bool) error {
	for !done() {
		n, err := l.Poll(int(silence / time.Millisecond))
		if err != nil {
			return err
		}
		if n == 0 {
			return errSilent
		}
	}
	return nil
}

// For handles what comes for a while, whether or not anything does.
func (l *Load) For(d time.Duration) error {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		if _, err := l.Poll(int(left/time.Millisecond) + 1); err != nil {
			return err
		}
	}
}

// Poll waits for events, at most so many milliseconds, and handles them.
func (l *Load) Poll(timeout int) (events int, err error) {
	n, err := unix.EpollWait(l.epoll, l.events, timeout)
	if err == unix.EINTR {
		return 1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("epoll_wait: %w", err)
	}
	for _, e := range l.events[:n] {
		c := l.conns[e.Fd]
		if c.closed {
			continue
		}
		if c.paused { // the server has reset the connection
			c.Close()
			continue
		}
		if e.Events&unix.EPOLLOUT != 0 {
			if err := c.flush(); err != nil {
				return n, err
			}
		}
		if e.Events&^unix.EPOLLOUT != 0 {
			if err := c.receive(); err != nil {
				return n, fmt.Errorf("connection %d: %w", c.index, err)
			}
		}
	}
	if l.After != nil {
		return n, l.After()
	}
	return n, nil
}

// wave is how many connections are being opened at once.
const wave = 32

// Each calls begin for 0 to n-1, some at a time; ready says whether so many of them, all that have begun, are there.
func (l *Load) Each(n int, begin func(i int) error, ready func() int) error {
	for begun := 0; begun < n; {
		for range min(wave, n-begun) {
			if err := begin(begun); err != nil {
				return err
			}
			begun++
		}
		if err := l.Until(func() bool { return ready() >= begun-wave/2 || ready() == begun }); err != nil {
			return fmt.Errorf("%d of %d are there: %w", ready(), n, err)
		}
	}
	return l.Until(func() bool { return ready() == n })
}
