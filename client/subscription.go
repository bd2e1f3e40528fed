package client

import (
	"context"
	"iter"
	"strconv"
	"sync"
)

// Subscription is one reader of one channel. Messages gives what comes; Position is how far that was taken.
type Subscription struct {
	channel string
	env     *env
	limit   int
	unhook  func() bool
	signals *signals
	ready   chan struct{} // holds one: something has changed for who waits
	known   chan struct{} // closed when it is known where the subscription is
	knowing sync.Once

	// Under env.mu.
	read   string // up to here it has been read
	taken  string // up to here it has been given to Messages
	queue  []item
	full   bool // nothing more is taken in until the queue is shorter
	closed bool
	why    error
}

// item is a message or a gap that waits, and the position after it.
type item struct {
	message  Message
	gap      *Gap
	position string
}

// A SubscribeOption says from where to read, or how.
type SubscribeOption func(*Subscription)

// After reads from a position on, as Subscription.Position or Receipt.Position gave it.
func After(position string) SubscribeOption {
	return func(s *Subscription) { s.read = position }
}

// FromStart reads everything that the channel has, and goes on.
func FromStart() SubscribeOption { return After("0") }

// FromEnd reads from now on. This is the default.
func FromEnd() SubscribeOption { return After(end) }

// Buffer is how many messages may wait here, in place of Options.Buffer.
func Buffer(messages int) SubscribeOption {
	return func(s *Subscription) { s.limit = max(1, messages) }
}

// Subscribe reads a channel live, until ctx is done, the subscription or the client is closed, or the channel may not be
// read any more. All subscriptions of a client share one connection; it finds its own way to the server and back. Reading begins
// at once, and does not wait for Messages.
func (c *Client) Subscribe(ctx context.Context, channel string, options ...SubscribeOption) *Subscription {
	s := &Subscription{
		channel: channel, env: c.env, limit: c.bufferSize, read: end, signals: newSignals(),
		ready: make(chan struct{}, 1), known: make(chan struct{}),
	}
	for _, o := range options {
		o(s)
	}
	s.taken = s.read
	if s.read != end {
		close(s.known)
		s.knowing.Do(func() {})
	}
	e := c.env
	e.mu.Lock()
	defer e.mu.Unlock()
	s.unhook = context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		s.queue = nil
		s.end(context.Cause(ctx))
	})
	if e.closed {
		s.closed, s.why = true, closedError()
		s.unhook()
		s.wake()
		return s
	}
	e.feeds.add(s)
	return s
}

// Channel is what is read.
func (s *Subscription) Channel() string { return s.channel }

// Position is where the reader is: after the last message that Messages has given. Give it to After to go on from here
// another day. Within a batch it is a bare number, which the server cannot verify; "end" until the server has said where that is.
func (s *Subscription) Position() string {
	s.env.mu.Lock()
	defer s.env.mu.Unlock()
	return s.taken
}

// Ready waits until it is known where the subscription is: whatever is published after that will be received. With FromEnd that
// takes an answer of the server.
func (s *Subscription) Ready(ctx context.Context) error {
	select {
	case <-s.known:
		s.env.mu.Lock()
		defer s.env.mu.Unlock()
		if s.read == end {
			return s.why
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends the subscription. What waits in it is dropped; Position tells where to go on.
func (s *Subscription) Close() {
	s.env.mu.Lock()
	defer s.env.mu.Unlock()
	s.queue = nil
	s.end(nil)
}

// Messages gives each message once, in order, as they come. Messages that cannot be had come as an error that is a *Gap, and
// the iteration goes on after it. Any other error is the last: ctx's of Subscribe, or an *Error that says why the channel
// is no longer read. After Close it ends without one. Leaving the loop ends nothing: another loop goes on behind it. One
// goroutine at a time should take messages; of several, each gets a part.
func (s *Subscription) Messages() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			next, ok := s.next()
			switch {
			case !ok && s.why != nil:
				yield(Message{}, s.why)
				return
			case !ok:
				return
			case next.gap != nil:
				if !yield(Message{}, next.gap) {
					return
				}
			case !yield(next.message, nil):
				return
			}
		}
	}
}

// next waits for the next item; false at the end.
func (s *Subscription) next() (item, bool) {
	for {
		s.env.mu.Lock()
		if len(s.queue) > 0 {
			first := s.queue[0]
			s.queue[0] = item{}
			s.queue = s.queue[1:]
			s.taken = first.position
			if s.full && !s.closed && len(s.queue) <= s.limit/2 {
				s.env.feeds.resume(s)
			}
			if len(s.queue) > 0 || s.closed {
				s.wake()
			}
			s.env.mu.Unlock()
			return first, true
		}
		closed := s.closed
		s.env.mu.Unlock()
		if closed {
			s.wake() // for whoever else waits
			return item{}, false
		}
		<-s.ready
	}
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// take queues what is new in a batch, and says how many messages that were. The lock is held, as for all below.
func (s *Subscription) take(b *object) int {
	own, n := seqOf(s.read), 0
	for _, m := range b.Messages {
		if m.Seq > own {
			s.queue = append(s.queue, item{message: m, position: strconv.FormatUint(m.Seq, 10)})
			n++
		}
	}
	s.read = b.To
	if len(s.queue) > 0 {
		s.queue[len(s.queue)-1].position = b.To
		s.wake()
	} else {
		s.taken = b.To
	}
	s.full = len(s.queue) >= s.limit
	return n
}

// miss queues a gap.
func (s *Subscription) miss(g *Gap) {
	if g.Resume != "" {
		s.read = g.Resume
	}
	s.queue = append(s.queue, item{gap: g, position: s.read})
	s.wake()
}

// moveTo: `end` is here.
func (s *Subscription) moveTo(position string) {
	s.read, s.taken = position, position
	s.knowing.Do(func() { close(s.known) })
}

func (s *Subscription) end(why error) {
	if s.closed {
		return
	}
	s.closed, s.why = true, why
	s.unhook()
	s.signals.close()
	s.knowing.Do(func() { close(s.known) })
	s.env.feeds.remove(s)
	s.wake()
}
