package websocket

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/loop"
)

// Happened takes an event of the socket.
func (s *socket) Happened(events loop.Events) {
	if events.Writable() && s.blocked {
		s.blocked = false
		if !s.paused {
			s.conn.keepalive.waiting()
		}
		s.Flush()
	}
	if events.Readable() {
		if events.PeerDone() {
			s.halfClosed = true
		}
		s.Again()
	}
}

// Again reads once, and handles what came. A peer that does not take what is written is not read either, nor is one while the application is not
// done with what it sent.
func (s *socket) Again() {
	c := s.conn
	switch {
	case s.closed:
		return
	case (s.blocked || s.paused) && s.final == nil:
		s.unread = true
		return
	}
	s.unread = false
	in := s.Loop().In()
	if room := c.roomToRead(); len(room) >= smallBuffer {
		in = room
	}
	n, err := readSocket(s.FD(), in)
	switch {
	case err == unix.EAGAIN:
		return
	case err != nil:
		s.lost(os.NewSyscallError("read", err))
		return
	case n == 0:
		s.lost(io.EOF)
		return
	}
	if n == len(in) || s.halfClosed {
		s.LookAgain() // there may be more
	}
	s.handle(in[:n])
}

// Attend looks at a connection that was scheduled.
func (s *socket) Attend() {
	c := s.conn
	if s.closed {
		return
	}
	if !s.open {
		s.begin()
	}
	if c.closing.Load() && s.closeBy == 0 {
		s.closeBy = s.Loop().Now() + c.limits.closeTimeout + 1
		s.RemindBy(s.next())
	}
	s.wake()
	s.Flush()
}

// wake calls OnWake, if it is to be.
func (s *socket) wake() {
	c := s.conn
	if !c.woken.Load() || c.ended() != nil {
		return
	}
	c.woken.Store(false)
	if h := c.server.Handler.OnWake; h != nil {
		c.out.cork()
		h(c)
	}
}

// wakeAfter is Conn.WakeAfter.
func (s *socket) wakeAfter(d time.Duration) {
	s.wakeAt = s.Loop().Time() + d
	s.RemindBy(s.next())
}

// pause and resume are Conn's.
func (s *socket) pause() {
	if !s.paused && !s.blocked {
		s.conn.keepalive.waited(false)
	}
	s.paused = true
}

func (s *socket) resume() {
	if s.paused && !s.blocked {
		s.conn.keepalive.waiting()
		if s.unread {
			s.LookAgain()
		}
	}
	s.paused = false
}

// begin is the beginning of a connection.
func (s *socket) begin() {
	c := s.conn
	s.open = true
	c.keepalive.waiting()
	c.out.cork()
	if open := c.server.Handler.OnOpen; open != nil {
		open(c)
	}
	if c.limits.pingInterval > 0 {
		s.lookAt = s.Loop().Now() + c.limits.pingInterval
		s.RemindBy(s.next())
	}
	if p := c.in.unread; len(p) > 0 { // it came behind the handshake
		s.handle(p)
	}
	c.in.release()
	if err := s.Begin(); err != nil {
		s.lost(err)
	}
}

// shut is the end of a connection, after teardown.
func (s *socket) shut() {
	c := s.conn
	s.closed = true
	s.End()
	if s.backlog != nil {
		s.backlog.giveBack()
		s.backlog = nil
	}
	closeSocket(s.FD())
	err := c.readErr
	if err == nil {
		err = c.why
	}
	c.dropAssembly()
	c.server.ended(c, err)
}
