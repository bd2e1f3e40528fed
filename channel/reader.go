package channel

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"parley/problem"
)

// ErrTooManyChannels is returned by Add when the reader has Options.MaxChannels.
var ErrTooManyChannels = problem.New(http.StatusUnprocessableEntity, "too_many_channels", "Too many channels for one reader")

// Mode is how a reader reads: it decides how long its person stays present afterwards, and whether it gets signals.
type Mode uint8

const (
	Poll     Mode = iota // asks now and then; no signals; Options.PollGrace
	LongPoll             // waits for one answer; no signals; Options.StreamGrace
	Stream               // SSE and WebSocket; signals; Options.StreamGrace
)

// ReaderOptions say who reads, and how.
type ReaderOptions struct {
	Person   Sender // who is present by this reader; the zero Sender is nobody
	Mode     Mode
	Limit    int // messages in a batch; 0: Options.BatchLimit
	MaxBytes int // bytes, about, of a batch and of a delivery; 0: Options.BatchBytes
}

// Reader reads many channels, each from a position. It holds positions and never messages, so one that does not call
// Next costs nothing but itself.
//
// Ready, Next and Take are for one goroutine at a time. All other methods may be called at any time by anyone, also while
// Next waits.
type Reader struct {
	hub     *Hub
	options ReaderOptions
	wake    atomic.Pointer[func()]
	told    atomic.Bool   // wake was called, and nobody has looked since
	woken   chan struct{} // what Next waits for; nil until then

	pulling sync.Mutex // held by Ready and Next while they look, not while they wait
	turn    int        // the subscription to begin with: guarded by pulling

	mu       sync.Mutex
	closed   bool
	subs     []*subscription // in the order added; replaced, never changed
	signals  []Signal
	hereSent bool // no subscription has hereDue
}

// subscription is one channel of a reader.
type subscription struct {
	reader *Reader
	name   Name
	lens   Lens
	feed   *feed
	index  int         // in feed.subs: guarded by feed.subscribers
	due    atomic.Bool // there may be something to read

	// guarded by reader.mu
	live     bool // whether it is among reader.subs
	position Position
	hereDue  bool // a here signal is to be sent
}

// wake notes that there may be something, and wakes the reader if that is news.
func (s *subscription) wake() {
	if !s.due.Load() && !s.due.Swap(true) {
		s.reader.notify()
	}
}

// NewReader returns a reader with no channels. Close ends it.
func (h *Hub) NewReader(o ReaderOptions) *Reader {
	def(&o.Limit, h.options.BatchLimit)
	def(&o.MaxBytes, h.options.BatchBytes)
	r := &Reader{hub: h, options: o, hereSent: true}
	h.mu.Lock()
	defer h.mu.Unlock()
	r.closed = h.closed
	if !h.closed {
		h.readers[r] = struct{}{}
	}
	return r
}

// Add begins to read a channel after a position, which it returns: End becomes the tail of this moment. A channel that the
// reader has already is moved there, and seen through the new lens. Errors: ErrTooManyChannels, ErrClosed, and those of Log.Tail; the reader is then
// as before.
func (r *Reader) Add(ctx context.Context, name Name, after Position, lens Lens) (Position, error) {
	if err := r.room(name); err != nil {
		return Position{}, err
	}
	s := &subscription{reader: r, name: name, lens: lens, position: after}
	s.due.Store(true)
	r.enter(s) // first subscribe, then look: nothing falls in between
	if after == End {
		tail, err := r.hub.log.Tail(ctx, name)
		if err != nil {
			r.exit(s)
			return Position{}, err
		}
		s.position = tail
	}
	position := s.position

	r.mu.Lock()
	err := r.roomLocked(name)
	gone := s
	if err == nil {
		gone = r.replace(s)
	}
	r.mu.Unlock()
	if gone != nil {
		r.exit(gone)
	}
	if err != nil {
		return Position{}, err
	}
	r.notify()
	return position, nil
}

func (r *Reader) room(name Name) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.roomLocked(name)
}

