package socket

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// perSource is how many connections share a source address: a server's address has some 28,000 ports for each.
const perSource = 5000

// Dial opens connection number i to a server on this machine: from one of several loopback addresses, blocking, with reads that
// fail after 10 s. Closing it resets it: no port waits in TIME_WAIT after a round.
func Dial(server netip.AddrPort, i int) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if err := connect(fd, server, i); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func connect(fd int, server netip.AddrPort, i int) error {
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return err
	}
	for _, opt := range [][3]int{{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1}, {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1}} {
		if err := unix.SetsockoptInt(fd, opt[0], opt[1], opt[2]); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10}); err != nil {
		return err
	}
	source := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i/perSource%200)}}
	if err := unix.Bind(fd, &source); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: server.Addr().As4(), Port: int(server.Port())}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}
