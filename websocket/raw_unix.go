//go:build unix

package websocket

import (
	"io"
	"net"
	"os"
	"syscall"
)

// rawSocket reads and writes a socket by its own system calls, between which the runtime's poller waits: so that a
// buffer is taken only when there are bytes to put in it, and a write that the kernel takes at once needs no deadline.
//
// Nothing may be closed from within the callbacks (it would wait for them).
type rawSocket struct {
	rc syscall.RawConn

	readWant int
	readTo   []byte // in place of a borrowed buffer
	readBuf  *buffer
	readN    int
	readErr  error
	readFn   func(fd uintptr) bool

	writeBuf []byte
	writeN   int
	writeErr error
	writeFn  func(fd uintptr) bool
}

// newRawSocket returns nil for connections that are not plain sockets. Types that embed one may do something of
// their own in Read and Write, so only these themselves count.
func newRawSocket(nc net.Conn) rawIO {
	var sc syscall.Conn
	switch t := nc.(type) {
	case rawIO:
		return t // a socket of a loop
	case *net.TCPConn:
		sc = t
	case *net.UnixConn:
		sc = t
	default:
		return nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	s := &rawSocket{rc: rc}
	s.readFn, s.writeFn = s.readOnce, s.writeOnce
	return s
}

// read waits for bytes and returns them in a borrowed buffer for about want bytes; with an error there is none.
func (s *rawSocket) read(want int) (*buffer, int, error) {
	s.readWant, s.readBuf, s.readN, s.readErr = want, nil, 0, nil
	err := s.rc.Read(s.readFn)
	if err == nil {
		err = s.readErr
	}
	b := s.readBuf
	s.readBuf = nil
	if err != nil && b != nil {
		b.giveBack()
		b = nil
	}
	return b, s.readN, err
}

// await does nothing: Go's poller waits between the system calls of one read.
func (s *rawSocket) await() {}

func (s *rawSocket) readInto(p []byte) (int, error) {
	s.readTo = p
	_, n, err := s.read(0)
	s.readTo = nil
	return n, err
}

func (s *rawSocket) readOnce(fd uintptr) bool {
	to, b := s.readTo, (*buffer)(nil)
	if to == nil {
		b = borrow(s.readWant)
		to = b.data
	}
	n, err := readSocket(int(fd), to)
	if err == nil && n > 0 {
		s.readBuf, s.readN = b, n
		return true
	}
	if b != nil {
		b.giveBack()
	}
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil:
		s.readErr = os.NewSyscallError("read", err)
	default:
		s.readErr = io.EOF
	}
	return true
}

// writeNow writes what the kernel takes without waiting.
func (s *rawSocket) writeNow(p []byte) (int, error) {
	s.writeBuf, s.writeN, s.writeErr = p, 0, nil
	err := s.rc.Write(s.writeFn)
	if err == nil {
		err = s.writeErr
	}
	s.writeBuf = nil
	return s.writeN, err
}

func (s *rawSocket) writeOnce(fd uintptr) bool {
	n, err := writeSocket(int(fd), s.writeBuf)
	switch {
	case err == nil:
		s.writeN = n
	case err != syscall.EAGAIN:
		s.writeErr = os.NewSyscallError("write", err)
	}
	return true
}
