package transport

import (
	"context"
	"net/http"
	"time"

	"parley/channel"
)

// longPoll answers as soon as there is something, and otherwise when the time is up or the server leaves.
func (t *Transport) longPoll(w http.ResponseWriter, r *http.Request, q query, person channel.Sender) error {
	done, err := t.enter(r)
	if err != nil {
		return err
	}
	defer done()
	reader, err := t.open(r.Context(), q, person, channel.LongPoll)
	if err != nil {
		return err
	}
	defer reader.Close()
	batches, err := reader.Ready(r.Context())
	if err != nil {
		return err
	}
	if len(batches) == 0 {
		if batches, err = t.await(r.Context(), q.wait, reader); err != nil {
			return err
		}
	}
	if r.Context().Err() != nil {
		return nil // nobody is there to be answered
	}
	return t.answer(w, r, q, reader, batches)
}

// await waits for something to answer with; what it returns when the time is up, is nothing.
func (t *Transport) await(ctx context.Context, wait time.Duration, reader *reading) ([]channel.Batch, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(t.leaving, cancel)()
	d, err := reader.Next(waiting)
	if err != nil {
		if waiting.Err() != nil {
			return nil, nil
		}
		return nil, err
	}
	return t.gather(waiting, reader, d.Batches)
}

// gather waits a moment longer, as messages seldom come alone, and reads again from where the batches began.
func (t *Transport) gather(ctx context.Context, reader *reading, batches []channel.Batch) ([]channel.Batch, error) {
	for _, b := range batches {
		if b.More || b.Gap != nil {
			return batches, nil
		}
	}
	if t.o.Gather < 0 {
		return batches, nil
	}
	select {
	case <-time.After(t.o.Gather):
	case <-ctx.Done():
		return batches, nil
	}
	ctx = context.WithoutCancel(ctx) // the time may be up by now; what is there shall still be had
	for _, b := range batches {
		if err := reader.rewind(ctx, b); err != nil {
			return nil, err
		}
	}
	return reader.Ready(ctx)
}
