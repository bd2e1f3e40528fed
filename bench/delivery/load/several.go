package load

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Toward makes the connections that are opened from now on go to another server: one load for several nodes.
func (l *Load) Toward(server netip.AddrPort) { l.server = server }

// Wait waits for events, at most so long, and handles them. It is finer than Poll, whose time is in milliseconds.
func (l *Load) Wait(d time.Duration) error {
	timeout := unix.NsecToTimespec(max(int64(d), 0))
	if _, err := unix.Ppoll([]unix.PollFd{{Fd: int32(l.epoll), Events: unix.POLLIN}}, &timeout, nil); err != nil && err != unix.EINTR {
		return fmt.Errorf("ppoll: %w", err)
	}
	_, err := l.Poll(0)
	return err
}
