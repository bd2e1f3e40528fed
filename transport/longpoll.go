package transport

import (
	"context"
	"net/http"
	"time"

	"parley/channel"
)

// longPoll answers as soon as there is something, and otherwise when the time is up or the server leaves.
func (t *Transport) longPoll(w http.ResponseWriter, r *http.Request, q query, person channel.Sender) error {
	leave, err := t.enter(r)
	if err != nil {
		return err
	}
	found, err := t.rightsTo(t.cut, &q, person)
	if err != nil {
		leave()
		return err
	}
	reader, err := t.open(r.Context(), &q, person, channel.LongPoll, found)
	if err != nil {
		leave()
		return err
	}
	if t.onlyPolls(r) && t.parkPoll(w, r, &q, found, reader, false, leave) {
		return nil
	}
	d, err := reader.Take(r.Context())
	if err == nil && len(d.Batches) == 0 && q.wait > 0 && t.parkPoll(w, r, &q, found, reader, true, leave) {
		return nil
	}
	defer leave()
	defer reader.Close()
	if err == nil && len(d.Batches) == 0 {
		d.Batches, err = t.await(r.Context(), q.wait, reader)
	}
	switch {
	case err != nil:
		return err
	case r.Context().Err() != nil:
		return nil // nobody is there to be answered
	}
	t.answer(w, r, &q, reader, d.Batches)
	return nil
}

// await waits for something to answer with; what it returns when the time is up, is nothing. Once there is something it waits a moment
// longer, as messages seldom come alone.
func (t *Transport) await(ctx context.Context, wait time.Duration, reader *channel.Reader) ([]channel.Batch, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(t.leaving, cancel)()
	woken := make(chan struct{}, 1)
	reader.OnWake(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	for {
		select {
		case <-woken:
		case <-waiting.Done():
			return nil, nil
		}
		if t.o.Gather > 0 {
			select {
			case <-time.After(t.o.Gather):
			case <-waiting.Done(): // the time is up; what is there shall still be had
			}
		}
		d, err := reader.Take(context.WithoutCancel(ctx))
		if err != nil || len(d.Batches) > 0 {
			return d.Batches, err
		}
	}
}

// settleAfter is how long a poll has waited when its connection is taken from package net too, which holds 1 KB for it. To make another one of
// it costs some system calls, which a poll that is answered soon is spared. One whose next request is likely to be served here is taken at once.
const settleAfter = time.Second
