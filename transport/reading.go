package transport

import (
	"context"

	"parley/channel"
)

// reading is a reader of the channels of one request, with the person's view of each.
type reading struct {
	*channel.Reader
	lenses map[channel.Name]channel.Lens
}

// open begins to read where q says, if the person may; otherwise nothing is read at all.
func (t *Transport) open(ctx context.Context, q query, person channel.Sender, mode channel.Mode) (*reading, error) {
	bytes := pollBytes
	if mode == channel.Stream {
		bytes = streamBytes
	}
	r := &reading{
		Reader: t.hub.NewReader(channel.ReaderOptions{Person: person, Mode: mode, Limit: q.limit, MaxBytes: bytes}),
		lenses: make(map[channel.Name]channel.Lens, len(q.starts)),
	}
	for _, s := range q.starts {
		lens, err := t.site.MayRead(ctx, person, s.name)
		if err == nil {
			_, err = r.add(ctx, s.name, s.after, lens)
		}
		if err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

func (r *reading) add(ctx context.Context, name channel.Name, after channel.Position, lens channel.Lens) (channel.Position, error) {
	at, err := r.Add(ctx, name, after, lens)
	if err == nil {
		r.lenses[name] = lens
	}
	return at, err
}

func (r *reading) remove(name channel.Name) {
	r.Remove(name)
	delete(r.lenses, name)
}

// rewind goes back to where the batch began, to read it again with what came since.
func (r *reading) rewind(ctx context.Context, b channel.Batch) error {
	_, err := r.Add(ctx, b.Channel, b.From, r.lenses[b.Channel])
	return err
}
