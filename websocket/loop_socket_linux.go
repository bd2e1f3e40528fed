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
	conn *Conn
	ends endpoints

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
	lent     *byte   // where a big message begins while its handler runs; guarded by the connection's output

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

func (s *socket) RemoteAddr() net.Addr { return s.ends.RemoteAddr() }
func (s *socket) LocalAddr() net.Addr  { return s.ends.LocalAddr() }

// endpoints are a connection's addresses.
type endpoints struct {
	remote netip.AddrPort
	local  *netip.AddrPort // often shared: that of the listener
}

func (e *endpoints) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(e.remote) }
func (e *endpoints) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(*e.local) }

// adopt gives a connection to a loop if it is plain TCP. Schedule must follow.
func (s *Server) adopt(c *Conn) bool {
	l, fd, ends, ok := s.detach(c.nc)
	if ok {
		s.onLoop(c, l, fd, ends)
		c.nc = nil
	}
	return ok
}

func (s *Server) onLoop(c *Conn, l *loop.Loop, fd int, ends endpoints) {
	c.sock = &socket{conn: c, ends: ends}
	c.sock.Init(l, c.sock, fd)
	c.reading.try() // for good: Read returns ErrConcurrentRead
}

// detach takes a socket of package net for a loop. The loop gets a duplicate of the descriptor and the original is closed, which frees what
// the package holds for it.
func (s *Server) detach(nc net.Conn) (l *loop.Loop, fd int, ends endpoints, ok bool) {
	if l = s.set().PickFor(nc); l == nil {
		return
	}
	remote, local := nc.RemoteAddr(), nc.LocalAddr()
	if fd, ok = loop.Detach(nc); ok {
		at := local.(*net.TCPAddr).AddrPort()
		ends = endpoints{remote.(*net.TCPAddr).AddrPort(), &at}
	}
	return
}
