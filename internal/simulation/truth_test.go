package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/channel"
)

// truth is all that was ever committed, heard of at its source: for each channel a tree of messages, as a log that lost its end
// grows another one.
type truth struct {
	policies channel.Policies

	mu       sync.Mutex
	channels map[channel.Name]*history
	restores int // older copies that were taken up
	wrong    []string
}

// history is one channel's.
type history struct {
	nodes   map[channel.Position]*node
	tail    channel.Position // of the log as it is now
	highest uint64           // seq that any log had
	deleted []time.Time
	gone    bool
}

// node is a message in the tree. Its parent is Before().
type node struct {
	channel.Message
	lost time.Time // when an older copy was restored that does not have it
}

func newTruth(policies channel.Policies) *truth {
	return &truth{policies: policies, channels: map[channel.Name]*history{}}
}

func (tr *truth) of(name channel.Name) *history {
	h := tr.channels[name]
	if h == nil {
		h = &history{nodes: map[channel.Position]*node{}}
		tr.channels[name] = h
	}
	return h
}

func (tr *truth) bad(format string, args ...any) {
	tr.wrong = append(tr.wrong, fmt.Sprintf(format, args...))
}

// committed takes what an engine has committed. One that was replaced by an older copy may still say something: that is lost.
func (tr *truth) committed(ms []channel.Message, replaced bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, m := range ms {
		h := tr.of(m.Channel)
		n := &node{Message: m}
		if _, ok := h.nodes[m.Position()]; ok {
			tr.bad("%s: %v was committed twice", m.Channel, m.Position())
		}
		switch {
		case replaced:
			n.lost = time.Now()
		case m.Before() != h.tail:
			tr.bad("%s: behind %v was committed %v, which follows %v", m.Channel, h.tail, m.Position(), m.Before())
		}
		h.nodes[m.Position()] = n
		if !replaced {
			h.tail = m.Position()
			h.highest = max(h.highest, m.Seq)
		}
	}
}

// deletes notes that a channel will be deleted.
func (tr *truth) deletes(name channel.Name) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	h := tr.of(name)
	h.deleted, h.gone = append(h.deleted, time.Now()), true
}

// restored takes the tail that a channel has in an older copy; everything behind it is lost.
func (tr *truth) restored(name channel.Name, tail channel.Position) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	h := tr.of(name)
	for p := h.tail; p != tail; {
		n := h.nodes[p]
		if n == nil {
			tr.bad("%s: the copy ends at %v, which is not in the past of %v", name, tail, h.tail)
			break
		}
		n.lost = time.Now()
		p = n.Before()
	}
	h.tail, h.gone = tail, false
}

// path is the log as it is now, from the beginning.
func (h *history) path() []*node {
	nodes := make([]*node, h.tail.Seq)
	for p := h.tail; p.Seq > 0; {
		n := h.nodes[p]
		nodes[p.Seq-1] = n
		p = n.Before()
	}
	return nodes
}

// descends tells whether a reader at `from` (a bare seq: with any past) can get n next of those that it can get.
func (h *history) descends(n *node, from channel.Position) bool {
	p := n.Before()
	for p.Seq > from.Seq {
		p = h.nodes[p].Before()
	}
	return p == from || p.Seq == from.Seq && from.Mark == 0
}

// present compares what can be read now with what was committed.
func (tr *truth) present(hub *channel.Hub) {
	for name, h := range tr.channels {
		if h.gone {
			continue
		}
		path, before := h.path(), channel.End
		for at := h.tail; ; {
			b, err := hub.Before(context.Background(), name, before, 50, nil)
			if err != nil || b.To != at {
				tr.bad("%s: the page before %v ends at %v, not %v (%v)", name, before, b.To, at, err)
				break
			}
			for i := range b.Messages {
				if m, n := &b.Messages[i], path[b.Messages[i].Seq-1]; !same(m, n) {
					tr.bad("%s: %v is there, %v was committed", name, *m, n.Message)
				}
			}
			if !b.More {
				tr.kept(name, b.From, "the log")
				break
			}
			before, at = channel.Position{Seq: b.From.Seq + 1}, b.From
		}
	}
}

func same(m *channel.Message, n *node) bool {
	return n != nil && m.Position() == n.Position() && m.ID == n.ID && m.From == n.From && string(m.Data) == string(n.Data)
}

// kept demands that what is up to a position may be gone by now.
func (tr *truth) kept(name channel.Name, floor channel.Position, who string) {
	h, policy := tr.of(name), tr.policies.For(name)
	n := h.nodes[floor]
	switch {
	case floor.Seq == 0:
	case n == nil:
		tr.bad("%s: for %s it begins behind %v, which never was", name, who, floor)
	case policy.KeepCount > 0 && floor.Seq+policy.KeepCount <= h.highest:
	case policy.KeepAge > 0 && time.Since(n.At) > policy.KeepAge:
	default:
		tr.bad("%s: for %s it begins behind %v, though the tail was never beyond %d", name, who, floor, h.highest)
	}
}
