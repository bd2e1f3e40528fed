package transport

import (
	"parley/websocket"
)

// work begins the worker, unless it works already or never will again. mu must be held.
func (s *session) work() {
	if !s.working && !s.ended {
		s.working = true
		go s.run()
	}
}

// run is the worker: it carries out commands and asks the database, until there is nothing more to do. When the session is over it says why,
// after all that was received is carried out: whoever sent it and left expects it to be done.
func (s *session) run() {
	defer s.t.survive(func() { s.conn.CloseNow(); s.last() })
	for {
		switch task, data := s.next(); task {
		case taskCommand:
			s.command(s.t.cut, data)
			if s.badInRow >= maxBadCommands {
				s.finish(websocket.StatusPolicyViolation, "too many bad commands; see docs/protocol.md")
			}
		case taskAsk:
			if s.conn.Buffered() > 0 {
				s.conn.WakeDrained()
				continue
			}
			events, more, err := s.ask(s.t.cut)
			if err != nil {
				s.fail(err)
				continue
			}
			s.say(events, more, s.t.now())
		case taskEnd:
			s.last()
			return
		case taskNone:
			s.conn.Wake() // for what came meanwhile
			return
		}
	}
}

// task is what the worker has to do.
type task int

const (
	taskNone task = iota // for now
	taskCommand
	taskAsk
	taskEnd
)

func (s *session) next() (task, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.asking && !s.over: // first: there may always be more commands
		s.asking = false
		return taskAsk, nil
	case len(s.queue) > 0 && s.publishing.isFull():
		s.working = false // until there is room; deliveries go on
		return taskNone, nil
	case len(s.queue) > 0:
		data := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		before := s.waiting
		s.waiting -= len(data)
		if s.paused && before > maxWaiting/2 && s.waiting <= maxWaiting/2 {
			s.conn.Wake() // to be read again
		}
		return taskCommand, data
	case s.over:
		return taskEnd, nil
	}
	s.queue, s.working = nil, false
	return taskNone, nil
}

// goOn is called when there is room for publishes again.
func (s *session) goOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		s.work()
	}
}

// finish begins the end. The first reason counts. A client that breaks the rules is not carried out what it has sent.
func (s *session) finish(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code == 0 {
		s.code, s.reason = code, reason
	}
	if code == websocket.StatusPolicyViolation || code == websocket.StatusUnsupportedData {
		s.queue, s.waiting = nil, 0
	}
	if s.over = true; s.paused && s.waiting == 0 {
		s.conn.Wake() // to be read again: the other side's goodbye comes too
	}
	s.work()
}

// last says goodbye, and lets go of what the session holds once the connection has ended too.
func (s *session) last() {
	s.publishing.workers.Wait()
	s.mu.Lock()
	gone, code, reason := s.gone, s.code, s.reason
	s.mu.Unlock()
	if !gone {
		if code == websocket.StatusGoingAway {
			_ = s.write([]event{byeEvent(s.t.comeBack())})
		}
		if s.t.cut.Err() == nil {
			_ = s.conn.Close(code, reason)
		} else {
			s.conn.CloseNow()
		}
	}
	s.mu.Lock()
	s.working, s.ended = false, true
	gone = s.gone
	s.mu.Unlock()
	if gone {
		s.release()
	}
}

// end is the last of the handlers: the connection has ended.
func (s *session) end() {
	s.Close() // nobody is there any more
	s.mu.Lock()
	s.gone, s.over = true, true
	if s.code == 0 {
		s.code = websocket.StatusNormalClosure
	}
	ended := s.ended
	s.work() // carries out what was received
	s.mu.Unlock()
	if ended {
		s.release()
	}
}

// isGone reports whether the connection has ended.
func (s *session) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

func (s *session) release() {
	s.t.drop(s)
	s.leave()
}

// lookUp is told when the server leaves, and when what is left is cut off.
func (s *session) lookUp() {
	if s.t.cut.Err() != nil {
		s.conn.CloseNow()
		return
	}
	s.finish(websocket.StatusGoingAway, "the server is leaving")
}
