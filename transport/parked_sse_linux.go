package transport

import (
	"net/http"
	"time"

	"golang.org/x/sys/unix"

	"parley/channel"
	"parley/internal/loop"
)

// parkedSSE is an SSE stream without a goroutine. The answer has no length and is not in chunks: it ends with the connection, which is what
// the end of a stream is anyway.
type parkedSSE struct {
	line
	stream
	encoder
	leave func()

	begun   bool
	inquiry inquiry[[]event]
	beatAt  time.Duration // when a heartbeat may be due
	ending  bool          // nothing more is said
}

// parkSSE takes the stream from the request, with what it begins with, if it can.
func (t *Transport) parkSSE(w http.ResponseWriter, r *http.Request, s *stream, e *encoder, leave func()) bool {
	if takes(r) == nil {
		return false
	}
	l := t.loops.Pick()
	if l == nil {
		return false
	}
	head := "HTTP/1.1 200 OK\r\n" + t.head(w.Header()) + "Connection: close\r\n"
	nc, _, ok := seize(w)
	if !ok {
		return false
	}
	p := &parkedSSE{line: line{patience: t.o.WriteTimeout}, stream: *s, encoder: encoder{many: e.many, seen: e.seen}, leave: leave}
	begin := append(append(t.appendDate([]byte(head)), "\r\n"...), e.buf...)
	_ = nc.SetWriteDeadline(time.Now().Add(t.o.WriteTimeout))
	_, err := nc.Write(begin)
	fd, ok := loop.Detach(nc)
	if err != nil || !ok {
		if ok {
			unix.Close(fd)
		}
		nc.Close()
		s.Close()
		leave()
		return true
	}
	p.Init(l, p, fd)
	if !t.enterLine(p) {
		unix.Close(fd)
		s.Close()
		leave()
		return true
	}
	p.OnWake(p.Schedule)
	p.Schedule()
	return true
}

// lookUp implements held.
func (p *parkedSSE) lookUp() { p.Schedule() }

// Attend is called when there may be something to say.
func (p *parkedSSE) Attend() {
	defer p.t.survive(p.shut)
	switch {
	case p.closed:
		return
	case p.t.cut.Err() != nil:
		p.shut()
		return
	case !p.begun:
		p.begun = true
		if p.Begin() != nil {
			p.shut()
			return
		}
	}
	if p.rest == nil && !p.ending {
		p.attend()
	}
}

func (p *parkedSSE) attend() {
	if p.inquiry.asking.Load() {
		return
	}
	now := p.t.now()
	var events []event
	var more bool
	var err error
	switch {
	case p.t.leaving.Err() != nil:
		err = channel.ErrClosed
	case p.inquiry.found != nil:
		events, err = p.inquiry.found.value, p.inquiry.found.err
		p.inquiry.found, more = nil, true // whoever woke it meanwhile was not listened to
	default:
		room := p.t.rooms.Get().(*room)
		defer p.t.rooms.Put(room)
		var ok bool
		if events, more, ok, err = p.look(room); !ok && err == nil {
			p.inquiry.ask(p.t, &p.line, &p.t.held, func() ([]event, error) {
				events, _, err := p.ask(p.t.cut)
				return events, err
			})
			return
		}
	}
	if err == nil && len(events) == 0 && now >= p.spoke+p.t.o.Heartbeat {
		events = append(events, heartbeatEvent(time.Now()))
	}
	p.say(events, err, now)
	if p.closed || p.ending {
		return
	}
	if more {
		p.Schedule()
	}
	if p.passed(p.beatAt) || p.beatAt == 0 {
		p.beatAt = p.Loop().Time() + p.spoke + p.t.o.Heartbeat - now
		p.RemindBy(p.beatAt)
	}
}

// say writes events, and what the end demands.
func (p *parkedSSE) say(events []event, failed error, now time.Duration) {
	p.ending = failed != nil || p.Len() == 0 // every channel has ended; who connects again is told why
	if len(events) == 0 && !p.ending {
		return
	}
	buffer := p.t.encodedBatches.Get().(*[]byte)
	defer p.t.encodedBatches.Put(buffer)
	p.buf = (*buffer)[:0]
	for _, e := range events {
		p.add(e)
	}
	if failed != nil {
		p.bye(p.t.comeBack())
		if p.t.leaving.Err() == nil {
			p.t.logFailure(failed, "over", "SSE")
		}
	}
	*buffer, p.buf = p.buf, nil
	p.spoke = now
	if !p.write(*buffer) {
		p.shut()
		return
	}
	p.written()
}

// written goes on when nothing waits to be written.
func (p *parkedSSE) written() {
	if p.rest == nil && p.ending && p.closeBy == 0 {
		p.finish()
	}
}

// Happened is called when the client has left, or takes more.
func (p *parkedSSE) Happened(e loop.Events) {
	defer p.t.survive(p.shut)
	if e.PeerDone() {
		p.shut()
		return
	}
	if e.Writable() && p.rest != nil {
		if !p.drain() {
			p.shut()
			return
		}
		if p.written(); p.rest == nil && !p.ending {
			p.attend()
		}
	}
}

// Late is called when one of its times has come.
func (p *parkedSSE) Late() time.Duration {
	defer p.t.survive(p.shut)
	switch {
	case p.passed(p.writeBy()), p.passed(p.closeBy):
		p.shut() // it will come back to its position
	case p.rest == nil && !p.ending:
		p.attend()
	}
	if p.closed {
		return 0
	}
	if p.passed(p.beatAt) { // attend sets it anew, once it may speak
		return earliest(p.writeBy(), p.closeBy)
	}
	return earliest(p.writeBy(), p.beatAt, p.closeBy)
}

// shut is the end.
func (p *parkedSSE) shut() {
	if p.closed {
		return
	}
	p.closed, p.rest = true, nil
	p.End()
	unix.Close(p.FD())
	p.Close()
	p.t.leaveLine(p)
	p.leave()
}
