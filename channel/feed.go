package channel

import (
	"context"
	"sync"
	"sync/atomic"
)

// feed is a channel that has readers on this node: its newest messages, and whom to wake. For a while after the last of them has left
// it still knows the tail: those who poll come back to it.
type feed struct {
	name   Name
	listed bool         // in Hub.idle: guarded by Hub.mu
	here   atomic.Int32 // how many readers there are

	mu     sync.Mutex // of whoever replaces the window
	window atomic.Pointer[window]

	pace *pace // of a conflated kind; nil: readers are woken at once

	subscribers sync.Mutex
	subs        []*subscription
}

func newFeed(name Name, o Options) *feed {
	l := windowLimits{messages: o.CacheMessages, bytes: o.CacheBytes, policy: o.Policies.For(name)}
	if keep := l.policy.KeepCount; keep > 0 && keep < uint64(l.messages) {
		l.messages = int(keep)
	}
	f := &feed{name: name}
	if l.policy.Conflate && o.ConflateEvery > 0 {
		f.pace = &pace{every: o.ConflateEvery, wake: f.wake}
	}
	f.window.Store(&window{limits: l})
	return f
}

func (f *feed) add(ms []Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := *f.window.Load()
	if f.here.Load() == 0 {
		w = w.at(ms[len(ms)-1].Position())
		ms = nil
	}
	for _, m := range ms {
		w = w.add(m)
	}
	f.window.Store(&w)
}

// rest keeps nothing but the tail, once nobody reads.
func (f *feed) rest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.window.Load(); w.known && f.here.Load() == 0 {
		tail := w.at(w.tail)
		f.window.Store(&tail)
	}
}

func (f *feed) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.window.Load().forget()
	f.window.Store(&w)
}

// read is Log.Read, from memory where that can vouch for the answer.
func (f *feed) read(ctx context.Context, log Log, after Position, limit, maxBytes int) (Batch, error) {
	w := f.window.Load()
	if b, ok := w.after(f.name, after, limit, maxBytes); ok {
		return b, nil
	}
	b, err := log.Read(ctx, f.name, after, limit, maxBytes)
	if err == nil && !w.known && b.Gap == nil && !b.More {
		f.fill(w, b)
	}
	return b, err
}

// fill makes what the first reader read up to the tail the window, so that those who come back together after a restart do
// not all ask the log. If the window is not as seen before that read any more, something was committed since, and b may be
// older than an amendment in it.
func (f *feed) fill(seen *window, b Batch) {
	w := seen.at(b.To)
	if len(b.Messages) > 0 {
		w = seen.forget()
	}
	for _, m := range b.Messages {
		w = w.add(m)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.here.Load() == 0 {
		w = w.at(b.To)
	}
	if w.tail == b.To && f.window.Load() == seen {
		f.window.Store(&w)
	}
}

// committed tells every reader that there is something new, at the channel's pace.
func (f *feed) committed() {
	if f.pace != nil {
		f.pace.step()
		return
	}
	f.wake()
}

// end ends what the feed has running.
func (f *feed) end() {
	if f.pace != nil {
		f.pace.end()
	}
}

// wake tells every reader that there is something. One that was told and has not looked yet is passed over.
func (f *feed) wake() {
	f.subscribers.Lock()
	defer f.subscribers.Unlock()
	for _, s := range f.subs {
		s.wake()
	}
}

// signal hands s to the streams.
func (f *feed) signal(sig Signal) {
	f.subscribers.Lock()
	defer f.subscribers.Unlock()
	for _, s := range f.subs {
		s.reader.pushSignal(s, sig)
	}
}

// refreshHere makes every stream get a new here signal.
func (f *feed) refreshHere() {
	f.subscribers.Lock()
	defer f.subscribers.Unlock()
	for _, s := range f.subs {
		s.reader.refreshHere(s)
	}
}

func (f *feed) join(s *subscription) {
	f.subscribers.Lock()
	defer f.subscribers.Unlock()
	s.index = len(f.subs)
	f.subs = append(f.subs, s)
	f.here.Add(1)
}

// leave removes s and returns how many are left.
func (f *feed) leave(s *subscription) int {
	f.subscribers.Lock()
	defer f.subscribers.Unlock()
	last := len(f.subs) - 1
	f.subs[s.index] = f.subs[last]
	f.subs[s.index].index = s.index
	f.subs[last] = nil
	f.subs = f.subs[:last]
	f.here.Add(-1)
	return last
}
