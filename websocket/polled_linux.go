package websocket

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/loop"
)

// polled is a socket of a loop that goroutines read and write: the loop only tells them when to. It is a net.Conn that takes a third of the memory
// of package net's; and as a loop is also told when the peer is done, it need not read again after a short read only to find nothing.
type polled struct {
	loop.Source
	server *Server
	ends   endpoints

	mu       sync.Mutex
	in, out  side
	conn     *Conn         // to be looked after
	lookIn   time.Duration // when, for Attend to tell the loop
	begun    bool          // the loop waits for the socket
	peerDone bool          // reads go on to the end
	closed   bool          // Close was called
	gone     bool          // the descriptor is closed
	busy     int8          // system calls under way
}

// side is one direction. One goroutine at a time may use it.
type side struct {
	ready    bool // a system call may be worth it
	awaited  bool // somebody waits on wake
	late     bool // the deadline has passed
	wake     chan struct{}
	deadline *sideDeadline // made by the first
}

type sideDeadline struct {
	timer *time.Timer
	until time.Time // zero for none
}

// poll makes the connection's socket a polled one, if it is plain TCP. The Server must be locked.
func (s *Server) poll(c *Conn) {
	if l, fd, ends, ok := s.detach(c.nc); ok {
		p := s.newPolled(l, fd, ends)
		c.nc = p
		p.Schedule()
	}
}

// newPolled makes the socket one of the loop. Begin, or Schedule, must follow.
func (s *Server) newPolled(l *loop.Loop, fd int, ends endpoints) *polled {
	p := &polled{server: s, ends: ends}
	p.out.ready = true
	p.Init(l, p, fd)
	s.sockets.Add(1)
	return p
}

// Attend begins what the loop does for the socket, or ends it.
func (p *polled) Attend() {
	p.mu.Lock()
	begin := !p.begun && !p.closed
	end := p.closed && p.busy == 0 && !p.gone
	look := p.lookIn
	p.begun, p.gone, p.lookIn = true, p.gone || end, 0
	p.mu.Unlock()
	if look > 0 && !end {
		p.Remind(p.Loop().Now() + look)
	}
	switch {
	case end:
		p.End()
		closeSocket(p.FD())
		p.server.sockets.Done()
	case begin:
		if p.Begin() != nil {
			p.Close() // its users are told that it is
		}
	}
}

// Happened wakes who waits for it.
func (p *polled) Happened(events loop.Events) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if events.PeerDone() {
		p.peerDone = true
	}
	if events.Readable() {
		p.in.ready = true
		p.in.rouse()
	}
	if events.Writable() {
		p.out.ready = true
		p.out.rouse()
	}
}

func (p *polled) Again() {}
func (p *polled) Flush() {}

// keepalive has the loop look after the connection in place of a timer of its own, which would take more memory.
func (p *polled) keepalive(c *Conn) {
	p.mu.Lock()
	p.conn, p.lookIn = c, c.limits.pingInterval
	attended := p.begun
	p.mu.Unlock()
	if attended { // the loop was quicker, and does not know when to look
		p.Schedule()
	}
}

// Late is called when it is time to see whether the peer is there. That may wait for it, so it is not for the loop to do.
func (p *polled) Late() time.Duration {
	go p.look()
	return 0
}

func (p *polled) look() {
	k := &p.conn.keepalive
	k.mu.Lock()
	next, alive := k.next(p.conn)
	k.mu.Unlock()
	if !alive {
		return
	}
	p.mu.Lock()
	p.lookIn = next
	over := p.closed
	p.mu.Unlock()
	if !over {
		p.Schedule()
	}
}

// rouse wakes who waits, for whatever reason. mu must be held.
func (s *side) rouse() {
	if s.awaited {
		s.awaited = false
		s.wake <- struct{}{}
	}
}

// enter waits until a system call is worth it, which leave must follow; if wait is false, it is at once.
func (p *polled) enter(s *side, wait bool) error {
	p.mu.Lock()
	for {
		switch {
		case p.closed:
			p.mu.Unlock()
			return net.ErrClosed
		case s.late && wait:
			p.mu.Unlock()
			return os.ErrDeadlineExceeded
		case s.ready || !wait:
			p.busy++
			s.ready = false // what comes from now on sets it
			p.mu.Unlock()
			return nil
		}
		p.wait(s)
	}
}

