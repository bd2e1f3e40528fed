package channel

import (
	"context"
	"errors"
)

// TakeCached is Take for who must not wait for the log either, nor for a Lens. Unless all that is to be had is in memory, and its lens knows at
// once what may be seen of it, it takes nothing and returns false: then Take is to be called, where there is time. The batches are in room if that
// is large enough.
func (r *Reader) TakeCached(room []Batch) (d Delivery, ok bool, err error) {
	r.told.Store(false)
	d, err = r.takePlain(room)
	if err == errNotPlain {
		d, err = r.takeSeen()
	}
	if err == errNotCached {
		return Delivery{}, false, nil
	}
	return d, err == nil, err
}

var (
	errNotCached = errors.New("the log, or another node, is to be asked")
	errNotPlain  = errors.New("a lens, or who is here, is to be looked at")
)

// takePlain is TakeCached for nearly every delivery, with one lock: of channels that are seen as they are, and without a list of who is here. The lock
// is the innermost, so no lens is asked meanwhile.
func (r *Reader) takePlain(room []Batch) (d Delivery, err error) {
	r.pulling.Lock()
	defer r.pulling.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return Delivery{}, ErrClosed
	case !r.hereSent:
		return Delivery{}, errNotPlain
	}
	var few [4]*subscription
	taken, batches, err := r.collect(r.subs, few[:0], room[:0], func(s *subscription, b *Batch) error {
		if s.lens != nil {
			return errNotPlain
		}
		return s.cached(&r.options, b)
	})
	if err != nil {
		return Delivery{}, err
	}
	d.Batches, _ = r.settle(taken, batches) // memory tells of no deletion
	d.Signals, d.More = r.signals, r.isDueLocked()
	r.signals = nil
	return d, nil
}

// takeSeen is TakeCached for everything else.
func (r *Reader) takeSeen() (Delivery, error) {
	if r.hub.presence.all != nil && r.isHereDue() {
		return Delivery{}, errNotCached // other nodes are to be asked who is there
	}
	batches, err := r.pull(context.Background(), func(s *subscription, b *Batch) (err error) {
		if err = s.cached(&r.options, b); err != nil {
			return err
		}
		var ok bool
		if b.Messages, ok = s.lens.over(b.Messages, false); !ok {
			return errNotCached
		}
		return nil
	})
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{batches, r.takeSignals(), r.isDue()}, nil
}

// cached sets b to what memory has for the subscription.
func (s *subscription) cached(o *ReaderOptions, b *Batch) error {
	var ok bool
	if *b, ok = s.feed.window.Load().after(s.name, s.position, o.Limit, o.MaxBytes); !ok {
		return errNotCached
	}
	return nil
}
