package channel_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"parley/channel"
)

// read is what a call returned, with the positions before it and the log's verdicts on them.
type read struct {
	before  map[channel.Name]channel.Position
	verdict map[channel.Name][]*channel.Gap // one, or two where the log changed during the call
	unheard map[channel.Name]channel.Mark   // as they were before
	batches []channel.Batch
}

func (m *model) before(r *modelReader) read {
	d := read{before: r.snapshot(), verdict: map[channel.Name][]*channel.Gap{}, unheard: maps.Clone(m.unheard)}
	m.judge(d)
	return d
}

func (m *model) judge(d read) {
	for name, p := range d.before {
		d.verdict[name] = append(d.verdict[name], m.log.record(name).gap(p))
	}
}

func (r *modelReader) pullNext(ctx context.Context, m *model) (read, error) {
	d := m.before(r)
	got, err := r.Next(ctx)
	d.batches = got.Batches
	return d, err
}

func (m *model) ready(r *modelReader) read {
	d := m.before(r)
	var err error
	if d.batches, err = r.Ready(context.Background()); err != nil {
		m.t.Fatal(err)
	}
	return d
}

// apply is the client: it holds what it gets against the log.
func (m *model) apply(r *modelReader, d read) {
	seen := map[channel.Name]bool{}
	for _, b := range d.batches {
		if seen[b.Channel] {
			m.t.Fatalf("two batches of %s at once", b.Channel)
		}
		seen[b.Channel] = true
		m.applyBatch(r, d, b)
	}
}

func (m *model) applyBatch(r *modelReader, d read, b channel.Batch) {
	name, c, at := b.Channel, m.log.record(b.Channel), d.before[b.Channel]
	where, still := r.Position(name)
	if g := b.Gap; g != nil {
		if !slices.ContainsFunc(d.verdict[name], func(v *channel.Gap) bool { return v != nil && *v == *g }) {
			m.t.Fatalf("%s at %v: gap %+v, the log says %+v", name, at, *g, d.verdict[name])
		}
		r.has[name], r.bare[name] = nil, false
		if still == (g.Reason == channel.Deleted) || still && where != g.Resume {
			m.t.Fatalf("after gap %+v the reader is at %v, %v", *g, where, still)
		}
		return
	}
	// Unheard of, the hub may go on from memory; retention may have taken what it still has.
	fine := func(v *channel.Gap) bool { return v == nil || v.Reason == channel.Retention }
	if !slices.ContainsFunc(d.verdict[name], fine) && d.unheard[name] == 0 {
		m.t.Fatalf("%s at %v: a batch, where the log has gap %+v", name, at, *d.verdict[name][0])
	}
	if b.From.Seq != at.Seq && !(r.bare[name] && b.From.Seq < at.Seq) || at.Mark != 0 && b.From != at {
		m.t.Fatalf("%s: batch from %v for a reader at %v", name, b.From, at)
	}
	if len(b.Messages) == 0 || b.To != b.Messages[len(b.Messages)-1].Position() || where != b.To {
		m.t.Fatalf("%s: batch %v to %v of %d messages, reader at %v", name, b.From, b.To, len(b.Messages), where)
	}
	conflated := modelPolicies.For(name).Conflate
	if conflated && (len(b.Messages) != 1 || b.More || b.To.Seq <= b.From.Seq) {
		m.t.Fatalf("%s: not conflated: %d messages, more %v", name, len(b.Messages), b.More)
	}
	prev := b.From
	for _, msg := range b.Messages {
		if !conflated && (msg.Before().Seq != prev.Seq || prev.Seq > 0 && msg.Before() != prev) {
			m.t.Fatalf("%s: after %v comes %v, which follows %v", name, prev, msg.Position(), msg.Before())
		}
		prev = msg.Position()
		m.checkData(msg, name, c)
	}
	r.has[name], r.bare[name] = append(r.has[name], b.Messages...), false
	m.old[name] = append(m.old[name], b.To)
}

// checkData wants the message's own data, with all amendments that were announced; and the encoding to be of that data.
func (m *model) checkData(msg channel.Message, name channel.Name, c *record) {
	var b body
	if err := json.Unmarshal(msg.Data, &b); err != nil {
		m.t.Fatal(err)
	}
	if b.Version == 0 && b.Seq != int(msg.Seq) || b.Version < m.announced[name][msg.Seq] && m.unheard[name] == 0 {
		m.t.Fatalf("%s %d: data %s, amendments up to %d were announced", name, msg.Seq, msg.Data, m.announced[name][msg.Seq])
	}
	var shown struct {
		Seq  uint64
		Data body
	}
	if err := json.Unmarshal(msg.AppendJSON(nil), &shown); err != nil || shown.Seq != msg.Seq || shown.Data != b {
		m.t.Fatalf("encoded as %s (%v), the message is %d %s", msg.AppendJSON(nil), err, msg.Seq, msg.Data)
	}
}

// finish lets everything be announced and read, and compares.
func (m *model) finish() {
	for _, name := range m.names {
		if m.unheard[name] > 0 {
			m.append(m.t, name) // the first message after it tells of the loss
		}
	}
	m.announce(-1)
	fresh := &modelReader{Reader: m.hub.NewReader(channel.ReaderOptions{}), has: map[channel.Name][]channel.Message{}, bare: map[channel.Name]bool{}}
	for _, name := range m.names[:2] {
		p := m.log.record(name)
		if _, err := fresh.Add(context.Background(), name, p.at(p.first-1), nil); err != nil {
			m.t.Fatal(err)
		}
	}
	for _, r := range append(m.readers, fresh) {
		for d := m.ready(r); len(d.batches) > 0; d = m.ready(r) {
			m.apply(r, d)
		}
		for _, name := range r.Names() {
			c := m.log.record(name)
			if p, _ := r.Position(name); p != c.tail() {
				m.t.Fatalf("%s: the reader ended at %v, the log at %v", name, p, c.tail())
			}
			m.compare(name, c, r.has[name], r == fresh)
		}
		r.Close()
	}
	if n := m.hub.Watched(); n != 0 {
		m.t.Fatalf("%d channels are kept without readers", n)
	}
}

// compare wants has to be the end of the log: the same messages, and the same data where it was read just now.
func (m *model) compare(name channel.Name, c *record, has []channel.Message, fresh bool) {
	if fresh && uint64(len(has)) != uint64(len(c.messages))-(c.first-1) && !c.deleted {
		m.t.Fatalf("%s: a fresh reader has %d messages, the log %d from %d", name, len(has), len(c.messages), c.first)
	}
	for _, msg := range has {
		want := c.messages[msg.Seq-1]
		if msg.Mark != want.Mark || fresh && string(msg.Data) != string(want.Data) {
			m.t.Fatalf("%s %d: the reader has %v %s, the log %v %s", name, msg.Seq, msg.Mark, msg.Data, want.Mark, want.Data)
		}
	}
}
