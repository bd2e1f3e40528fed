package transport

import (
	"context"

	"parley/channel"
)

// rights are what was found when it was asked whether somebody may read.
type rights struct {
	generation uint64         // of all rights, before they were asked for: what changes meanwhile is asked for again
	person     channel.Sender // whose they are
	lenses     []channel.Lens // by the query's starts; nil if all is seen as it is
}

// rightsTo asks whether the person may read all that q says. A lens may keep ctx for as long as it is used.
func (t *Transport) rightsTo(ctx context.Context, q *query, person channel.Sender) (rights, error) {
	found := rights{generation: t.site.Generation(), person: person}
	for i, s := range q.starts {
		lens, err := t.site.MayRead(ctx, person, s.name)
		if err != nil {
			return rights{}, err
		}
		if lens != nil {
			if found.lenses == nil {
				found.lenses = make([]channel.Lens, len(q.starts))
			}
			found.lenses[i] = lens
		}
	}
	return found, nil
}

// lens is that of a start.
func (r *rights) lens(i int) channel.Lens {
	if r.lenses == nil {
		return nil
	}
	return r.lenses[i]
}

// open begins to read where q says, by the rights that were found.
func (t *Transport) open(ctx context.Context, q *query, person channel.Sender, mode channel.Mode, found rights) (*channel.Reader, error) {
	bytes := pollBytes
	if mode == channel.Stream {
		bytes = streamBytes
	}
	r := t.hub.NewReader(channel.ReaderOptions{Person: person, Mode: mode, Limit: q.limit, MaxBytes: bytes})
	for i, s := range q.starts {
		if _, err := r.Add(ctx, s.name, s.after, found.lens(i)); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}
