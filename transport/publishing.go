package transport

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"

	"parley/channel"
	"parley/problem"
)

// maxPublishes is how many publishes of one WebSocket may wait for their commit; then its commands wait too.
const maxPublishes = 256

// publishing carries out a session's publishes, in the order they came, which is that of the messages and of the answers. Those that
// come while some are being committed are committed next, together, and answered with one write; meanwhile the session
// goes on with other commands. While there is no publish there is no goroutine. What was received is carried out even if the
// connection ends before: whoever sent it and left expects it to be said.
type publishing struct {
	room    chan struct{} // a place for each publish that waits; made by the first
	workers sync.WaitGroup

	mu      sync.Mutex
	queue   []publish
	running bool
	failure error // the last that was not the fault of what was published
}

// publish is one command, or what is wrong with it: also that is answered in its turn.
type publish struct {
	ref      json.RawMessage
	several  bool // in the form of several messages
	content  []channel.Draft
	receipts []channel.Receipt
	err      error
}

// isFull reports whether enqueue would have to wait.
func (q *publishing) isFull() bool { return q.room != nil && len(q.room) == cap(q.room) }

// enqueue returns what is wrong with the publish, after it has taken it.
func (s *session) enqueue(c command, name channel.Name, err error) error {
	p := publish{ref: c.Ref, several: c.Messages != nil, err: err}
	if err == nil {
		p.content, p.err = c.drafts(name)
	}
	// The command's bytes are the caller's, and here it waits.
	p.ref = bytes.Clone(p.ref)
	for i := range p.content {
		p.content[i].Data = bytes.Clone(p.content[i].Data)
	}
	q := &s.publishing
	if q.room == nil {
		q.room = make(chan struct{}, maxPublishes)
	}
	q.room <- struct{}{}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, p)
	if !q.running {
		q.running = true
		q.workers.Go(s.publishAll)
	}
	return p.err
}

// publishAll carries out what is queued, and ends.
func (s *session) publishAll() {
	var group []publish
	for {
		group = s.publishing.take(group)
		if len(group) == 0 {
			return
		}
		if failure := s.publishTogether(group); failure != nil {
			// Those behind were sent by who did not know of it. They fail too: committed now, they would stand before what
			// failed when that is sent again.
			group = append(group, s.publishing.fail(failure)...)
		}
		s.answerAll(group)
		for range group {
			<-s.publishing.room
		}
		s.goOn()
	}
}

// take returns all that is queued; spare is a slice to use again.
func (q *publishing) take(spare []publish) []publish {
	clear(spare)
	q.mu.Lock()
	defer q.mu.Unlock()
	group := q.queue
	q.queue, q.running = spare[:0], len(group) > 0
	return group
}

// fail returns all that is queued, as failed.
func (q *publishing) fail(why error) []publish {
	q.mu.Lock()
	defer q.mu.Unlock()
	behind := q.queue
	q.queue, q.failure = nil, why
	for i := range behind {
		if behind[i].err == nil {
			behind[i].err = why
		}
	}
	return behind
}

// publishTogether commits what can be committed of a group at once; or else, where one of them is refused, each alone. It returns why they
// failed, if that was not the fault of what they say.
func (s *session) publishTogether(group []publish) (failure error) {
	var drafts []channel.Draft
	good := 0
	for i := range group {
		p := &group[i]
		if p.err == nil {
			p.err = s.mayPublish(len(p.content))
		}
		if p.err == nil {
			drafts = append(drafts, p.content...)
			good++
		}
	}
	if good == 0 {
		return nil
	}
	receipts, err := s.publish(drafts)
	// Refused for what one of them says: nothing was published. Of other errors nobody knows that, so they are for all.
	alone := err != nil && good > 1 && !isFailure(err)
	for i := range group {
		p := &group[i]
		switch {
		case p.err != nil:
		case failure != nil:
			p.err = failure
		case alone:
			if p.receipts, p.err = s.publish(p.content); isFailure(p.err) {
				failure = p.err
			}
		case err != nil:
			p.err = err
		default:
			p.receipts, receipts = receipts[:len(p.content)], receipts[len(p.content):]
		}
	}
	if isFailure(err) {
		failure = err
	}
	return failure
}

// publish commits drafts. What comes behind a failure of which the client cannot learn any more fails too.
func (s *session) publish(drafts []channel.Draft) ([]channel.Receipt, error) {
	if s.publishing.failure != nil && s.isGone() {
		return nil, s.publishing.failure
	}
	return s.t.site.Publish(s.t.cut, s.person, drafts...)
}

// isFailure reports whether err is the server's and not the client's.
func isFailure(err error) bool {
	return err != nil && problem.Of(err).Status() >= http.StatusInternalServerError
}

func (s *session) mayPublish(n int) error {
	if s.person.ID == "" {
		return errNoSession // there is no response left to carry a guest's token
	}
	return s.t.site.Allow(s.person, ActionPublish, n)
}

// answerAll answers a group with one write.
func (s *session) answerAll(group []publish) {
	answers := make([]event, len(group))
	for i := range group {
		p := &group[i]
		if p.err != nil {
			answers[i] = s.answer(p.ref, nil, p.err)
			continue
		}
		answers[i] = answerEvent(p.ref, "result", appendResult(make([]byte, 0, 192), p.several, p.receipts))
	}
	s.send(answers)
}
