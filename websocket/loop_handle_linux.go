package websocket

import (
	"time"

	"golang.org/x/sys/unix"
)

// handle is nextData for bytes that are there: it deals with everything in them, and leaves the writing for the end of the turn.
func (l *loop) handle(c *Conn, p []byte) {
	s := c.sock
	c.keepalive.heardOf()
	if s.final != nil {
		return // the connection has failed; what still comes is discarded
	}
	c.out.cork()
	l.touched = append(l.touched, c)
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
			c.pings.answered(ev.payload)
		case eventClose: // it is answered, and the server closes (section 7.1.1)
			c.readErr = &CloseError{Code: ev.code, Reason: ev.reason}
			s.final = c.readErr
			c.sendClose(ev.code, "")
		case eventFail:
			l.fail(c, ev.failure)
		case eventNone:
			l.boundMessage(c)
			return
		}
	}
}

// fail fails the connection (section 7.1.7): the peer is told why, and what it still sends is discarded until it closes, at most for
// CloseTimeout. Closing with bytes unread would make TCP reset the connection, and the peer might lose the Close frame.
func (l *loop) fail(c *Conn, failure *ProtocolError) {
	s := c.sock
	c.readErr, s.final, s.drain = failure, failure, true
	c.sendClose(failure.Code, failure.Text)
	s.closeBy = l.now + c.limits.closeTimeout + 1
	l.remind(c)
}

// finished is called when everything is written. A connection that is at its end is closed then, or for a start the sending half of it.
func (l *loop) finished(c *Conn) {
	s := c.sock
	switch {
	case s.final == nil:
	case !s.drain:
		c.teardown(s.final, false)
	case !s.halfShut:
		s.halfShut = true
		unix.Shutdown(s.fd, unix.SHUT_WR)
	}
}

// lost is the end of a connection by the peer, or by an error of the socket.
func (l *loop) lost(c *Conn, err error) {
	if final := c.sock.final; final != nil {
		c.teardown(final, false)
		return
	}
	c.lost(err)
}

// boundMessage is Conn.boundMessage for a loop: the clock of MessageTimeout runs while the rest of a message is waited for.
func (l *loop) boundMessage(c *Conn) {
	s := c.sock
	switch {
	case c.limits.messageTimeout == 0:
	case c.machine.idle():
		s.messageBy = 0
	case s.messageBy == 0 || s.pauses != c.machine.pauses:
		s.pauses = c.machine.pauses
		s.messageBy = l.now + c.limits.messageTimeout
		l.remind(c)
	}
}

// expire deals with the connections whose time has come.
func (l *loop) expire() {
	for {
		c := l.timers.due(l.now)
		if c == nil {
			return
		}
		l.late(c)
		if c.ended() == nil {
			l.timers.set(c, c.sock.next())
		}
	}
}

// late looks which of a connection's deadlines have passed.
func (l *loop) late(c *Conn) {
	s := c.sock
	passed := func(t time.Duration) bool { return t != 0 && t <= l.now }
	switch {
	case passed(s.closeBy) && s.final != nil:
		c.teardown(s.final, true)
	case passed(s.closeBy):
		c.lost(ErrCloseTimeout)
	case passed(s.writeBy):
		c.teardown(&CloseError{Code: StatusAbnormalClosure, cause: ErrWriteTimeout}, true)
	case passed(s.messageBy) && s.final == nil:
		s.messageBy = 0
		l.fail(c, c.messageLate())
	}
	if passed(s.lookAt) {
		s.lookAt = 0
		if next, alive := c.keepalive.next(c); alive {
			s.lookAt = l.now + next
		}
	}
}

// remind makes late be called when the next of a connection's deadlines passes.
func (l *loop) remind(c *Conn) {
	if when := c.sock.next(); when != 0 && (c.sock.timer == 0 || when < l.timers.when(c)) {
		l.timers.set(c, when)
	}
}
