package loop

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Receive reads from the source's socket: see ReadSocket.
func (s *Source) Receive(p []byte) (int, error) { return ReadSocket(s.FD(), p) }

// Send writes at most WriteSize bytes to it: see WriteSocket.
func (s *Source) Send(p []byte) (int, error) { return WriteSocket(s.FD(), p[:min(len(p), WriteSize)]) }

// ReadSocket and WriteSocket are for sockets that do not block. They skip what the kernel does for files in general, and, unless very much is to be
// copied, what Go's runtime does around system calls that may take long.

func ReadSocket(fd int, p []byte) (int, error) {
	return transfer(unix.SYS_RECVFROM, fd, p, 0)
}

func WriteSocket(fd int, p []byte) (int, error) {
	return transfer(unix.SYS_SENDTO, fd, p, unix.MSG_NOSIGNAL)
}

func transfer(call uintptr, fd int, p []byte, flags uintptr) (int, error) {
	for {
		var n uintptr
		var err syscall.Errno
		if len(p) <= ReadSize {
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
