package websocket

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/loop"
)

// front is a listening socket on a loop.
type front struct {
	loop.Source
	server *Server
	pages  *pages
	of     *net.TCPListener
	local  netip.AddrPort
	begun  bool
	later  bool // none waits any more who came before the front
	err    error
	done   chan struct{}
}

const (
	// acceptMost is how many connections are accepted in one turn, so that those that are open do not wait long.
	acceptMost = 64

	// acceptPause is how long no connection is accepted after one could not be, for want of descriptors for example, and how often it is
	// looked whether the listener is still open.
	acceptPause = time.Second
)

// listenOnLoop serves a listener on a loop; ok is false if there is none.
func (s *Server) listenOnLoop(ln *net.TCPListener, p *pages) (err error, ok bool) {
	l := s.set().Pick()
	if l == nil {
		return nil, false
	}
	rc, err := ln.SyscallConn()
	if err != nil {
		return err, true
	}
	var fd int
	cerr := rc.Control(func(of uintptr) {
		fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
		if err == nil {
			// Go's net package sets it on every connection; who connects from now on has it from the listener.
			err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		}
	})
	if cerr != nil || err != nil {
		return nil, false // net/http will see what is wrong
	}
	f := &front{server: s, pages: p, of: ln, local: ln.Addr().(*net.TCPAddr).AddrPort(), done: make(chan struct{})}
	f.Init(l, f, fd)
	if !s.await(f) {
		closeSocket(fd)
		return ErrServerClosed, true
	}
	f.Schedule()
	<-f.done
	return f.err, true
}

func (f *front) Happened(loop.Events) { f.accept() }
func (f *front) Again()               { f.accept() }
func (f *front) Flush()               {}

// Late tries again what may have failed, and looks whether somebody has closed the listener.
func (f *front) Late() time.Duration {
	rc, err := f.of.SyscallConn()
	if err == nil {
		err = rc.Control(func(uintptr) {})
	}
	if err != nil {
		f.end(err)
		return 0
	}
	f.accept()
	return f.Loop().Now() + acceptPause
}

// Attend begins, and ends when the server leaves.
func (f *front) Attend() {
	switch {
	case f.err != nil:
	case f.server.isLeaving():
		f.end(ErrServerClosed)
	case !f.begun:
		f.begun = true
		if err := f.Begin(); err != nil {
			f.end(err)
			return
		}
		f.Remind(f.Loop().Now() + acceptPause)
	}
}

func (f *front) end(err error) {
	f.err = err
	f.End()
	closeSocket(f.FD())
	f.server.forget(f)
	close(f.done)
}

// accept takes the connections that wait.
func (f *front) accept() {
	if f.err != nil {
		return
	}
	for range acceptMost {
		fd, from, err := acceptSocket(f.FD())
		switch err {
		case nil:
			if !f.later {
				unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
			}
			f.arrived(fd, from)
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN:
			f.later = true
			return
		default: // there is no room; Late tries again
			return
		}
	}
	f.LookAgain()
}

// arrived gives a new connection to a loop.
func (f *front) arrived(fd int, from netip.AddrPort) {
	l := f.server.set().Pick()
	if l == nil {
		closeSocket(fd)
		return
	}
	a := arrival{front: f, ends: endpoints{remote: from, local: &f.local}}
	if f.local.Addr().IsUnspecified() {
		local, err := localAddress(fd)
		if err != nil {
			closeSocket(fd)
			return
		}
		a.ends.local = &local
	}
	if l != f.Loop() {
		o := &opening{arrival: a}
		o.Init(l, o, fd)
		o.Schedule()
		return
	}
	n, err := readSocket(fd, l.In())
	switch {
	case n > 0:
		a.shake(l, fd, l.In()[:n], nil)
	case err == unix.EAGAIN:
		o := &opening{arrival: a}
		o.Init(l, o, fd)
		o.Attend()
	default:
		closeSocket(fd)
	}
}

// arrival is a new connection, before its handshake.
type arrival struct {
	front *front
	ends  endpoints
}

