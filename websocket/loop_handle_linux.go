package websocket

import (
	"time"

	"golang.org/x/sys/unix"
)

// handle is nextData for bytes that are there: it deals with everything in them, and leaves the writing for the end of the turn.
func (s *socket) handle(p []byte) {
	c := s.conn
	c.keepalive.heardOf()
	if s.final != nil {
		return // the connection has failed; what still comes is discarded
	}
	c.out.cork()
	s.Touch()
	for c.readErr == nil {
		ev, n := c.machine.next(p)
		p = p[n:]
		switch ev.kind {
		case eventData:
			c.answerPings() // of before, so that they are not overtaken
			c.deliver(ev)
		case eventPing:
			c.answers.put(c, opPong, ev.payload)
		case eventPong:
			c.pings.Load().answered(ev.payload)
		case eventClose: // it is answered, and the server closes (section 7.1.1)
			c.readErr = &CloseError{Code: ev.end.code, Reason: ev.end.reason}
			s.final = c.readErr
			c.sendClose(ev.end.code, "")
		case eventFail:
			s.fail(ev.end.failure)
		case eventNone:
			s.boundMessage()
			return
		}
	}
}

// fail fails the connection (section 7.1.7): the peer is told why, and what it still sends is discarded until it closes, at most for
// CloseTimeout. Closing with bytes unread would make TCP reset the connection, and the peer might lose the Close frame.
func (s *socket) fail(failure *ProtocolError) {
	c := s.conn
	c.readErr, s.final, s.drain = failure, failure, true
	c.sendClose(failure.Code, failure.Text)
	s.closeBy = s.Loop().Now() + c.limits.closeTimeout + 1
	s.RemindBy(s.next())
}

// finished is called when everything is written. A connection that is at its end is closed then, or for a start the sending half of it.
func (s *socket) finished() {
	switch {
	case s.final == nil:
	case !s.drain:
		s.conn.teardown(s.final, false)
	case !s.halfShut:
		s.halfShut = true
		unix.Shutdown(s.FD(), unix.SHUT_WR)
	}
}

// lost is the end of a connection by the peer, or by an error of the socket.
func (s *socket) lost(err error) {
	if s.final != nil {
		s.conn.teardown(s.final, false)
		return
	}
	s.conn.lost(err)
}

// boundMessage is Conn.boundMessage on a loop: the clock of MessageTimeout runs while the rest of a message is waited for.
func (s *socket) boundMessage() {
	c := s.conn
	switch {
	case c.limits.messageTimeout == 0:
	case c.machine.idle():
		s.messageBy = 0
	case s.messageBy == 0 || s.pauses != c.machine.pauses:
		s.pauses = c.machine.pauses
		s.messageBy = s.Loop().Now() + c.limits.messageTimeout
		s.RemindBy(s.next())
	}
}

// Late looks which of a connection's deadlines have passed, and returns the next.
func (s *socket) Late() time.Duration {
	c, now := s.conn, s.Loop().Now()
	passed := func(t time.Duration) bool { return t != 0 && t <= now }
	switch {
	case passed(s.closeBy) && s.final != nil:
		c.teardown(s.final, true)
	case passed(s.closeBy):
		c.lost(ErrCloseTimeout)
	case passed(s.writeBy):
		c.teardown(&CloseError{Code: StatusAbnormalClosure, cause: ErrWriteTimeout}, true)
	case passed(s.messageBy) && s.final == nil:
		s.messageBy = 0
		s.fail(c.messageLate())
	}
	if passed(s.lookAt) {
		s.lookAt = 0
		if next, alive := c.keepalive.next(c); alive {
			s.lookAt = now + next
		}
	}
	if passed(s.wakeAt) {
		s.wakeAt = 0
		c.woken.Store(true)
		s.wake()
		s.Touch()
	}
	if c.ended() != nil {
		return 0
	}
	return s.next()
}
