package loop

import (
	"syscall"
	"unsafe"
)

// Receive and Send are read and write for the source's socket, which does not block. They skip what the kernel does for files in general, and
// what Go's runtime does around system calls that may take long.

func (s *Source) Receive(p []byte) (int, error) { return s.transfer(syscall.SYS_RECVFROM, p, 0) }

// Send takes at most WriteSize bytes.
func (s *Source) Send(p []byte) (int, error) {
	return s.transfer(syscall.SYS_SENDTO, p[:min(len(p), WriteSize)], syscall.MSG_NOSIGNAL)
}

func (s *Source) transfer(call uintptr, p []byte, flags uintptr) (int, error) {
	for {
		n, _, err := syscall.RawSyscall6(call, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		switch err {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, err
		}
	}
}
