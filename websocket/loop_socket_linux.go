package websocket

import (
	"net"
	"net/netip"
	"time"

	"parley/internal/loop"
)

// socket is what a connection has with a loop in place of a goroutine: only the loop uses it, but for Schedule and the addresses.
type socket struct {
	loop.Source
	conn          *Conn
	remote, local netip.AddrPort

	open       bool // OnOpen was called
	closed     bool // OnClose was called
	blocked    bool // the peer takes no more for now
	paused     bool // by the application
	unread     bool // there may be something to read once neither is so
	halfClosed bool // the peer will send nothing more: reads go on to the end
	drain      bool // final is a failure: what comes is discarded
	halfShut   bool // our sending half is closed

	final    error   // the connection ends so once everything is written
	backlog  *pieces // taken from the output, being written
	progress int     // bytes written since writeBy was set

	// Deadlines, by the loop's clock; 0 for none.
	messageBy, writeBy, closeBy, lookAt, wakeAt time.Duration
	pauses                                      uint32 // the machine's when messageBy was set
}

// next returns the earliest of the deadlines.
func (s *socket) next() (first time.Duration) {
	for _, t := range [...]time.Duration{s.messageBy, s.writeBy, s.closeBy, s.lookAt, s.wakeAt} {
		if t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

func (s *socket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }
func (s *socket) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(s.local) }

// adopt gives a connection to a loop if it is plain TCP. The loop takes a duplicate of the descriptor and the original is closed, which
// frees what Go's net package holds for it. Schedule must follow.
func (s *Server) adopt(c *Conn) bool {
	l := s.set().Pick()
	if l == nil {
		return false
	}
	remote, local := c.nc.RemoteAddr(), c.nc.LocalAddr()
	fd, ok := loop.Detach(c.nc)
	if !ok {
		return false
	}
	c.sock = &socket{conn: c, remote: remote.(*net.TCPAddr).AddrPort(), local: local.(*net.TCPAddr).AddrPort()}
	c.sock.Init(l, c.sock, fd)
	c.nc = nil
	c.reading.try() // for good: Read returns ErrConcurrentRead
	return true
}
