package channel

import (
	"cmp"

	"parley/internal/plain"
)

// Watched is how many channels have readers, and Idle how many others the hub knows the tail of.
func (h *Hub) Watched() int {
	watched, _ := h.kept()
	return watched
}

func (h *Hub) Idle() int {
	_, idle := h.kept()
	return idle
}

func (h *Hub) kept() (watched, idle int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, f := range h.feeds {
		if f.here.Load() > 0 {
			watched++
		} else {
			idle++
		}
	}
	return watched, idle
}

// Readers is how many readers the hub knows.
func (h *Hub) Readers() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.readers)
}

// Cached is what the hub keeps of a channel: messages, the length of the array that they live in, and their bytes.
func (h *Hub) Cached(name Name) (messages, array, bytes int) {
	w := h.feed(name).window.Load()
	for i := range w.messages {
		bytes += cmp.Or(cap(w.messages[i].json), w.messages[i].size())
	}
	return len(w.messages), len(w.messages) + w.dropped, bytes
}

// Waiting is how many signals wait for the reader.
func (r *Reader) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.signals)
}

// Kept is what presence holds, and whether the timer is set.
func (p *Presence) Kept() (channels, people, leaving int, timer bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, there := range p.channels {
		people += len(there.people)
	}
	return len(p.channels), people, len(p.leaving), p.timer != nil
}

// AppendString is how texts are written.
var AppendString = plain.AppendString

// Rewind moves the reader back without ado.
func (r *Reader) Rewind(name Name, p Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.subs[r.find(name)]
	s.position = p
	s.due.Store(true)
}
