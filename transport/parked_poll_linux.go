package transport

import (
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"parley/channel"
	"parley/internal/loop"
)

// parkedPoll is the connection of a client that polls, without a goroutine: while a poll waits, and when it is answered, until the next request comes.
// If that is the same again it is served here (see habit); any other goes back to net/http, with the connection.
type parkedPoll struct {
	line
	t     *Transport
	loop  *gathering
	habit *habit // nil if the request is not known

	// What each request and each answer need stands together, as most of it is not in the processor's cache when they come.
	reader    *channel.Reader // until the request is answered, or a moment longer
	woken     atomic.Bool     // there may be something to answer with
	inquiry   inquiry[channel.Delivery]
	pending   bool          // the request is to be answered
	holds     bool          // it waits, by its habit
	listening bool          // it is woken
	more      bool          // there was more than the last answer had
	unread    bool          // the next request has come
	last      bool          // the connection carries no other request
	gatherBy  time.Duration // until when more is waited for; 0: there is nothing yet
	answerBy  time.Duration // when it is answered in any case
	idleBy    time.Duration // it is answered: so long the next request is waited for
	lingerBy  time.Duration // until when the reader lives beyond its request
	brought   brought       // by the last answer
	head      string        // headers of the answer
	q         query
	listed    []string // of If-None-Match
	leave     func()   // if it waits otherwise

	manners
	begun    bool
	plain    bool   // the reader sees everything as it is
	peerDone bool   // nothing comes after the next request
	ahead    []byte // what net/http has read of it
	front    *front
	nc       *homing       // nil once it has settled
	settleAt time.Duration // when it settles
}

// idleTimeout is how long a connection is kept for the next request.
const idleTimeout = 2 * time.Minute

// lingering is how long a reader lives beyond its request. Its person is present for as much longer, beside the seconds of grace.
const lingering = time.Second

// onlyPolls notes a poll, and reports whether it is likely that its connection is used for nothing else: then it is better taken at once.
func (t *Transport) onlyPolls(r *http.Request) bool {
	home := takes(r)
	return home != nil && r.Method == http.MethodGet && home.polled() && t.leaving.Err() == nil
}

// parkPoll takes the poll and its connection from the request, if it can. The reader has looked already whether there is something, or not.
func (t *Transport) parkPoll(w http.ResponseWriter, r *http.Request, q *query, found rights, reader *channel.Reader, looked bool, leave func()) bool {
	home := takes(r)
	if home == nil {
		return false
	}
	l := t.loops.Pick()
	if l == nil {
		return false
	}
	p := &parkedPoll{
		line: line{patience: t.o.WriteTimeout}, manners: home.manners, t: t, loop: t.gatheringOf(l), plain: found.lenses == nil, front: home.front, nc: home, last: r.Close,
		pending: true, reader: reader, q: *q, leave: leave, head: t.head(w.Header()), answerBy: l.Time() + q.wait,
	}
	if listed := r.Header["If-None-Match"]; listed != nil {
		p.listed = append([]string(nil), listed...)
	}
	nc, ahead, ok := seize(w)
	if !ok {
		return false
	}
	p.ahead = ahead
	if p.habit = t.habitOf(r, home, q, found); p.habit != nil {
		p.q.starts = slices.Clone(q.starts)
		for i, s := range p.habit.query.starts {
			p.q.starts[i].name = s.name // the same, but it does not hold this request's text
		}
	}
	home.stale()
	if fd := loop.Descriptor(home.TCPConn); fd >= 0 && nc == net.Conn(home) {
		p.Init(l, p, fd)
		if t.enterLine(p) {
			if looked {
				p.listen()
			}
			p.Schedule()
			return true
		}
	}
	nc.Close()
	p.release()
	return true
}

// listen makes the reader wake the poll.
func (p *parkedPoll) listen() {
	if !p.listening {
		p.listening = true
		p.reader.OnWake(p.wake)
	}
}

// release ends what a request holds.
func (p *parkedPoll) release() {
	p.closeReader()
	p.leaveNow()
}

func (p *parkedPoll) closeReader() {
	if p.reader != nil {
		p.reader.Close()
		p.reader, p.listening, p.lingerBy = nil, false, 0
	}
}

// leaveNow ends the counting of who waits.
func (p *parkedPoll) leaveNow() {
	if p.leave != nil {
		p.leave()
		p.leave = nil
	}
	if p.holds {
		p.holds = false
		p.habit.regular.Release()
		p.t.held.Done()
	}
}

// lookUp implements held.
func (p *parkedPoll) lookUp() { p.Schedule() }

func (p *parkedPoll) wake() {
	p.woken.Store(true)
	p.Schedule()
}

