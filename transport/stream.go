package transport

import (
	"context"
	"net/http"
	"time"

	"parley/channel"
	"parley/problem"
)

// stream is what SSE and WebSocket have in common: a reader that goes on, and the person's rights, which may end.
//
// What changes its subscriptions, and what turns a delivery into events, must come one after the other.
type stream struct {
	*channel.Reader
	t          *Transport
	person     channel.Sender
	generation uint64        // of the rights, when they were last asked for
	spoke      time.Duration // when it last said something, by the transport's clock
}

// openStream begins a stream, and returns what it opens with: a reader that asked for the end is told where that is,
// so that it can come back even if nothing happens before it leaves.
func (t *Transport) openStream(ctx context.Context, q query, person channel.Sender) (*stream, []event, error) {
	found, err := t.rightsTo(t.cut, &q, person)
	if err != nil {
		return nil, nil, err
	}
	reader, err := t.open(ctx, &q, person, channel.Stream, found)
	if err != nil {
		return nil, nil, err
	}
	opening := []event{t.helloEvent(person)}
	for _, s := range q.starts {
		if s.after == channel.End {
			p, _ := reader.Position(s.name)
			opening = append(opening, batchEvent(&channel.Batch{Channel: s.name, From: p, To: p}))
		}
	}
	return &stream{Reader: reader, t: t, person: person, generation: found.generation, spoke: t.now()}, opening, nil
}

// await is ask for who waits: until there is something to say, if nothing else that the stream is alive. wait bounds the waiting, ctx the
// questions.
func (s *stream) await(wait, ctx context.Context) ([]event, error) {
	silence, cancel := context.WithTimeout(wait, s.t.o.Heartbeat)
	defer cancel()
	d, err := s.Next(silence)
	if err != nil && (silence.Err() == nil || wait.Err() != nil) {
		return nil, err
	}
	events, err := s.renew(ctx, d)
	if err != nil {
		return nil, err
	}
	if events = s.events(events, d); len(events) == 0 && len(d.Batches) == 0 {
		events = append(events, heartbeatEvent(time.Now()))
	}
	return events, nil
}

// look returns what there is to say now, without waiting for anything. When the database must be asked it returns false, and ask is to be
// called, where there is time. more says that there is more already. The events are good as long as the room is the caller's.
func (s *stream) look(in *room) (events []event, more, ok bool, err error) {
	if s.t.site.Generation() != s.generation {
		return nil, false, false, nil
	}
	d, ok, err := s.TakeCached(in.batches[:0])
	if !ok || err != nil {
		return nil, false, ok, err
	}
	return s.events(in.events[:0], d), d.More, true, nil
}

// room is for what one look mostly finds, so that it needs no memory of its own.
type room struct {
	batches [1]channel.Batch
	events  [1]event
}

// ask is look with the database.
func (s *stream) ask(ctx context.Context) (events []event, more bool, err error) {
	d, err := s.Take(ctx)
	if err != nil {
		return nil, false, err
	}
	events, err = s.renew(ctx, d)
	return s.events(events, d), d.More, err
}

// events appends what is to be said of a delivery.
func (s *stream) events(events []event, d channel.Delivery) []event {
	for i := range d.Batches {
		switch b := &d.Batches[i]; {
		case b.Gap != nil && b.Gap.Reason == channel.Deleted:
			events = append(events, batchEvent(b), endedEvent(b.Channel, channel.ErrDeleted.Detail("%s was deleted", b.Channel)))
		case s.current(b):
			events = append(events, batchEvent(b))
		}
	}
	for i := range d.Signals {
		if _, subscribed := s.Position(d.Signals[i].Channel); subscribed {
			events = append(events, signalEvent(&d.Signals[i]))
		}
	}
	return events
}

// current reports whether the subscription still is where the batch led: since that was read, it may have been
// ended, moved, or rewound.
func (s *stream) current(b *channel.Batch) bool {
	to := b.To
	if b.Gap != nil {
		to = b.Gap.Resume
	}
	p, subscribed := s.Position(b.Channel)
	return subscribed && p == to
}

// renew asks for the right to each channel again if it may have changed since it was last asked for: before anything is shown. Where it is
// refused, the channel is ended; where the view may have changed, batches that were read with the old one are not shown, but
// read again with the new one.
func (s *stream) renew(ctx context.Context, inHand channel.Delivery) (ended []event, err error) {
	generation := s.t.site.Generation()
	if generation == s.generation {
		return nil, nil
	}
	began := make(map[channel.Name]channel.Position, len(inHand.Batches))
	for i := range inHand.Batches {
		began[inHand.Batches[i].Channel] = inHand.Batches[i].From
	}
	for _, name := range s.Names() {
		lens, err := s.t.site.MayRead(ctx, s.person, name)
		if err != nil {
			why := problem.Of(err)
			if why.Status() >= http.StatusInternalServerError {
				return nil, err // nobody knows: nothing may be shown
			}
			s.Remove(name)
			ended = append(ended, endedEvent(name, why))
			continue
		}
		if lens == nil && s.Lens(name) == nil {
			continue // seen as it is, then as now
		}
		from, ok := began[name]
		if !ok {
			from, _ = s.Position(name)
		}
		if _, err := s.Add(ctx, name, from, lens); err != nil {
			return nil, err
		}
	}
	s.generation = generation
	return ended, nil
}
