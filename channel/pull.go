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
func (r *Reader) Ready(ctx context.Context) ([]Batch, error) { return r.pull(ctx, false) }

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
	batches, err := r.pull(ctx, false)
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{batches, r.takeSignals(), r.isDue()}, nil
}

// errNotCached is returned by pull to TakeCached.
var errNotCached = errors.New("the log is to be asked")

// isDue reports whether a channel may have something that no wake-up will tell of.
func (r *Reader) isDue() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isDueLocked()
}

func (r *Reader) isDueLocked() bool {
	return slices.ContainsFunc(r.subs, func(s *subscription) bool { return s.due.Load() })
}

// pulled is what was read for a subscription, before its position moves.
type pulled struct {
	sub   *subscription
	batch Batch
}

// pull takes what there is, or fails with errNotCached if it may take only what is in memory, and that is not all.
func (r *Reader) pull(ctx context.Context, cached bool) ([]Batch, error) {
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

	var few [4]pulled
	taken := few[:0]
	first := r.turn
	for i, left := 0, r.options.MaxBytes; i < len(subs) && left > 0; i++ {
		at := (first + i) % len(subs)
		s := subs[at]
		// Cleared before looking: what is committed while we look sets it again.
		if !s.due.Load() || !s.due.Swap(false) {
			continue
		}
		b, err := r.read(ctx, s, cached)
		if err != nil {
			s.due.Store(true)
			for _, t := range taken {
				t.sub.due.Store(true)
			}
			return nil, err
		}
		taken = append(taken, pulled{s, b})
		for i := range b.Messages {
			left -= b.Messages[i].size()
		}
		r.turn = at + 1
	}
	return r.settle(taken), nil
}

// read reads one channel from its position.
func (r *Reader) read(ctx context.Context, s *subscription, cached bool) (Batch, error) {
	if cached {
		b, ok := s.feed.window.Load().after(s.name, s.position, r.options.Limit, r.options.MaxBytes)
		if ok {
			b.Messages, ok = s.lens.over(b.Messages, false)
		}
		if !ok {
			return Batch{}, errNotCached
		}
		return b, nil
	}
	b, err := s.feed.read(ctx, r.hub.log, s.position, r.options.Limit, r.options.MaxBytes)
	switch {
	case err == nil:
		b.Messages, _ = s.lens.over(b.Messages, true)
		return b, nil
	case ctx.Err() != nil:
		return Batch{}, ctx.Err()
	case errors.Is(err, ErrDeleted):
		return Batch{Channel: s.name, From: s.position, Gap: &Gap{From: s.position, Reason: Deleted}}, nil
	}
	return Batch{}, err
}

// settle moves the positions behind what was read, and returns what there is to deliver. A channel that was removed or
// moved by Add meanwhile is left out.
func (r *Reader) settle(taken []pulled) []Batch {
	if len(taken) == 0 {
		return nil
	}
	var batches []Batch
	var deleted []*subscription
	r.mu.Lock()
	for i := range taken {
		s, b := taken[i].sub, &taken[i].batch
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
		if batches == nil {
			batches = make([]Batch, 0, len(taken)-i)
		}
		batches = append(batches, *b)
	}
	r.mu.Unlock()
	for _, s := range deleted {
		r.exit(s)
	}
	return batches
}
