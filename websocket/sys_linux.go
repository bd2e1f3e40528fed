package websocket

import (
	"syscall"
	"unsafe"
)

// readSocket and writeSocket are for sockets that do not block. They skip what the kernel does for files in general, and, unless very much is to be
// copied, what Go's runtime does around system calls that may take long.

func readSocket(fd int, p []byte) (int, error) {
	return transfer(syscall.SYS_RECVFROM, fd, p, 0)
}

func writeSocket(fd int, p []byte) (int, error) {
	return transfer(syscall.SYS_SENDTO, fd, p, syscall.MSG_NOSIGNAL)
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
