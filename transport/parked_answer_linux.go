package transport

import (
	"net/http"
	"strconv"

	"parley/channel"
	"parley/problem"
)

// answer answers, if there is something, or the time is up.
func (p *parkedPoll) answer() {
	switch {
	case p.inquiry.asking.Load():
		return
	case p.inquiry.found != nil: // just now: the reader is behind it already
		p.answerWith(p.inquiry.found.value, p.inquiry.found.err)
		return
	}
	p.woken.Store(false)
	d, ok, err := p.reader.TakeCached(p.loop.room[:0])
	if !ok && err == nil {
		reader := p.reader
		p.inquiry.ask(p.t, &p.line, &p.t.lines, func() (channel.Delivery, error) { return reader.Take(p.t.cut) })
		return
	}
	p.answerWith(d, err)
}

func (p *parkedPoll) answerWith(d channel.Delivery, err error) {
	p.inquiry.found, p.gatherBy, p.brought = nil, 0, brought{}
	leaving := p.t.leaving.Err() != nil
	if err == nil && len(d.Batches) == 0 && !leaving && !p.passed(p.answerBy) {
		p.listen()
		p.RemindBy(p.answerBy) // it waits on
		if p.woken.Load() {    // while the database was asked
			p.Schedule()
		}
		return
	}
	p.last = p.last || leaving
	p.more = d.More
	if err == nil {
		if text := p.shared(d.Batches); text != nil {
			p.send(text)
			return
		}
	}
	p.say(func(dst []byte) []byte {
		if err != nil {
			return p.appendProblem(dst, err)
		}
		return p.appendAnswer(dst, d.Batches)
	})
}

// say writes an answer, which is the end of the request.
func (p *parkedPoll) say(encode func(dst []byte) []byte) {
	buffer := p.t.encodedBatches.Get().(*[]byte)
	defer p.t.encodedBatches.Put(buffer)
	*buffer = encode((*buffer)[:0])
	p.send(*buffer)
}

func (p *parkedPoll) send(answer []byte) {
	p.answered()
	if !p.write(answer) {
		p.shut()
		return
	}
	p.written()
}

// answered ends the request. Whoever has asked for the same before will do so again, mostly in a moment, and goes on with the same reader.
func (p *parkedPoll) answered() {
	p.pending = false
	switch {
	case p.habit == nil:
		p.q, p.listed, p.head = query{}, nil, ""
	case p.q.waits && p.reader != nil && (p.brought.tag != "" || p.reader.Len() == len(p.q.starts)):
		p.lingerBy = p.Loop().Now() + lingering
		p.RemindBy(p.lingerBy)
		p.leaveNow()
		return
	}
	p.release()
}

// written goes on when nothing waits to be written.
func (p *parkedPoll) written() {
	switch {
	case p.rest != nil:
	case p.last:
		p.finish()
	case len(p.ahead) > 0:
		p.goHome(string(p.ahead))
	default:
		p.idleBy = p.Loop().Now() + idleTimeout
		p.RemindBy(p.idleBy)
		if p.unread {
			p.LookAgain()
		}
	}
}

// appendAnswer appends what Transport.answer would write.
func (p *parkedPoll) appendAnswer(dst []byte, batches []channel.Batch) []byte {
	tag, news := judge(&p.q, p.reader, batches, p.listed)
	p.note(tag)
	if !news {
		return append(p.appendHead(dst, "304 Not Modified", tag, batches), "\r\n"...)
	}
	dst = append(p.appendHead(dst, "200 OK", tag, batches), "Content-Type: application/json\r\n"...)
	body := p.t.encodedBatches.Get().(*[]byte)
	defer p.t.encodedBatches.Put(body)
	*body = appendAnswer((*body)[:0], &p.q, p.reader, batches)
	dst = strconv.AppendInt(append(dst, "Content-Length: "...), int64(len(*body)), 10)
	return append(append(dst, "\r\n\r\n"...), *body...)
}

// note remembers where the answer brings the client, as its next request will mostly say.
func (p *parkedPoll) note(tag string) {
	if !p.q.many && tag != "" {
		at, _ := p.reader.Position(p.q.starts[0].name)
		p.brought = brought{at, tag}
	}
}

// appendUnchanged appends what Transport.unchanged would write.
func (p *parkedPoll) appendUnchanged(dst []byte) []byte {
	return append(p.appendHead(dst, "304 Not Modified", p.listed[0], nil), "\r\n"...)
}

func (p *parkedPoll) appendHead(dst []byte, status, tag string, batches []channel.Batch) []byte {
	dst = append(append(append(dst, "HTTP/1.1 "...), status...), "\r\n"...)
	dst = append(append(dst, p.head...), "Cache-Control: "+private+"\r\n"...)
	if tag != "" {
		dst = append(append(append(dst, "Etag: "...), tag...), "\r\n"...)
	}
	if !p.q.waits {
		dst = append(strconv.AppendInt(append(dst, "Retry-After: "...), int64(cadence(batches)), 10), "\r\n"...)
	}
	return p.appendGeneral(dst)
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
	return p.t.appendDate(dst)
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
