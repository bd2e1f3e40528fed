package transport

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"parley/channel"
	"parley/internal/loop"
	"parley/problem"
)

// parkedPoll is a waiting poll without a goroutine. When it is answered its connection waits on, and goes back to net/http once the next
// request comes.
type parkedPoll struct {
	line
	t      *Transport
	reader *channel.Reader // until it is answered
	q      query
	listed []string // of If-None-Match
	head   string   // headers of the answer
	front  *front
	nc     *homing // nil once the poll has settled
	ahead  []byte  // what was read of the next request
	last   bool    // the connection carries no other request
	leave  func()

	begun    bool
	woken    atomic.Bool // there may be something to answer with
	asking   atomic.Bool // a goroutine asks the database; then asked is its
	asked    *taken
	unread   bool          // the next request has come
	settleAt time.Duration // when it settles
	gatherBy time.Duration // until when more is waited for; 0: there is nothing yet
	answerBy time.Duration // when it is answered in any case
	idleBy   time.Duration // it is answered: so long the next request is waited for
	closeBy  time.Duration // our half is closed; the peer has so long to do the same
}

// taken is what was found in the database.
type taken struct {
	channel.Delivery
	err error
}

// idleTimeout is how long a connection is kept for the next request.
const idleTimeout = 2 * time.Minute

// parkPoll takes the poll from the request, if it can.
func (t *Transport) parkPoll(w http.ResponseWriter, r *http.Request, q query, reader *channel.Reader, leave func()) bool {
	home := takes(r)
	if home == nil {
		return false
	}
	l := t.loops.Pick()
	if l == nil {
		return false
	}
	p := &parkedPoll{
		line: line{patience: t.o.WriteTimeout}, t: t, reader: reader, q: q, leave: leave, front: home.front, nc: home, last: r.Close, head: t.head(w.Header()),
		answerBy: l.Time() + q.wait,
	}
	if listed := r.Header["If-None-Match"]; listed != nil {
		p.listed = append([]string(nil), listed...)
	}
	nc, ahead, ok := seize(w)
	if !ok {
		return false
	}
	p.ahead = ahead
	if fd := loop.Descriptor(home.TCPConn); fd >= 0 && nc == net.Conn(home) {
		p.Init(l, p, fd)
		if t.enterLine(p) {
			reader.OnWake(p.wake)
			p.Schedule()
			return true
		}
	}
	nc.Close()
	reader.Close()
	leave()
	return true
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
		p.begun = true
		p.settleAt = p.Loop().Now() + p.t.settleAfter
		p.RemindBy(earliest(p.answerBy, p.settleAt))
		if p.Begin() != nil {
			p.shut()
			return
		}
	}
	switch leaving := p.t.leaving.Err() != nil; {
	case p.closed: // Begin told of its end
	case p.reader == nil:
		if leaving && p.idleBy != 0 {
			p.shut()
		}
	case p.asked != nil && !p.asking.Load():
		p.answerWith(p.asked.Delivery, p.asked.err)
	case leaving:
		p.answer()
	case p.woken.Load() && p.gatherBy == 0:
		p.gather()
	}
}

// gather waits a moment longer, as messages seldom come alone.
func (p *parkedPoll) gather() {
	if p.t.o.Gather <= 0 {
		p.answer()
		return
	}
	p.gatherBy = p.Loop().Time() + p.t.o.Gather
	p.RemindBy(p.gatherBy)
}

// answer answers, if there is something, or the time is up.
func (p *parkedPoll) answer() {
	if p.asking.Load() {
		return
	}
	p.woken.Store(false)
	d, ok, err := p.reader.TakeCached()
	if !ok && err == nil {
		p.asking.Store(true)
		p.t.held.Go(p.ask)
		return
	}
	p.answerWith(d, err)
}

// ask asks the database, and comes back.
func (p *parkedPoll) ask() {
	found := &taken{}
	defer func() {
		p.asked = found
		p.asking.Store(false)
		p.Schedule()
	}()
	defer p.t.survive(func() { found.err = channel.ErrClosed })
	found.Delivery, found.err = p.reader.Take(p.t.cut)
}

func (p *parkedPoll) answerWith(d channel.Delivery, err error) {
	p.asked, p.gatherBy = nil, 0
	leaving := p.t.leaving.Err() != nil
	if err == nil && len(d.Batches) == 0 && !leaving && !p.passed(p.answerBy) {
		p.RemindBy(p.answerBy) // it waits on
		return
	}
	p.last = p.last || leaving
	buffer := p.t.encodedBatches.Get().(*[]byte)
	defer p.t.encodedBatches.Put(buffer)
	if err != nil {
		*buffer = p.appendProblem((*buffer)[:0], err)
	} else {
		*buffer = p.appendAnswer((*buffer)[:0], d.Batches)
	}
	p.reader.Close()
	p.reader, p.q, p.listed, p.head = nil, query{}, nil, ""
	p.leave()
	if !p.write(*buffer) {
		p.shut()
		return
	}
	p.written()
}

