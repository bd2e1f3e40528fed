package transport

import (
	"context"

	"parley/channel"
)

// open begins to read where q says, if the person may; otherwise nothing is read at all.
func (t *Transport) open(ctx context.Context, q query, person channel.Sender, mode channel.Mode) (*channel.Reader, error) {
	bytes, rights := pollBytes, ctx
	if mode == channel.Stream {
		bytes = streamBytes
	}
	if mode != channel.Poll {
		rights = t.cut // a lens may keep it for as long as it is used, and with it the request
	}
	r := t.hub.NewReader(channel.ReaderOptions{Person: person, Mode: mode, Limit: q.limit, MaxBytes: bytes})
	for _, s := range q.starts {
		lens, err := t.site.MayRead(rights, person, s.name)
		if err == nil {
			_, err = r.Add(ctx, s.name, s.after, lens)
		}
		if err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}
