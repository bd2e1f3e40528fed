package channel

import (
	"context"
	"errors"
	"slices"
)

// Delivery is what Next and Take return: for each channel at most one batch, and the signals that came.
type Delivery struct {
	Batches []Batch
	Signals []Signal
	More    bool // there is more already: take again without waiting for a wake-up
}

// Ready returns what there is now, without waiting for more: at most one batch a channel, and about
// ReaderOptions.MaxBytes in all; the positions move behind it. What did not fit is returned by the next call, which begins
// with those channels. Errors are as of Next.
func (r *Reader) Ready(ctx context.Context) ([]Batch, error) { return r.asked(ctx) }

// Next is Ready, but waits until there is a batch, a gap or a signal. After a gap the reader is at its Resume, or, where the
// channel was deleted, without the channel. Errors: ErrClosed, ctx.Err(), and those of Log.Read; all positions are then
// where they were, and the reader is still good.
func (r *Reader) Next(ctx context.Context) (Delivery, error) {
	if r.woken == nil {
		woken := make(chan struct{}, 1)
		r.woken = woken
		r.OnWake(func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}
	for {
		d, err := r.Take(ctx)
		if err != nil || len(d.Batches) > 0 || len(d.Signals) > 0 {
			return d, err
		}
		select {
		case <-r.woken:
		case <-ctx.Done():
			return Delivery{}, ctx.Err()
		}
	}
}

// Take is Next for who does not wait but is woken (see OnWake): what there is now, which may be nothing.
func (r *Reader) Take(ctx context.Context) (Delivery, error) {
	r.told.Store(false) // before looking: what comes while we look wakes again
	batches, err := r.asked(ctx)
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{batches, r.takeSignals(), r.isDue()}, nil
}

// isDue reports whether a channel may have something that no wake-up will tell of.
func (r *Reader) isDue() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isDueLocked()
}

func (r *Reader) isDueLocked() bool {
	return slices.ContainsFunc(r.subs, func(s *subscription) bool { return s.due.Load() })
}

// asked is pull from memory and, where that cannot vouch for the answer, from the log.
func (r *Reader) asked(ctx context.Context) ([]Batch, error) {
	return r.pull(ctx, func(s *subscription, b *Batch) error { return r.read(ctx, s, b) })
}

// pull takes what there is, each subscription's by read.
func (r *Reader) pull(ctx context.Context, read func(*subscription, *Batch) error) ([]Batch, error) {
	r.pulling.Lock()
	defer r.pulling.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	subs, closed := r.subs, r.closed
	r.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	var few [4]*subscription
	taken, batches, err := r.collect(subs, few[:0], nil, read)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	batches, deleted := r.settle(taken, batches)
	r.mu.Unlock()
	for _, s := range deleted {
		r.exit(s)
	}
	return batches, nil
}

// collect reads the subscriptions that are due, in turn and about ReaderOptions.MaxBytes in all, and appends them and their batches. If one fails, all are
// due again. pulling must be held.
func (r *Reader) collect(subs, taken []*subscription, batches []Batch, read func(*subscription, *Batch) error) ([]*subscription, []Batch, error) {
	first := r.turn
	for i, left := 0, r.options.MaxBytes; i < len(subs) && left > 0; i++ {
		at := (first + i) % len(subs)
		s := subs[at]
		// Cleared before looking: what is committed while we look sets it again.
		if !s.due.Load() || !s.due.Swap(false) {
			continue
		}
		taken, batches = append(taken, s), append(batches, Batch{})
		b := &batches[len(batches)-1]
		if err := read(s, b); err != nil {
			for _, s := range taken {
				s.due.Store(true)
			}
			return nil, nil, err
		}
		for i := range b.Messages {
			left -= b.Messages[i].size()
		}
		r.turn = at + 1
	}
	return taken, batches, nil
}

// read reads one channel from its position.
func (r *Reader) read(ctx context.Context, s *subscription, b *Batch) (err error) {
	*b, err = s.feed.read(ctx, r.hub.log, s.position, r.options.Limit, r.options.MaxBytes)
	switch {
	case err == nil:
		b.Messages, _ = s.lens.over(b.Messages, true)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrDeleted):
		*b = Batch{Channel: s.name, From: s.position, Gap: &Gap{From: s.position, Reason: Deleted}}
		return nil
	}
	return err
}

// settle moves the positions behind what was read, and keeps of the batches what there is to deliver; the caller has yet to exit what was deleted. A channel
// that was removed or moved by Add meanwhile is left out. mu must be held.
func (r *Reader) settle(taken []*subscription, batches []Batch) (deliver []Batch, deleted []*subscription) {
	deliver = batches[:0]
	for i, s := range taken {
		b := &batches[i]
		switch {
		case !s.live:
			continue
		case b.Gap != nil && b.Gap.Reason == Deleted:
			deleted = append(deleted, r.drop(s.name))
		case b.Gap != nil:
			s.position = b.Gap.Resume
			s.due.Store(true)
		default:
			s.position = b.To
			if b.More {
				s.due.Store(true)
			}
			if len(b.Messages) == 0 {
				continue
			}
		}
		deliver = append(deliver, *b)
	}
	return deliver, deleted
}
