package websocket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"parley/internal/loop"
)

func readSocket(fd int, p []byte) (int, error)  { return loop.ReadSocket(fd, p) }
func writeSocket(fd int, p []byte) (int, error) { return loop.WriteSocket(fd, p) }

// writeSocketBoth writes head and then body. Neither may be empty.
func writeSocketBoth(fd int, head, body []byte) (int, error) {
	var parts [2]unix.Iovec
	parts[0].Base, parts[1].Base = &head[0], &body[0]
	parts[0].SetLen(len(head))
	parts[1].SetLen(len(body))
	m := unix.Msghdr{Iov: &parts[0]}
	m.SetIovlen(len(parts))
	n, _, err := syscall.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), unix.MSG_NOSIGNAL)
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}
