package websocket

import (
	"os"

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
	for {
		if s.backlog == nil {
			if s.backlog = c.out.takeUncorked(); s.backlog == nil {
				break
			}
		}
		p := s.backlog.join(s.Loop().Out())
		n, err := ignoringEINTR(unix.Write, s.FD(), p)
		if err != nil && err != unix.EAGAIN {
			c.teardown(&CloseError{Code: StatusAbnormalClosure, cause: os.NewSyscallError("write", err)}, true)
			return
		}
		n = max(n, 0)
		if s.backlog.advance(n) {
			s.backlog.giveBack()
			s.backlog = nil
		}
		c.out.sent(int64(n))
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
	c.keepalive.waited(false)
	if c.limits.writeTimeout > 0 && (s.writeBy == 0 || s.progress >= largeBuffer) {
		s.progress = 0
		s.writeBy = s.Loop().Now() + c.limits.writeTimeout
		s.RemindBy(s.next())
	}
}

// takeUncorked is take, after handlers have run.
func (o *output) takeUncorked() *pieces {
	o.mu.Lock()
	o.corked = false
	o.mu.Unlock()
	return o.take()
}

// join returns as much from the beginning of the list as one write should have: a big piece itself, or several copied into buf.
func (p *pieces) join(buf []byte) []byte {
	if len(p.list) == 1 || len(p.list[0].data) >= len(buf) {
		return p.list[0].data
	}
	n := 0
	for _, piece := range p.list {
		if n+len(piece.data) > len(buf) {
			break
		}
		n += copy(buf[n:], piece.data)
	}
	return buf[:n]
}

// advance drops the first n bytes, and reports whether nothing is left.
func (p *pieces) advance(n int) bool {
	for i := range p.list {
		if n < len(p.list[i].data) {
			p.list[i].data = p.list[i].data[n:]
			copy(p.list, p.list[i:])
			clear(p.list[len(p.list)-i:])
			p.list = p.list[:len(p.list)-i]
			return false
		}
		n -= len(p.list[i].data)
		if p.list[i].own != nil {
			p.list[i].own.giveBack()
			p.list[i].own = nil
		}
	}
	clear(p.list)
	p.list = p.list[:0]
	return true
}
