package channel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/channel"
)

// memory is the reference Log: the plainest thing that keeps the contract. It commits at once; what it committed is
// announced to the sink at once too, or, if held, when announce is called.
type memory struct {
	policies channel.Policies

	mu         sync.Mutex
	channels   map[channel.Name]*record
	sink       channel.Sink
	held       bool
	pending    []channel.Message // committed, not announced
	marks      channel.Mark
	reads      int    // calls of Read
	fail       error  // what Read returns next, once
	meanwhile  func() // called once, within the next Read, after it has read
	announcing sync.Mutex
}

// record is one channel.
type record struct {
	messages []channel.Message // all that were ever appended; index seq-1
	appended []channel.Draft   // what they were made of
	first    uint64            // seq of the oldest that is still kept
	deleted  bool
}

func newMemory(policies channel.Policies) *memory {
	return &memory{policies: policies, channels: map[channel.Name]*record{}}
}

func (l *memory) Follow(s channel.Sink) { l.sink = s }

func (l *memory) record(name channel.Name) *record {
	c := l.channels[name]
	if c == nil {
		c = &record{first: 1}
		l.channels[name] = c
	}
	return c
}

func (c *record) tail() channel.Position {
	if len(c.messages) == 0 {
		return channel.Position{}
	}
	return c.messages[len(c.messages)-1].Position()
}

func (c *record) at(seq uint64) channel.Position {
	if seq == 0 {
		return channel.Position{}
	}
	return c.messages[seq-1].Position()
}

// gap is the verdict on a position: nil if it is in the log's past and what follows it is still there.
func (c *record) gap(after channel.Position) *channel.Gap {
	g := &channel.Gap{From: after, Tail: c.tail()}
	switch {
	case c.deleted:
		return &channel.Gap{From: after, Reason: channel.Deleted}
	case after.Mark != 0 && (after.Seq > uint64(len(c.messages)) || c.at(after.Seq) != after):
		g.Reason = channel.Rollback
	case after.Seq+1 < c.first:
		g.Reason = channel.Retention
	default:
		return nil
	}
	g.Resume = c.at(c.first - 1)
	return g
}

func (c *record) amend(a *channel.Amendment) {
	if a != nil {
		for _, seq := range append(slices.Clone(a.Also), a.Seq) {
			c.messages[seq-1].Data = a.Data
		}
	}
}

func (l *memory) Append(ctx context.Context, drafts ...channel.Draft) ([]channel.Receipt, error) {
	l.mu.Lock()
	var receipts []channel.Receipt
	for _, d := range drafts {
		c := l.record(d.Channel)
		if c.deleted {
			l.mu.Unlock()
			return nil, channel.ErrDeleted
		}
		l.marks++
		m := channel.Message{
			Channel: d.Channel, Seq: uint64(len(c.messages)) + 1, Mark: l.marks, Prev: c.tail().Mark,
			ID: d.Key, Type: d.Type, From: d.From, At: time.Now().UTC().Truncate(time.Millisecond), Data: d.Data,
		}
		c.messages, c.appended = append(c.messages, m), append(c.appended, d)
		c.amend(d.Amend)
		m.Amend = d.Amend
		l.pending = append(l.pending, m)
		receipts = append(receipts, channel.Receipt{Channel: d.Channel, Position: m.Position(), ID: m.ID, At: m.At, Durability: channel.Memory})
	}
	held := l.held
	l.mu.Unlock()
	if !held {
		l.announce(-1)
	}
	return receipts, nil
}

// announce hands at most n of the pending messages to the sink, in order; -1: all.
func (l *memory) announce(n int) {
	l.announcing.Lock()
	defer l.announcing.Unlock()
	l.mu.Lock()
	if n < 0 || n > len(l.pending) {
		n = len(l.pending)
	}
	now := slices.Clone(l.pending[:n])
	l.pending = l.pending[n:]
	l.mu.Unlock()
	if len(now) > 0 {
		l.sink.Committed(now)
	}
}