// appendAnswer appends what Transport.answer would write.
func (p *parkedPoll) appendAnswer(dst []byte, batches []channel.Batch) []byte {
	tag, news := judge(&p.q, p.reader, batches, p.listed)
	if news {
		dst = append(dst, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"...)
	} else {
		dst = append(dst, "HTTP/1.1 304 Not Modified\r\n"...)
	}
	dst = append(append(dst, p.head...), "Cache-Control: "+private+"\r\n"...)
	if tag != "" {
		dst = append(append(append(dst, "Etag: "...), tag...), "\r\n"...)
	}
	dst = p.appendGeneral(dst)
	if !news {
		return append(dst, "\r\n"...)
	}
	body := p.t.encodedBatches.Get().(*[]byte)
	defer p.t.encodedBatches.Put(body)
	*body = appendAnswer((*body)[:0], &p.q, p.reader, batches)
	dst = strconv.AppendInt(append(dst, "Content-Length: "...), int64(len(*body)), 10)
	return append(append(dst, "\r\n\r\n"...), *body...)
}

// appendProblem appends an error's answer.
func (p *parkedPoll) appendProblem(dst []byte, err error) []byte {
	p.t.logFailure(err, "over", "long poll")
	p.last = true
	a := &answer{header: http.Header{}}
	problem.Of(err).Write(a)
	dst = append(dst, "HTTP/1.1 "+strconv.Itoa(a.status)+" "+http.StatusText(a.status)+"\r\n"...)
	dst = append(append(dst, p.head...), p.t.head(a.header)...)
	dst = append(p.appendGeneral(dst), "Content-Length: "+strconv.Itoa(len(a.body))+"\r\n\r\n"...)
	return append(dst, a.body...)
}

// appendGeneral appends the headers that are about the answer and not its content.
func (p *parkedPoll) appendGeneral(dst []byte) []byte {
	if p.last {
		dst = append(dst, "Connection: close\r\n"...)
	}
	return appendDate(dst)
}

// written goes on when nothing waits to be written.
func (p *parkedPoll) written() {
	switch {
	case p.rest != nil:
	case p.last:
		unix.Shutdown(p.FD(), unix.SHUT_WR)
		p.closeBy = p.Loop().Now() + goodbye
		p.RemindBy(p.closeBy)
	case p.unread || len(p.ahead) > 0:
		p.goHome()
	default:
		p.idleBy = p.Loop().Now() + idleTimeout
		p.RemindBy(p.idleBy)
	}
}

// goHome gives the connection back to net/http.
func (p *parkedPoll) goHome() {
	p.closed = true
	p.Leave()
	p.t.leaveLine(p)
	if p.nc == nil {
		file := os.NewFile(uintptr(p.FD()), "")
		defer file.Close()
		nc, err := net.FileConn(file)
		if err != nil {
			return
		}
		p.nc = &homing{nc.(*net.TCPConn), p.front}
	}
	p.front.giveBack(p.nc, p.ahead)
}

// settle takes the connection from package net.
func (p *parkedPoll) settle() {
	p.settleAt = 0
	p.Leave()
	if fd, ok := loop.Detach(p.nc); ok { // else no descriptor is left
		p.nc = nil
		p.Move(fd)
	}
	if p.Begin() != nil {
		p.shut()
	}
}

// Happened is called when the client has left, or sends its next request, or takes more.
func (p *parkedPoll) Happened(e loop.Events) {
	defer p.t.survive(p.shut)
	if e.PeerGone() || e.PeerDone() && !p.hasMore() {
		p.shut()
		return
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
			p.goHome()
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

// Late is called when one of its times has come.
func (p *parkedPoll) Late() time.Duration {
	defer p.t.survive(p.shut)
	switch {
	case p.passed(p.writeBy), p.passed(p.idleBy), p.passed(p.closeBy):
		p.shut()
	case p.nc != nil && p.passed(p.settleAt):
		p.settle()
	case p.reader != nil && (p.passed(p.gatherBy) || p.passed(p.answerBy)):
		p.answer()
	}
	switch {
	case p.closed:
		return 0
	case p.reader == nil:
		return earliest(p.writeBy, p.idleBy, p.closeBy, p.settleAt)
	case p.asking.Load(): // it comes back by itself
		return 0
	}
	return earliest(p.gatherBy, p.answerBy, p.settleAt)
}

// Again and Flush are not asked for.
func (p *parkedPoll) Again() {}
func (p *parkedPoll) Flush() {}

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
	if p.reader != nil {
		p.reader.Close()
		p.leave()
	}
	p.t.leaveLine(p)
}

// answer is a http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header { return a.header }
func (a *answer) WriteHeader(n int)   { a.status = n }
func (a *answer) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}
