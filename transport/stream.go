package transport

import (
	"context"
	"net/http"
	"time"

	"parley/channel"
	"parley/problem"
)

// stream is what SSE and WebSocket have in common: a reading that goes on, and the person's rights, which may end.
//
// wait may be called by one goroutine while another one changes the subscriptions; whatever changes them or turns a
// delivery into events must hold one lock, which is the caller's.
type stream struct {
	*reading
	t          *Transport
	person     channel.Sender
	generation uint64 // of the rights, when they were last asked for
}

// openStream begins a stream, and returns what it opens with: a reader that asked for the end is told where that is,
// so that it can come back even if nothing happens before it leaves.
func (t *Transport) openStream(ctx context.Context, q query, person channel.Sender) (*stream, []event, error) {
	generation := t.site.Generation() // before the rights are asked for: what changes meanwhile is asked for again
	reading, err := t.open(ctx, q, person, channel.Stream)
	if err != nil {
		return nil, nil, err
	}
	opening := []event{t.helloEvent(person)}
	for _, s := range q.starts {
		if s.after == channel.End {
			p, _ := reading.Position(s.name)
			opening = append(opening, batchEvent(&channel.Batch{Channel: s.name, From: p, To: p}))
		}
	}
	return &stream{reading: reading, t: t, person: person, generation: generation}, opening, nil
}

// wait waits for something to deliver, or as long as a stream may be silent; then there is nothing, and no error.
func (s *stream) wait(ctx context.Context) (channel.Delivery, error) {
	silence, cancel := context.WithTimeout(ctx, s.t.o.Heartbeat)
	defer cancel()
	d, err := s.Next(silence)
	if err != nil && silence.Err() != nil && ctx.Err() == nil {
		return channel.Delivery{}, nil
	}
	return d, err
}

// events are what is to be said of a delivery: if nothing else, that the stream is alive. Rights that may have
// changed are asked for before anything is shown.
func (s *stream) events(ctx context.Context, d channel.Delivery) ([]event, error) {
	events := make([]event, 0, len(d.Batches)+len(d.Signals)+1)
	if generation := s.t.site.Generation(); generation != s.generation {
		ended, err := s.askAgain(ctx, d.Batches)
		if err != nil {
			return nil, err
		}
		s.generation = generation
		events = append(events, ended...)
	}
	for i := range d.Batches {
		switch b := &d.Batches[i]; {
		case b.Gap != nil && b.Gap.Reason == channel.Deleted:
			delete(s.lenses, b.Channel)
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
	if len(events) == 0 && len(d.Batches) == 0 {
		events = append(events, heartbeatEvent(time.Now()))
	}
	return events, nil
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

// askAgain asks for the right to each channel again. Where it is refused, the channel is ended; where the view may
// have changed, batches that were read with the old one are not shown, but read again with the new one.
func (s *stream) askAgain(ctx context.Context, inHand []channel.Batch) ([]event, error) {
	began := make(map[channel.Name]channel.Position, len(inHand))
	for i := range inHand {
		began[inHand[i].Channel] = inHand[i].From
	}
	var ended []event
	for _, name := range s.Names() {
		lens, err := s.t.site.MayRead(ctx, s.person, name)
		if err != nil {
			why := problem.Of(err)
			if why.Status() >= http.StatusInternalServerError {
				return nil, err // nobody knows: nothing may be shown
			}
			s.remove(name)
			ended = append(ended, endedEvent(name, why))
			continue
		}
		if lens == nil && s.lenses[name] == nil {
			continue // seen as it is, then as now
		}
		from, ok := began[name]
		if !ok {
			from, _ = s.Position(name)
		}
		if _, err := s.add(ctx, name, from, lens); err != nil {
			return nil, err
		}
	}
	return ended, nil
}
