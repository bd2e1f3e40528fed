package websocket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readSocket and writeSocket are for sockets that do not block. They skip what the kernel does for files in general, and, unless very much is to be
// copied, what Go's runtime does around system calls that may take long.

func readSocket(fd int, p []byte) (int, error) {
	return transfer(syscall.SYS_RECVFROM, fd, p, 0)
}

func writeSocket(fd int, p []byte) (int, error) {
	return transfer(syscall.SYS_SENDTO, fd, p, syscall.MSG_NOSIGNAL)
}

// writeSocketBoth writes head and then body. Neither may be empty.
func writeSocketBoth(fd int, head, body []byte) (int, error) {
	var parts [2]unix.Iovec
	parts[0].Base, parts[1].Base = &head[0], &body[0]
	parts[0].SetLen(len(head))
	parts[1].SetLen(len(body))
	m := unix.Msghdr{Iov: &parts[0]}
	m.SetIovlen(len(parts))
	n, _, err := syscall.Syscall(syscall.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), syscall.MSG_NOSIGNAL)
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}

func transfer(call uintptr, fd int, p []byte, flags uintptr) (int, error) {
	for {
		var n uintptr
		var err syscall.Errno
		if len(p) <= 128<<10 {
			n, _, err = syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		} else {
			n, _, err = syscall.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		}
		switch err {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, err
		}
	}
}