// shake answers the request that p begins with, and makes a WebSocket of the connection; or leaves it to net/http. o is the source that the
// socket has already, if any.
func (a *arrival) shake(l *loop.Loop, fd int, p []byte, o *opening) {
	s := a.front.server
	requests := s.requests.Get().(*requestReader)
	defer s.requests.Put(requests)
	r, n := requests.read(p)
	if r == nil || len(p) == len(l.In()) {
		a.leaveToPages(fd, p, nil, o)
		return
	}
	var answer http.Header
	if requests.whole {
		r.RemoteAddr = a.ends.remote.String()
		answer = make(http.Header)
	}
	agreed, refusal := s.judge(r, answer)
	if refusal != nil {
		a.leaveToPages(fd, p, refusal, o)
		return
	}
	response := appendResponse(l.Out()[:0], r.Header["Sec-Websocket-Key"][0], &agreed, answer)
	sent, err := writeSocket(fd, response)
	if err != nil && err != unix.EAGAIN {
		a.drop(fd, o)
		return
	}
	c := newConn(nil, nil, false, &agreed, s.shared(), s)
	c.in.keep(p[n:])
	if rest := response[max(0, sent):]; len(rest) > 0 {
		c.out.open().copyIn(rest) // not counted: it is no message that SendLimit is for
	}
	if s.enterFrom(c, l, fd, a.ends) != nil {
		a.drop(fd, o)
		return
	}
	peerDone := o != nil && o.peerDone // which will not be told again
	if o != nil {
		o.forgotten()
	}
	if c.sock != nil {
		c.sock.halfClosed = peerDone
		c.sock.Attend()
		if peerDone {
			c.sock.LookAgain()
		}
		return
	}
	polled := c.nc.(*polled)
	polled.peerDone, polled.in.ready = peerDone, peerDone
	polled.Attend()
	go s.serve(c)
}

// drop ends a connection that has come to nothing.
func (a *arrival) drop(fd int, o *opening) {
	if o != nil {
		o.close()
		return
	}
	closeSocket(fd)
}

// enterFrom is enter for a connection that came to a loop.
func (s *Server) enterFrom(c *Conn, l *loop.Loop, fd int, ends endpoints) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return ErrServerClosed
	}
	s.add(c)
	if !s.Goroutines && s.Run == nil {
		s.onLoop(c, l, fd, ends)
		return nil
	}
	c.nc = s.newPolled(l, fd, ends)
	c.block()
	return nil
}

// leaveToPages gives the connection to net/http, with what was read of it.
func (a *arrival) leaveToPages(fd int, p []byte, refusal *HandshakeError, o *opening) {
	if o != nil {
		o.Leave()
		o.forgotten()
	}
	file := os.NewFile(uintptr(fd), "")
	nc, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return // it is closed
	}
	tcp := nc.(*net.TCPConn)
	a.front.pages.handed.give(&resumed{TCPConn: tcp, head: append([]byte(nil), p...), refusal: refusal})
}

// opening is a connection whose request is waited for.
type opening struct {
	loop.Source
	arrival
	begun    bool
	over     bool
	peerDone bool // the peer has closed its side already
}

// Attend begins to wait, and ends when the server leaves.
func (o *opening) Attend() {
	s := o.front.server
	switch {
	case o.over:
	case !o.begun:
		o.begun = true
		if !s.await(o) {
			closeSocket(o.FD())
			o.over = true
			return
		}
		if o.Begin() != nil {
			o.close()
			return
		}
		if t := durationOr(s.HandshakeTimeout, DefaultHandshakeTimeout); t > 0 {
			o.Remind(o.Loop().Now() + t)
		}
	case s.isLeaving():
		o.close()
	}
}

func (o *opening) Happened(e loop.Events) {
	o.peerDone = o.peerDone || e.PeerDone()
	if e.Readable() {
		o.Again()
	}
}

// Again reads once: a request comes in one piece, nearly always.
func (o *opening) Again() {
	l := o.Loop()
	n, err := readSocket(o.FD(), l.In())
	switch {
	case n > 0:
		o.shake(l, o.FD(), l.In()[:n], o)
	case err == unix.EAGAIN:
	default:
		o.close()
	}
}

func (o *opening) Flush() {}

// Late is called after HandshakeTimeout.
func (o *opening) Late() time.Duration {
	o.close()
	return 0
}

func (o *opening) close() {
	o.End()
	closeSocket(o.FD())
	o.forgotten()
}

// forgotten is the end of the opening; the connection may go on.
func (o *opening) forgotten() {
	if !o.over {
		o.over = true
		o.front.server.forget(o)
	}
}
