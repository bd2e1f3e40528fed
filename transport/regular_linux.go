package transport

import (
	"net/http"

	"golang.org/x/sys/unix"

	"parley/channel"
)

// habit is what is kept of a request that is likely to be made again: all that its text decides, and whom to ask about the rest.
type habit struct {
	*pattern
	secrets string
	regular Regular
	rights
}

// habitOf returns what is to be kept of the request that was being served until its connection was taken, or nil.
func (t *Transport) habitOf(r *http.Request, home *homing, q *query, found rights) *habit {
	if !home.fresh.Load() {
		return nil
	}
	p, secrets := learn(home.text, r, q)
	if p == nil {
		return nil
	}
	regular := t.site.Regular(r)
	if regular == nil {
		return nil
	}
	return &habit{t.patterns.shared(p), secrets, regular, found}
}

// next reads the next request. One that was made before is served here, any other by net/http.
func (p *parkedPoll) next() {
	if p.peerDone {
		p.goHome("") // where it is seen how the requests end
		return
	}
	p.unread = false
	in := p.Loop().In()[:repeatedMost]
	n, err := p.Receive(in)
	switch {
	case err == unix.EAGAIN:
	case err != nil || n == 0:
		p.shut()
	case n == len(in) || !p.again(in[:n]): // a full buffer: there may be more
		p.goHome(string(in[:n]))
	}
}

// again serves a request that was made before, as net/http and the handlers would serve it now. It returns false if this is another, or if
// there is something to be said to it that only they can say; then nothing was done.
func (p *parkedPoll) again(text []byte) bool {
	h, t := p.habit, p.t
	if h == nil || t.leaving.Err() != nil {
		return false
	}
	tag, ok := h.fits(text, h.secrets, p.q.starts, p.brought)
	if !ok || t.site.Generation() != h.generation {
		return false
	}
	person, err := h.regular.Person()
	if err != nil || person.ID != h.person.ID {
		return false
	}
	if p.q.waits {
		if t.hold() != nil {
			return false
		}
		if h.regular.Hold() != nil {
			t.held.Done()
			return false
		}
		p.holds = true
	}
	if h.regular.Count() != nil {
		p.leaveNow()
		return false
	}
	p.misses, p.idleBy, p.pending = 0, 0, true
	p.listed = p.listed[:0]
	if tag != "" {
		p.listed = append(p.listed, tag)
	}
	p.read(person)
	return true
}

// read answers, or waits.
func (p *parkedPoll) read(person channel.Sender) {
	mode := channel.LongPoll
	if !p.q.waits {
		if mode = channel.Poll; p.t.isUnchanged(&p.q, p.listed) {
			p.t.hub.Presence().Visit(p.q.starts[0].name, person)
			p.brought = brought{p.q.starts[0].after, p.listed[0]}
			p.say(p.appendUnchanged)
			return
		}
	}
	waits := p.goesOn(person) && p.listening && p.q.wait > 0 && !p.more && !p.woken.Load() // nothing has come since it looked last
	if p.reader == nil {
		p.woken.Store(false) // by the one before
		p.habit.person = person
		var err error
		if p.reader, err = p.t.open(p.t.cut, &p.q, person, mode, p.habit.rights); err != nil {
			p.answerWith(channel.Delivery{}, err)
			return
		}
	}
	p.lingerBy = 0
	p.answerBy = p.Loop().Now() + p.q.wait // it came before this turn began
	if !waits {
		p.answer()
		return
	}
	p.listen()
	p.RemindBy(p.answerBy)
}

// goesOn reports whether the reader is the same person's and where the request says. If not, there is none any more.
func (p *parkedPoll) goesOn(person channel.Sender) bool {
	if p.reader == nil {
		return false
	}
	same := p.habit.person == person                                // who may have another name by now
	if p.brought.tag == "" || p.q.starts[0].after != p.brought.at { // where it was not brought by the last answer
		for _, s := range p.q.starts {
			at, ok := p.reader.Position(s.name)
			same = same && ok && at == s.after
		}
	}
	if !same {
		p.closeReader()
	}
	return same
}