// wait waits for rouse. mu must be held; it is let go meanwhile.
func (p *polled) wait(s *side) {
	if s.wake == nil {
		s.wake = make(chan struct{}, 1)
	}
	s.awaited = true
	p.mu.Unlock()
	<-s.wake
	p.mu.Lock()
}

// await waits until enter would not.
func (p *polled) await() {
	p.mu.Lock()
	for !p.in.ready && !p.in.late && !p.closed {
		p.wait(&p.in)
	}
	p.mu.Unlock()
}

// leave is told whether another system call may be worth it already.
func (p *polled) leave(s *side, ready bool) {
	p.mu.Lock()
	p.busy--
	s.ready = s.ready || ready || p.peerDone
	last := p.closed && p.busy == 0
	p.mu.Unlock()
	if last {
		p.Schedule()
	}
}

func (p *polled) read(want int) (*buffer, int, error) {
	for {
		if err := p.enter(&p.in, true); err != nil {
			return nil, 0, err
		}
		b := borrow(want)
		n, err := p.readNow(b.data)
		if n > 0 {
			return b, n, nil
		}
		b.giveBack()
		if err != nil {
			return nil, 0, err
		}
	}
}

// readNow reads once; without an error and without a byte there is nothing yet.
func (p *polled) readNow(b []byte) (n int, err error) {
	n, err = readSocket(p.FD(), b)
	p.leave(&p.in, err != unix.EAGAIN && (n == len(b) || n == 0)) // to the end, and beyond
	switch {
	case err == unix.EAGAIN:
		return 0, nil
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (p *polled) readInto(b []byte) (int, error) { return p.Read(b) }

func (p *polled) Read(b []byte) (n int, err error) {
	for n == 0 && err == nil && len(b) > 0 {
		if err = p.enter(&p.in, true); err == nil {
			n, err = p.readNow(b)
		}
	}
	return n, err
}

func (p *polled) writeNow(b []byte) (int, error) {
	if err := p.enter(&p.out, false); err != nil {
		return 0, err
	}
	return p.writeOnce(b)
}

func (p *polled) writeOnce(b []byte) (int, error) {
	n, err := writeSocket(p.FD(), b)
	p.leave(&p.out, n == len(b))
	switch {
	case err == unix.EAGAIN:
		return 0, nil
	case err != nil:
		return 0, os.NewSyscallError("write", err)
	}
	return n, nil
}

func (p *polled) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if err = p.enter(&p.out, true); err == nil {
			var m int
			m, err = p.writeOnce(b[n:])
			n += m
		}
	}
	return n, err
}

// Close leaves the descriptor to the loop.
func (p *polled) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return net.ErrClosed
	}
	p.closed = true
	for _, s := range [...]*side{&p.in, &p.out} {
		s.stop()
		s.rouse()
	}
	p.mu.Unlock()
	p.Schedule()
	return nil
}

// CloseWrite ends what the peer reads.
func (p *polled) CloseWrite() error {
	if err := p.enter(&p.out, false); err != nil {
		return err
	}
	err := unix.Shutdown(p.FD(), unix.SHUT_WR)
	p.leave(&p.out, true)
	return err
}

func (p *polled) LocalAddr() net.Addr  { return p.ends.LocalAddr() }
func (p *polled) RemoteAddr() net.Addr { return p.ends.RemoteAddr() }

func (p *polled) SetDeadline(t time.Time) error {
	p.SetReadDeadline(t)
	return p.SetWriteDeadline(t)
}

func (p *polled) SetReadDeadline(t time.Time) error  { return p.setDeadline(&p.in, t) }
func (p *polled) SetWriteDeadline(t time.Time) error { return p.setDeadline(&p.out, t) }

func (p *polled) setDeadline(s *side, t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.stop()
	s.late = false
	wait := time.Until(t)
	switch {
	case p.closed:
		return net.ErrClosed
	case t.IsZero():
	case wait <= 0:
		s.late = true
		s.rouse()
	case s.deadline == nil:
		s.deadline = &sideDeadline{until: t}
		s.deadline.timer = time.AfterFunc(wait, func() { p.expire(s) })
	default:
		s.deadline.until = t
		s.deadline.timer.Reset(wait)
	}
	return nil
}

// stop takes the deadline back. mu must be held.
func (s *side) stop() {
	if s.deadline != nil {
		s.deadline.until = time.Time{}
		s.deadline.timer.Stop()
	}
}

func (p *polled) expire(s *side) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := s.deadline.until; !until.IsZero() && !time.Now().Before(until) {
		s.late = true
		s.rouse()
	}
}