// roomLocked tells whether the reader can take the channel.
func (r *Reader) roomLocked(name Name) error {
	switch most := r.hub.options.MaxChannels; {
	case r.closed:
		return ErrClosed
	case len(r.subs) >= most && r.find(name) < 0:
		return ErrTooManyChannels.Detail("a reader has at most %d channels: remove one before adding %s", most, name)
	}
	return nil
}

// replace puts s among the subscriptions and returns the one whose place it took, if any.
func (r *Reader) replace(s *subscription) (old *subscription) {
	subs := slices.Clone(r.subs)
	if i := r.find(s.name); i >= 0 {
		old, subs[i] = subs[i], s
		old.live, s.hereDue = false, old.hereDue
	} else {
		subs = append(subs, s)
		s.hereDue = r.options.Mode == Stream
	}
	s.live, r.subs = true, subs
	r.hereSent = r.hereSent && !s.hereDue
	return old
}

// Remove ends the reading of a channel. A batch or signal that Next has taken already may still be returned by it.
func (r *Reader) Remove(name Name) {
	r.mu.Lock()
	s := r.drop(name)
	r.mu.Unlock()
	if s != nil {
		r.exit(s)
	}
}

// drop takes a channel out of the subscriptions, with the signals that wait; the caller has yet to exit it.
func (r *Reader) drop(name Name) *subscription {
	i := r.find(name)
	if i < 0 {
		return nil
	}
	s := r.subs[i]
	s.live = false
	r.subs = slices.Concat(r.subs[:i], r.subs[i+1:])
	r.signals = slices.DeleteFunc(r.signals, func(sig Signal) bool { return sig.Channel == name })
	return s
}

// enter makes s hear of its channel, and its person present there. Others learn of the person, not the reader itself.
func (r *Reader) enter(s *subscription) {
	r.hub.presence.arrive(s.name, r.options.Person)
	r.hub.join(s)
}

// exit undoes enter. It must not be called with r.mu held, which is the innermost lock.
func (r *Reader) exit(s *subscription) {
	r.hub.leave(s)
	grace := r.hub.options.StreamGrace
	if r.options.Mode == Poll {
		grace = r.hub.options.PollGrace
	}
	r.hub.presence.depart(s.name, r.options.Person, grace)
}

// Position is where the reader is in a channel: behind what Next or Ready returned last.
func (r *Reader) Position(name Name) (Position, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.find(name); i >= 0 {
		return r.subs[i].position, true
	}
	return Position{}, false
}

// Lens is what a channel is seen through; nil: as it is.
func (r *Reader) Lens(name Name) Lens {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.find(name); i >= 0 {
		return r.subs[i].lens
	}
	return nil
}

// Len is how many channels it has.
func (r *Reader) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.subs)
}

// Names are the reader's channels, in the order added.
func (r *Reader) Names() []Name {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]Name, len(r.subs))
	for i, s := range r.subs {
		names[i] = s.name
	}
	return names
}

// Close ends the reader; it may be repeated. A waiting Next returns ErrClosed.
func (r *Reader) Close() {
	r.mu.Lock()
	subs := r.subs
	for _, s := range subs {
		s.live = false
	}
	r.subs, r.signals, r.closed = nil, nil, true
	r.mu.Unlock()
	for _, s := range subs {
		r.exit(s)
	}
	r.hub.mu.Lock()
	delete(r.hub.readers, r)
	r.hub.mu.Unlock()
	r.notify()
}

// find returns the index of a channel in subs, or -1. Readers have few channels.
func (r *Reader) find(name Name) int {
	return slices.IndexFunc(r.subs, func(s *subscription) bool { return s.name == name })
}

// OnWake makes f be called when there may be something to take, once until Take or TakeCached is called; if there may be something
// already, at once. So a reader for whom nothing comes needs no goroutine. f is called by whoever brings it, with locks held: it
// must not block, nor use the reader. It takes the place of one given before; a reader that is woken so is not for Next.
func (r *Reader) OnWake(f func()) {
	r.wake.Store(&f)
	if r.told.Load() {
		f()
	}
}

// notify wakes whoever takes what there is, unless they were told.
func (r *Reader) notify() {
	if r.told.Load() || r.told.Swap(true) {
		return
	}
	if f := r.wake.Load(); f != nil {
		(*f)()
	}
}
