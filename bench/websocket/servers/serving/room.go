package serving

import (
	"slices"
	"sync"
)

// Room holds the subscribers.
type Room[C comparable] struct {
	mu      sync.Mutex
	members []C
}

// Join adds a subscriber.
func (r *Room[C]) Join(c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, c)
}

// Leave removes a subscriber.
func (r *Room[C]) Leave(c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.members, c); i >= 0 {
		r.members = slices.Delete(r.members, i, i+1)
	}
}

// Each calls f for every subscriber.
func (r *Room[C]) Each(f func(C)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.members {
		f(c)
	}
}
