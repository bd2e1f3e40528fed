package websocket

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// socket is what a loop knows of a connection. Only the loop's goroutine uses it, but for the addresses.
type socket struct {
	fd            int
	remote, local netip.AddrPort

	open       bool // OnOpen was called
	closed     bool // OnClose was called
	blocked    bool // the peer takes no more for now
	unread     bool // there may be something to read once it does
	queued     bool // in the loop's list to be read again
	halfClosed bool // the peer will send nothing more: reads go on to the end
	drain      bool // final is a failure: what comes is discarded
	halfShut   bool // our sending half is closed

	final    error   // the connection ends so once everything is written
	backlog  *pieces // taken from the output, being written
	progress int     // bytes written since writeBy was set

	// Deadlines, since the loop's epoch; 0 for none.
	messageBy, writeBy, closeBy, lookAt time.Duration
	pauses                              uint32 // the machine's when messageBy was set
	timer                               int32  // place in the loop's timers, from 1; 0 for none
}

// next returns the earliest of the deadlines.
func (s *socket) next() (first time.Duration) {
	for _, t := range [...]time.Duration{s.messageBy, s.writeBy, s.closeBy, s.lookAt} {
		if t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

func (s *socket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }
func (s *socket) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(s.local) }

// loops are those of a Server: one for each processor, begun with the first connection.
type loops []*loop

// adopt gives a connection to a loop if it is plain TCP. The loop takes a duplicate of the descriptor and the original is closed, which
// frees what Go's net package holds for it. The Server must be locked; schedule must follow.
func (ls *loops) adopt(c *Conn) bool {
	nc, ok := c.nc.(*net.TCPConn)
	if !ok || !ls.start() {
		return false
	}
	rc, err := nc.SyscallConn()
	if err != nil {
		return false
	}
	s := &socket{}
	if rc.Control(func(fd uintptr) { s.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }) != nil || err != nil {
		return false // the goroutine that serves it instead will see what is wrong
	}
	s.remote, s.local = nc.RemoteAddr().(*net.TCPAddr).AddrPort(), nc.LocalAddr().(*net.TCPAddr).AddrPort()
	nc.Close()
	c.nc, c.sock = nil, s
	c.loop = (*ls)[rand.IntN(len(*ls))]
	c.reading.try() // for good: Read returns ErrConcurrentRead
	return true
}

// start begins the loops, if they are not running.
func (ls *loops) start() bool {
	if *ls != nil {
		return true
	}
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop()
		if err != nil {
			break
		}
		*ls = append(*ls, l)
	}
	return *ls != nil
}

// stop ends them.
func (ls loops) stop() {
	for _, l := range ls {
		l.stop()
	}
}
