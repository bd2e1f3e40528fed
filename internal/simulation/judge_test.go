package simulation

import (
	"parley/channel"
	"parley/client"
)

// note notes what went wrong for somebody.
func (tr *truth) note(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.bad(format, args...)
}

// told judges a gap when it is told: it must be true then.
func (tr *truth) told(who string, name channel.Name, g *client.Gap) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	h := tr.of(name)
	from, err := channel.ParsePosition(g.From)
	if err != nil {
		tr.bad("%s: %s is told of a gap from %q", name, who, g.From)
		return
	}
	switch g.Reason {
	case "deleted":
		if len(h.deleted) == 0 {
			tr.bad("%s: %s is told that it was deleted", name, who)
		}
		return
	case "rollback":
		if n := h.nodes[from]; n != nil && n.lost.IsZero() {
			tr.bad("%s: %s at %v is told that its past is another; it is not", name, who, from)
		}
	case "retention":
	default:
		tr.bad("%s: %s is told of a gap for reason %q", name, who, g.Reason)
	}
	resume, err := channel.ParsePosition(g.Resume)
	if err != nil {
		tr.bad("%s: %s is to resume at %q", name, who, g.Resume)
		return
	}
	tr.kept(name, resume, who)
}

// judge is the verdict, when all is over.
func (w *world) judge(publishers []*publisher, readers []*reader) []string {
	tr := w.truth
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, p := range publishers {
		tr.judgePublisher(p)
	}
	for _, r := range readers {
		for _, name := range names {
			if got := r.got[name]; got != nil {
				tr.judgeReader(r.who, name, got)
			}
		}
	}
	return tr.wrong
}

// judgePublisher demands that every message was answered; that what was acknowledged was committed as it was said, at that place;
// that it had one effect; and that the publisher's order is the log's.
func (tr *truth) judgePublisher(p *publisher) {
	type place struct {
		name channel.Name
		id   string
	}
	times, last := map[place]int{}, map[channel.Name]int{}
	byID := map[string]*said{}
	for _, s := range p.said {
		byID[s.id] = s
	}
	for _, name := range names {
		for _, n := range tr.of(name).path() {
			s := byID[n.ID]
			if s == nil {
				continue
			}
			if times[place{name, n.ID}]++; times[place{name, n.ID}] > 1 {
				tr.bad("%s: %s is there twice, the second time at %v", name, n.ID, n.Position())
			}
			if s.repeated && tr.restores > 0 {
				continue // repeated after it was lost, it comes behind younger ones
			}
			if s.order < last[name] {
				tr.bad("%s: %s comes behind %s.%d", name, n.ID, p.who, last[name])
			}
			last[name] = s.order
		}
	}
	for _, s := range p.said {
		h := tr.of(s.channel)
		var first *node
		for _, a := range s.answers {
			at, _ := channel.ParsePosition(a.receipt.Position)
			n := h.nodes[at]
			switch {
			case n == nil || n.ID != s.id || n.From.ID != p.who || string(n.Data) != s.data || a.receipt.ID != s.id || a.receipt.Channel != string(s.channel):
				tr.bad("%s: %s was acknowledged with %+v, which was not committed so", s.channel, s.id, a.receipt)
			case first != nil && first != n && (first.lost.IsZero() || first.lost.After(a.at)):
				tr.bad("%s: %s was acknowledged at %v, and then at %v", s.channel, s.id, first.Position(), at)
			}
			first = n
		}
		if len(s.answers) == 0 && !s.refused {
			tr.bad("%s: %s was never answered", s.channel, s.id)
		}
		if s.refused && len(h.deleted) == 0 {
			tr.bad("%s: %s was refused as the channel was deleted; it was not", s.channel, s.id)
		}
	}
}

// judgeReader walks through the tree with what the reader got.
func (tr *truth) judgeReader(who string, name channel.Name, got *transcript) {
	h := tr.of(name)
	conflated := tr.policies.For(name).Conflate
	var at []channel.Position // where the reader may be; nil: anywhere
	over := false
	for _, e := range got.events {
		switch {
		case e.checkpoint && e.gone && !over:
			tr.bad("%s: %s does not know that it was deleted", name, who)
		case e.checkpoint && !over && !possible(at, e.tail):
			tr.bad("%s: %s is left behind at %v, the tail is %v", name, who, at, e.tail)
		case e.checkpoint:
		case e.gap != nil:
			if from, _ := channel.ParsePosition(e.gap.From); !possible(at, from) {
				tr.bad("%s: %s is told of a gap from %v, and may be at %v", name, who, from, at)
			}
			resume, _ := channel.ParsePosition(e.gap.Resume)
			at, over = []channel.Position{resume}, e.gap.Reason == "deleted"
		case e.from == "end":
			at = nil
		case e.from != "":
			from, err := channel.ParsePosition(e.from)
			if err != nil || !possible(at, from) {
				tr.bad("%s: %s says that it is at %q, and may be at %v", name, who, e.from, at)
			}
			if from.Mark != 0 || from.Seq == 0 {
				at = []channel.Position{from}
			} else if tr.restores > 0 {
				at = nil // a bare number is not verified; what it stands for may be lost
			}
		default:
			at = tr.step(who, name, h, at, e.message, conflated)
		}
	}
}

// step returns where the reader may be behind a message: more than one place, where two branches have the same.
func (tr *truth) step(who string, name channel.Name, h *history, at []channel.Position, m client.Message, conflated bool) (next []channel.Position) {
	found := false
	for p, n := range h.nodes {
		if p.Seq != m.Seq || n.ID != m.ID || string(n.Data) != string(m.Data) || m.From == nil || n.From.ID != m.From.ID || !n.At.Equal(m.At) {
			continue
		}
		found = true
		for _, from := range at {
			if (conflated || from.Seq+1 == p.Seq) && p.Seq > from.Seq && h.descends(n, from) {
				next = append(next, p)
				break
			}
		}
		if at == nil {
			next = append(next, p)
		}
	}
	switch {
	case !found:
		tr.bad("%s: %s got %d %s %s, which was never committed", name, who, m.Seq, m.ID, m.Data)
	case next == nil:
		tr.bad("%s: %s at %v got %d %s, which does not follow", name, who, at, m.Seq, m.ID)
	}
	return next
}

func possible(at []channel.Position, p channel.Position) bool {
	if at == nil {
		return true
	}
	for _, q := range at {
		if q == p || q.Seq == p.Seq && p.Mark == 0 {
			return true
		}
	}
	return false
}
