package channel

import "context"

// TakeCached is Take for who must not wait for the log either, nor for a Lens. Unless all that is to be had is in memory, and its lens knows at
// once what may be seen of it, it takes nothing and returns false: then Take is to be called, where there is time. The batches are in room if that
// is large enough.
func (r *Reader) TakeCached(room []Batch) (d Delivery, ok bool, err error) {
	r.told.Store(false)
	r.pulling.Lock()
	d, ok, plain := r.takePlain(room)
	r.pulling.Unlock()
	if plain {
		return d, ok, nil
	}
	if r.hub.presence.all != nil && r.isHereDue() {
		return Delivery{}, false, nil // other nodes are to be asked who is there
	}
	batches, err := r.pull(context.Background(), true)
	switch {
	case err == errNotCached:
		return Delivery{}, false, nil
	case err != nil:
		return Delivery{}, false, err
	}
	return Delivery{batches, r.takeSignals(), r.isDue()}, true, nil
}

// takePlain is TakeCached for the plain case, which is nearly every delivery: channels seen as they are, and nobody's list of who is here. It is
// false where something else is the matter; nothing is taken then. pulling must be held.
func (r *Reader) takePlain(room []Batch) (d Delivery, ok, plain bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || !r.hereSent {
		return Delivery{}, false, false
	}
	var few [4]*subscription
	taken, batches := few[:0], room[:0]
	giveBack := func() {
		for _, s := range taken {
			s.due.Store(true)
		}
	}
	left, turn := r.options.MaxBytes, r.turn
	for i := 0; i < len(r.subs) && left > 0; i++ {
		at := (r.turn + i) % len(r.subs)
		s := r.subs[at]
		// Cleared before looking: what is committed while we look sets it again.
		if !s.due.Load() || !s.due.Swap(false) {
			continue
		}
		taken = append(taken, s)
		if s.lens != nil {
			giveBack()
			return Delivery{}, false, false
		}
		b, cached := s.feed.window.Load().after(s.name, s.position, r.options.Limit, r.options.MaxBytes)
		if !cached {
			giveBack()
			return Delivery{}, false, true
		}
		for i := range b.Messages {
			left -= b.Messages[i].size()
		}
		batches = append(batches, b)
		turn = at + 1
	}
	n := 0
	for i, s := range taken {
		b := &batches[i]
		if s.position = b.To; b.More {
			s.due.Store(true)
		}
		if len(b.Messages) > 0 {
			batches[n] = *b
			n++
		}
	}
	d.Batches, d.Signals, d.More = batches[:n], r.signals, r.isDueLocked()
	r.turn, r.signals = turn, nil
	return d, true, true
}
