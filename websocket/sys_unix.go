//go:build unix && !linux

package websocket

import "syscall"

func readSocket(fd int, p []byte) (int, error)  { return ignoringEINTR(syscall.Read, fd, p) }
func writeSocket(fd int, p []byte) (int, error) { return ignoringEINTR(syscall.Write, fd, p) }

func ignoringEINTR(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := call(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
