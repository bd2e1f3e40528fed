package websocket

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hand is the end of every way to write but Write and Send: p, whole frames or a part of one, goes behind the output.
func (c *Conn) hand(p []byte) error {
	o := &c.out
	o.mu.Lock()
	if why := c.ended(); why != nil {
		o.mu.Unlock()
		return closedBecause(why)
	}
	if o.waiting == nil {
		o.waiting = pieceLists.Get().(*pieces)
	}
	o.some.Store(true)
	o.waiting.copyIn(p)
	o.size += int64(len(p))
	must := o.mustFlush()
	o.mu.Unlock()
	if must {
		c.flush()
	}
	return nil
}

// lend remembers a big message while its handler runs; nil afterwards.
func (s *socket) lend(data []byte) {
	o := &s.conn.out
	o.mu.Lock()
	s.lent = unsafe.SliceData(data)
	o.mu.Unlock()
}

// writeLent is copyMessage for the big message that a handler was given, or its beginning, when it is sent back: what the kernel takes at once is not
// copied. It may be written here, as whoever has the message is in its handler, for which the loop waits. It returns false if it cannot be done. The
// output must be locked.
func (s *socket) writeLent(t MessageType, p []byte) bool {
	c := s.conn
	o := &c.out
	if s.lent == nil || s.lent != unsafe.SliceData(p) || len(p) < largeBuffer || o.streaming || o.waiting != nil || o.size > 0 ||
		s.backlog != nil || s.blocked || c.ended() != nil || c.mayCompress(len(p)) {
		return false
	}
	var room [maxHeader]byte
	head := appendHeader(room[:0], header{fin: true, opcode: opcode(t), length: int64(len(p))})
	n, err := writeSocketBoth(s.FD(), head, p)
	if err != nil {
		n = 0 // Flush will see why
	}
	if n < len(head)+len(p) {
		list := o.open()
		list.copyIn(head[min(n, len(head)):])
		list.copyIn(p[max(0, n-len(head)):])
		o.size += int64(len(head) + len(p) - n)
	}
	return true
}

// Flush writes what waits, as far as the peer takes it, and closes what is at its end.
func (s *socket) Flush() {
	c := s.conn
	if s.closed {
		return
	}
	if c.ended() == nil {
		c.answerPings()
		s.writeOutput()
	}
	if c.ended() != nil {
		s.shut()
	}
}

func (s *socket) writeOutput() {
	c := s.conn
	if s.blocked {
		c.out.uncork()
		return // until epoll tells that there is room
	}
	for first := true; ; first = false {
		if s.backlog == nil {
			if !first && !c.out.some.Load() {
				break
			}
			if s.backlog = c.out.takeUncorked(); s.backlog == nil {
				break
			}
		}
		p := s.backlog.join(s.Loop().Out())
		n, err := writeSocket(s.FD(), p)
		if err != nil && err != unix.EAGAIN {
			c.teardown(&CloseError{Code: StatusAbnormalClosure, cause: os.NewSyscallError("write", err)}, true)
			return
		}
		n = max(n, 0)
		if s.backlog.advance(n) {
			s.backlog.giveBack()
			s.backlog = nil
		}
		c.sent(int64(n))
		s.progress += n
		if n < len(p) {
			s.block()
			return
		}
		if s.progress >= largeBuffer {
			s.writeBy, s.progress = 0, 0
		}
	}
	s.writeBy, s.progress = 0, 0
	if s.unread {
		s.LookAgain()
	}
	s.finished()
}

// block waits until the peer takes more, at most for WriteTimeout; it has so long for every 64 KiB, as in the blocking form.
func (s *socket) block() {
	c := s.conn
	s.blocked = true
	if !s.paused {
		c.keepalive.waited(false)
	}
	if c.limits.writeTimeout > 0 && (s.writeBy == 0 || s.progress >= largeBuffer) {
		s.progress = 0
		s.writeBy = s.Loop().Now() + c.limits.writeTimeout
		s.RemindBy(s.next())
	}
}

// takeUncorked is take, after handlers have run.
func (o *output) takeUncorked() *pieces {
	o.mu.Lock()
	p := o.taken()
	o.corked = false
	o.mu.Unlock()
	return p
}
