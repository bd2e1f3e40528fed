package channel

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"parley/problem"
)

// ErrClosed is returned by a Reader that was closed, by itself or with its Hub.
var ErrClosed = problem.New(http.StatusServiceUnavailable, "unavailable", "The reader is closed: the server is leaving")

// Hub delivers what a Log commits to the readers on this node. It keeps the newest messages of the channels that have
// readers, encoded once for all of them. All methods may be called concurrently.
type Hub struct {
	log      Log
	options  Options
	presence *Presence

	mu      sync.RWMutex
	feeds   map[Name]*feed // of the channels that have readers, or had some lately
	idle    []*feed        // those without, and maybe some that have got one again
	readers map[*Reader]struct{}
	closed  bool
}

var _ Sink = (*Hub)(nil)

// NewHub returns a Hub that follows log. Close ends it.
func NewHub(log Log, o Options) *Hub {
	h := &Hub{log: log, options: o.withDefaults(), feeds: map[Name]*feed{}, readers: map[*Reader]struct{}{}}
	h.presence = newPresence(h)
	log.Follow(h)
	if all, ok := log.(Presences); ok {
		h.presence.all = all
		all.Attend(h.options.HereLimit)
	}
	return h
}

// Close ends every reader (their Next returns ErrClosed) and presence. The log stays open.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	readers := make([]*Reader, 0, len(h.readers))
	for r := range h.readers {
		readers = append(readers, r)
	}
	feeds := slices.Collect(maps.Values(h.feeds))
	h.mu.Unlock()
	for _, r := range readers {
		r.Close()
	}
	for _, f := range feeds {
		f.end()
	}
	h.presence.close()
}

// Append checks the drafts, compacts their data where they are and commits them: see Log.Append. The bytes of their data must not be changed afterwards.
// Errors: ErrBadChannel, ErrBadType, ErrBadKey, ErrBadData, problem.TooLong, and those of Log.Append.
func (h *Hub) Append(ctx context.Context, drafts ...Draft) ([]Receipt, error) {
	for i := range drafts {
		err := drafts[i].check(h.options.DataLimit)
		switch {
		case err != nil && len(drafts) > 1:
			return nil, problem.Of(err).In("message %d", i+1)
		case err != nil:
			return nil, err
		}
	}
	return h.log.Append(ctx, drafts...)
}

// Before reads history backwards: see Log.Before. A limit of 0 means the default.
func (h *Hub) Before(ctx context.Context, name Name, before Position, limit int, lens Lens) (Batch, error) {
	def(&limit, h.options.BatchLimit)
	b, err := h.log.Before(ctx, name, before, limit, h.options.BatchBytes)
	b.Messages, _ = lens.over(b.Messages, true)
	return b, err
}

// Message returns one message, or ErrNoMessage.
func (h *Hub) Message(ctx context.Context, name Name, seq uint64) (Message, error) {
	return h.log.Message(ctx, name, seq)
}

// Tail is the position of the channel's newest message.
func (h *Hub) Tail(ctx context.Context, name Name) (Position, error) { return h.log.Tail(ctx, name) }

// Delete removes a channel for good: see Log.Delete.
func (h *Hub) Delete(ctx context.Context, name Name) error { return h.log.Delete(ctx, name) }

// Signal checks s and hands it to the streams that read its channel now, on every node. Data may be empty. Errors:
// ErrBadChannel, ErrBadType, ErrBadData, problem.TooLong, and those of Log.Signal.
func (h *Hub) Signal(ctx context.Context, s Signal) error {
	if err := s.check(h.options.SignalLimit); err != nil {
		return err
	}
	return h.log.Signal(ctx, s)
}

// Presence tells who reads what.
func (h *Hub) Presence() *Presence { return h.presence }

// Committed implements Sink. Its cost for each reader is one atomic read, and one wake-up if the reader has looked
// since the last.
func (h *Hub) Committed(ms []Message) {
	var few [8]*feed
	touched := few[:0]
	for len(ms) > 0 {
		n := 1
		for n < len(ms) && ms[n].Channel == ms[0].Channel {
			n++
		}
		if f := h.feed(ms[0].Channel); f != nil {
			f.add(ms[:n])
			if !slices.Contains(touched, f) {
				touched = append(touched, f)
			}
		}
		ms = ms[n:]
	}
	for _, f := range touched {
		f.committed()
	}
}

// Deleted implements Sink.
func (h *Hub) Deleted(name Name) {
	if f := h.feed(name); f != nil {
		f.forget()
		f.wake()
	}
}

// Signalled implements Sink.
func (h *Hub) Signalled(s Signal) {
	f := h.feed(s.Channel)
	switch {
	case f == nil:
	case s.Type == SignalHere && s.From == System: // the list is made for each reader when it looks
		f.refreshHere()
	default:
		s.json = s.AppendJSON(nil)
		f.signal(s)
	}
}

// feed returns the feed of a channel, or nil if nobody reads it.
func (h *Hub) feed(name Name) *feed {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.feeds[name]
}

// join makes s hear of its channel from now on.
func (h *Hub) join(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.feeds[s.name]
	if f == nil {
		f = newFeed(s.name, h.options)
		h.feeds[s.name] = f
	}
	s.feed, s.name = f, f.name // one text for all: whoever compares them sees that at once
	f.join(s)
}

// leave undoes join. The feed stays for a while after the last reader: of those that have none the oldest goes.
func (h *Hub) leave(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := s.feed
	if f.leave(s) > 0 {
		return
	}
	f.rest()
	if f.listed {
		return
	}
	f.listed = true
	if h.idle = append(h.idle, f); len(h.idle) > h.options.IdleChannels {
		oldest := h.idle[0]
		h.idle[0] = nil
		h.idle = h.idle[1:]
		if oldest.listed = false; oldest.here.Load() == 0 {
			oldest.end()
			delete(h.feeds, oldest.name)
		}
	}
}

// AtTail reports whether p is known, without a look at the log, to be the position of the channel's newest message: then there is
// nothing after it.
func (h *Hub) AtTail(name Name, p Position) bool {
	f := h.feed(name)
	if f == nil || p.Mark == 0 {
		return false
	}
	w := f.window.Load()
	return w.known && w.tail == p
}
