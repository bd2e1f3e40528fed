package channel

// Watcher is what a Sink may be beside: it tells an engine that hears of everything which channels matter here, and what is
// known of them. Its methods must not block.
type Watcher interface {
	Watches(Name) bool
	Watched() []Watched
}

// Watched is a channel that has readers on this node.
type Watched struct {
	Channel Name
	Tail    Position // up to where it is known
	Known   bool     // whether anything is
}

var _ Watcher = (*Hub)(nil)

// Watches implements Watcher.
func (h *Hub) Watches(name Name) bool { return h.feed(name) != nil }

// Watched implements Watcher.
func (h *Hub) Watched() []Watched {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make([]Watched, 0, len(h.feeds))
	for name, f := range h.feeds {
		w := f.window.Load()
		all = append(all, Watched{name, w.tail, w.known})
	}
	return all
}
