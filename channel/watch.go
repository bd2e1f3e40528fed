package channel

// Watcher is what a Sink may be beside: it tells an engine that hears of everything which channels matter here, and what is
// known of them. Its methods must not block.
type Watcher interface {
	Watches(Name) bool
	Tails() []Tail
}

// Tail is a channel that has readers on this node.
type Tail struct {
	Channel  Name
	Position Position // up to where it is known
	Known    bool     // whether anything is
}

var _ Watcher = (*Hub)(nil)

// Watches implements Watcher.
func (h *Hub) Watches(name Name) bool { return h.feed(name) != nil }

// Tails implements Watcher.
func (h *Hub) Tails() []Tail {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make([]Tail, 0, len(h.feeds))
	for name, f := range h.feeds {
		w := f.window.Load()
		all = append(all, Tail{name, w.tail, w.known})
	}
	return all
}
