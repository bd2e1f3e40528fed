package transport

import (
	"context"
	"encoding/json"
	"sync"

	"parley/channel"
)

// maxPublishes is how many publishes of one WebSocket may wait for their commit; then its commands wait too.
const maxPublishes = 256

// publishing carries out a session's publishes: in the order they came, as that is the messages' order, but none waits for the
// commit of the one before if the engine tells that its place is taken (channel.WithQueued). Meanwhile the session goes on
// with other commands. While there is no publish there is no goroutine. What was received is carried out even if the
// connection ends before: whoever sent it and left expects it to be said.
type publishing struct {
	room    chan struct{} // a place for each publish that waits
	workers sync.WaitGroup

	mu      sync.Mutex
	queue   []publish
	running bool
	last    chan struct{} // closed when the publish begun last is answered; of the goroutine that runs
}

// publish is one command, or what is wrong with it: also that is answered in its turn.
type publish struct {
	ref   json.RawMessage
	name  channel.Name
	draft channel.Draft
	err   error
}

func newPublishing() publishing {
	none := make(chan struct{})
	close(none)
	return publishing{room: make(chan struct{}, maxPublishes), last: none}
}

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

// publishAll begins what is queued, one after the other, and ends.
func (s *session) publishAll() {
	for {
		p, ok := s.publishing.next()
		if !ok {
			return
		}
		before, answered, placed := s.publishing.last, make(chan struct{}), make(chan struct{})
		s.publishing.last = answered
		place := sync.OnceFunc(func() { close(placed) })
		s.publishing.workers.Go(func() {
			defer close(answered)
			var result any
			if p.err == nil {
				result, p.err = s.publish(channel.WithQueued(s.t.cut, place), p)
			}
			place()
			<-before // answers keep the order too
			s.reply(p.ref, result, p.err)
			<-s.publishing.room
		})
		<-placed
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
