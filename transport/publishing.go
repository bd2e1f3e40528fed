package transport

import (
	"context"
	"encoding/json"
	"sync"

	"parley/channel"
)

// maxPublishes is how many publishes of one WebSocket may wait for their commit; then its commands wait too.
const maxPublishes = 256

// publishing carries out a session's publishes, one after the other, as their order is the messages'; meanwhile the session
// goes on with other commands. While there is none it has no goroutine. What it was given is carried out even if the
// connection ends before: whoever sent it and left expects it to be said.
type publishing struct {
	room    chan struct{} // a place for each publish that waits
	workers sync.WaitGroup

	mu      sync.Mutex
	queue   []publish
	running bool
}

// publish is one command, or what is wrong with it: also that is answered in its turn.
type publish struct {
	ref   json.RawMessage
	name  channel.Name
	draft channel.Draft
	err   error
}

func newPublishing() publishing { return publishing{room: make(chan struct{}, maxPublishes)} }

// enqueue returns what is wrong with the publish, after it has taken it.
func (s *session) enqueue(c command, name channel.Name, err error) error {
	p := publish{ref: c.Ref, name: name, err: err}
	if err == nil {
		p.draft, p.err = c.draft()
	}
	q := &s.publishing
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
	for {
		p, ok := s.publishing.next()
		if !ok {
			return
		}
		var result any
		if p.err == nil {
			result, p.err = s.publish(s.t.cut, p)
		}
		s.reply(p.ref, result, p.err)
		<-s.publishing.room
	}
}

func (q *publishing) next() (publish, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		q.queue, q.running = nil, false
		return publish{}, false
	}
	p := q.queue[0]
	q.queue = q.queue[1:]
	return p, true
}

func (s *session) publish(ctx context.Context, p publish) (any, error) {
	if s.person.ID == "" {
		return nil, errNoSession // there is no response left to carry a guest's token
	}
	if err := s.t.site.Allow(s.r, s.person, ActionPublish); err != nil {
		return nil, err
	}
	got, err := s.t.site.Publish(ctx, s.person, p.name, p.draft)
	if err != nil {
		return nil, err
	}
	return receiptOf(got), nil
}