func (l *memory) Read(ctx context.Context, name channel.Name, after channel.Position, limit, maxBytes int) (channel.Batch, error) {
	b, meanwhile, err := l.read(ctx, name, after, limit)
	if meanwhile != nil {
		meanwhile()
	}
	return b, err
}

func (l *memory) read(ctx context.Context, name channel.Name, after channel.Position, limit int) (b channel.Batch, meanwhile func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	meanwhile, l.meanwhile = l.meanwhile, nil
	if err, l.fail = l.fail, nil; err != nil {
		return b, meanwhile, err
	}
	if err := ctx.Err(); err != nil {
		return b, meanwhile, fmt.Errorf("reading %s: %w", name, err)
	}
	c := l.record(name)
	b = channel.Batch{Channel: name, From: after, To: after}
	if b.Gap = c.gap(after); b.Gap != nil {
		b.To = b.Gap.Resume
		return b, meanwhile, nil
	}
	if after.Seq >= uint64(len(c.messages)) {
		b.From, b.To = c.tail(), c.tail()
		return b, meanwhile, nil
	}
	b.From = c.at(after.Seq)
	rest := c.messages[after.Seq:]
	if l.policies.For(name).Conflate {
		rest = rest[len(rest)-1:]
	}
	if len(rest) > limit {
		rest, b.More = rest[:limit], true
	}
	b.Messages = slices.Clone(rest)
	b.To = rest[len(rest)-1].Position()
	return b, meanwhile, nil
}

func (l *memory) Before(ctx context.Context, name channel.Name, before channel.Position, limit, maxBytes int) (channel.Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.record(name)
	end := min(before.Seq-1, uint64(len(c.messages)))
	start := max(c.first-1, end-min(end, uint64(limit)))
	return channel.Batch{Channel: name, From: c.at(start), To: c.at(end), Messages: slices.Clone(c.messages[start:end]), More: start >= c.first}, nil
}

func (l *memory) Message(ctx context.Context, name channel.Name, seq uint64) (channel.Message, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.record(name)
	if seq < c.first || seq > uint64(len(c.messages)) {
		return channel.Message{}, channel.ErrNoMessage
	}
	return c.messages[seq-1], nil
}

func (l *memory) Tail(ctx context.Context, name channel.Name) (channel.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record(name).tail(), ctx.Err()
}

func (l *memory) Delete(ctx context.Context, name channel.Name) error {
	l.mu.Lock()
	*l.record(name) = record{first: 1, deleted: true}
	l.unannounce(name, 0)
	l.mu.Unlock()
	l.sink.Deleted(name)
	return nil
}

func (l *memory) Signal(ctx context.Context, s channel.Signal) error {
	l.sink.Signalled(s)
	return nil
}

// retain removes all messages but the newest keep, as retention does.
func (l *memory) retain(name channel.Name, keep int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.record(name)
	if first := len(c.messages) - keep + 1; first > int(c.first) {
		c.first = uint64(first)
	}
}

// rollback loses the end of a channel: all after seq.
func (l *memory) rollback(name channel.Name, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.record(name)
	if seq < uint64(len(c.messages)) && seq+1 >= c.first {
		c.messages, c.appended = slices.Clone(c.messages[:seq]), c.appended[:seq]
		for i, d := range c.appended {
			c.messages[i].Data = d.Data
		}
		for _, d := range c.appended {
			c.amend(d.Amend)
		}
		l.unannounce(name, seq)
	}
}

func (l *memory) unannounce(name channel.Name, after uint64) {
	l.pending = slices.DeleteFunc(l.pending, func(m channel.Message) bool { return m.Channel == name && m.Seq > after })
}

func (l *memory) readCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads
}

var ann = channel.Sender{ID: "u1", Name: "Ann"}

// text is a draft of a text message.
func text(name channel.Name, s string) channel.Draft {
	data, _ := json.Marshal(map[string]string{"text": s})
	return channel.Draft{Channel: name, Type: "text", From: ann, Data: data}
}