// Attend is called when there may be something to answer with.
func (p *parkedPoll) Attend() {
	defer p.t.survive(p.shut)
	switch {
	case p.closed:
		return
	case p.t.cut.Err() != nil:
		p.shut()
		return
	case !p.begun:
		p.begin()
	}
	switch leaving := p.t.leaving.Err() != nil; {
	case p.closed: // Begin told of its end
	case !p.pending:
		if leaving && p.idleBy != 0 {
			p.shut()
		}
	case !p.inquiry.asking.Load() && p.inquiry.found != nil:
		p.answerWith(p.inquiry.found.value, p.inquiry.found.err)
	case leaving:
		p.answer()
	case p.woken.Load() && p.gatherBy == 0:
		p.gather()
	}
}

func (p *parkedPoll) begin() {
	p.begun = true
	if p.habit != nil {
		p.detach() // it is not likely to go back soon
	} else {
		p.settleAt = p.Loop().Now() + p.t.settleAfter
	}
	p.RemindBy(earliest(p.answerBy, p.settleAt))
	switch {
	case p.Begin() != nil:
		p.shut()
	case !p.listening:
		p.answer()
	}
}

// gather waits a moment longer, as messages seldom come alone.
func (p *parkedPoll) gather() {
	if p.t.o.Gather <= 0 || !p.q.waits {
		p.answer()
		return
	}
	p.gatherBy = p.loop.add(p)
}

// gathered is called when that is over.
func (p *parkedPoll) gathered() {
	defer p.t.survive(p.shut)
	if !p.closed && p.pending && p.passed(p.gatherBy) {
		p.answer()
	}
}

// goHome gives the connection back to net/http, with what was read of the next request.
func (p *parkedPoll) goHome(read string) {
	p.closed = true
	p.closeReader()
	p.Leave()
	p.t.leaveLine(p)
	if p.nc == nil {
		file := os.NewFile(uintptr(p.FD()), "")
		defer file.Close()
		nc, err := net.FileConn(file)
		if err != nil {
			return
		}
		p.nc = &homing{TCPConn: nc.(*net.TCPConn), front: p.front}
	}
	p.nc.manners = manners{misses: min(p.misses, 254) + 1, learning: p.habit == nil}
	p.front.giveBack(p.nc, read)
}

// settle takes the connection from package net.
func (p *parkedPoll) settle() {
	p.settleAt = 0
	p.Leave()
	p.detach()
	if p.Begin() != nil {
		p.shut()
	}
}

func (p *parkedPoll) detach() {
	if fd, ok := loop.Detach(p.nc); ok { // else no descriptor is left
		p.nc = nil
		p.Move(fd)
	}
}

// Happened is called when the client has left, or sends its next request, or takes more.
func (p *parkedPoll) Happened(e loop.Events) {
	defer p.t.survive(p.shut)
	if e.PeerDone() {
		if e.PeerGone() || !p.hasMore() {
			p.shut()
			return
		}
		p.peerDone = true
	}
	if e.Writable() && p.rest != nil {
		if !p.drain() {
			p.shut()
			return
		}
		p.written()
	}
	if e.Readable() && !p.closed {
		if p.unread = true; p.idleBy != 0 {
			p.next()
		}
	}
}

// hasMore reports whether the next request has come, although the client will send nothing more.
func (p *parkedPoll) hasMore() bool {
	if len(p.ahead) > 0 {
		return true
	}
	n, _, err := unix.Recvfrom(p.FD(), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == nil && n > 0
}

// Again is called when the next request came before this one was answered.
func (p *parkedPoll) Again() {
	defer p.t.survive(p.shut)
	if !p.closed && p.idleBy != 0 && p.unread {
		p.next()
	}
}

// Late is called when one of its times has come.
func (p *parkedPoll) Late() time.Duration {
	defer p.t.survive(p.shut)
	switch {
	case p.passed(p.writeBy()), p.passed(p.idleBy), p.passed(p.closeBy):
		p.shut()
	case p.nc != nil && p.passed(p.settleAt):
		p.settle()
	case p.pending && p.passed(p.answerBy):
		p.answer()
	case !p.pending && p.passed(p.lingerBy):
		p.release()
	}
	switch {
	case p.closed:
		return 0
	case !p.pending:
		return earliest(p.writeBy(), p.idleBy, p.closeBy, p.settleAt, p.lingerBy)
	case p.inquiry.asking.Load(): // it comes back by itself
		return 0
	}
	return earliest(p.answerBy, p.settleAt)
}

// shut is the end of the connection.
func (p *parkedPoll) shut() {
	if p.closed {
		return
	}
	p.closed, p.rest = true, nil
	p.Leave()
	if p.nc != nil {
		p.nc.Close()
	} else {
		unix.Close(p.FD())
	}
	p.release()
	p.t.leaveLine(p)
}
