package channel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/channel"
)

// The model test drives a hub over the reference log with random schedules of everything that can happen to a log and
// to readers, and holds every batch against the log:
//
//   - a batch continues exactly where the reader is, without hole or repetition, and its marks are a chain;
//   - its data is no older than the newest amendment that was announced;
//   - there is a gap if and only if the log says so;
//   - a failed or cancelled call moves nothing;
//   - Next never waits while something announced is unread;
//   - in the end every reader is at the tail, and what it has after its last gap is the log's content.
var modelPolicies = channel.Policies{channel.KindVote: {Conflate: true}}

type model struct {
	t       *rapid.T
	log     *memory
	hub     *channel.Hub
	names   []channel.Name
	readers []*modelReader
	old     map[channel.Name][]channel.Position // positions that somebody once had
	// versions[name][seq] counts the announced amendments of a message.
	announced map[channel.Name]map[uint64]int
	// unheard channels lost their end and the hub was not told: what it serves may be of the lost end, until it hears of a
	// message with a later mark than this.
	unheard map[channel.Name]channel.Mark
	edits   int
}

// modelReader is what a client is: positions and the messages it has.
type modelReader struct {
	*channel.Reader
	has map[channel.Name][]channel.Message // after the last gap or Add
	// bare positions are not verified, so the first batch may begin elsewhere.
	bare map[channel.Name]bool
}

type body struct {
	Seq, Version int
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			t: t, log: newMemory(modelPolicies),
			names:     []channel.Name{"room:a", "room:b", "vote:c"},
			old:       map[channel.Name][]channel.Position{},
			announced: map[channel.Name]map[uint64]int{},
			unheard:   map[channel.Name]channel.Mark{},
		}
		m.log.held = true
		m.hub = channel.NewHub(m.log, channel.Options{
			Policies: modelPolicies, CacheMessages: rapid.SampledFrom([]int{1, 4, 100}).Draw(t, "cache"), BatchLimit: 3, ConflateEvery: -1, MaxChannels: 2,
		})
		defer m.hub.Close()
		for range 3 {
			m.readers = append(m.readers, &modelReader{
				Reader: m.hub.NewReader(channel.ReaderOptions{Limit: rapid.SampledFrom([]int{1, 3, 50}).Draw(t, "limit")}),
				has:    map[channel.Name][]channel.Message{}, bare: map[channel.Name]bool{},
			})
		}
		t.Repeat(map[string]func(*rapid.T){
			"append":    func(t *rapid.T) { m.append(t, m.name(t)) },
			"append2":   func(t *rapid.T) { m.append(t, m.name(t)) },
			"announce":  func(t *rapid.T) { m.announce(rapid.IntRange(1, 4).Draw(t, "n")) },
			"announce2": func(t *rapid.T) { m.announce(-1) },
			"add":       m.add,
			"remove":    m.remove,
			"read":      m.read,
			"read2":     m.read,
			"cancelled": m.cancelled,
			"failing":   m.failing,
			"meanwhile": m.meanwhile,
			"retain":    func(t *rapid.T) { m.log.retain(m.name(t), rapid.IntRange(0, 5).Draw(t, "keep")) },
			"rollback":  m.rollback,
			"delete":    m.delete,
		})
		m.finish()
	})
}

func (m *model) name(t *rapid.T) channel.Name { return rapid.SampledFrom(m.names).Draw(t, "channel") }

func (m *model) reader(t *rapid.T) *modelReader {
	return m.readers[rapid.IntRange(0, len(m.readers)-1).Draw(t, "reader")]
}

func (m *model) append(t *rapid.T, name channel.Name) {
	n := rapid.IntRange(1, 4).Draw(t, "messages")
	var drafts []channel.Draft
	next := len(m.log.record(name).messages) + 1
	for i := range n {
		d := channel.Draft{Channel: name, Type: "text", From: ann, Data: encodeBody(body{next + i, 0})}
		if len(d.Data) > 0 && i == 0 && next > 1 && rapid.Bool().Draw(t, "amend") {
			d.Amend = m.amendment(t, name, next)
		}
		drafts = append(drafts, d)
	}
	if _, err := m.hub.Append(context.Background(), drafts...); err != nil && !errors.Is(err, channel.ErrDeleted) {
		t.Fatal(err)
	}
}

// amendment makes new data for one or two earlier messages.
func (m *model) amendment(t *rapid.T, name channel.Name, next int) *channel.Amendment {
	m.edits++
	a := &channel.Amendment{
		Seq:  uint64(rapid.IntRange(max(1, next-5), next-1).Draw(t, "amended")),
		Data: encodeBody(body{0, m.edits}),
	}
	if rapid.Bool().Draw(t, "also") {
		a.Also = []uint64{uint64(rapid.IntRange(1, next-1).Draw(t, "also amended"))}
	}
	return a
}

func (m *model) announce(n int) {
	count := n
	if n < 0 || n > len(m.log.pending) {
		count = len(m.log.pending)
	}
	now := m.log.pending[:count]
	for _, msg := range now {
		if msg.Mark > m.unheard[msg.Channel] {
			delete(m.unheard, msg.Channel)
		}
	}
	m.log.announce(n)
	for _, msg := range now {
		if a := msg.Amend; a != nil {
			if m.announced[msg.Channel] == nil {
				m.announced[msg.Channel] = map[uint64]int{}
			}
			var b body
			_ = json.Unmarshal(a.Data, &b)
			for _, seq := range append(a.Also, a.Seq) {
				m.announced[msg.Channel][seq] = b.Version
			}
		}
	}
}

func (m *model) add(t *rapid.T) {
	r, name := m.reader(t), m.name(t)
	after := channel.End
	switch rapid.IntRange(0, 3).Draw(t, "from") {
	case 0:
		after = channel.Position{}
	case 1:
		after = channel.Position{Seq: uint64(rapid.IntRange(0, 12).Draw(t, "bare"))}
	case 2:
		if old := m.old[name]; len(old) > 0 {
			after = rapid.SampledFrom(old).Draw(t, "old")
		}
	}
	names, known := r.Names(), false
	for _, n := range names {
		known = known || n == name
	}
	got, err := r.Add(context.Background(), name, after, nil)
	if len(names) == 2 && !known {
		if !errors.Is(err, channel.ErrTooManyChannels) {
			t.Fatalf("a third of at most two channels: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if want := m.log.record(name).tail(); after == channel.End && got != want || after != channel.End && got != after {
		t.Fatalf("Add(%v) returned %v, the tail is %v", after, got, want)
	}
	r.has[name], r.bare[name] = nil, got.Mark == 0
}

func (m *model) remove(t *rapid.T) {
	r, name := m.reader(t), m.name(t)
	r.Remove(name)
	if _, ok := r.Position(name); ok {
		t.Fatal("a removed channel has a position")
	}
}

// unread tells whether a reader must find something: the hub has heard of more than the reader has.
func (m *model) unread(r *modelReader) bool {
	for _, name := range r.Names() {
		p, _ := r.Position(name)
		c := m.log.record(name)
		if c.deleted || p.Seq < uint64(len(c.messages)) && m.unheard[name] == 0 && len(m.log.pending) == 0 {
			return true
		}
	}
	return false
}

func (m *model) read(t *rapid.T) {
	r := m.reader(t)
	if !m.unread(r) {
		m.apply(r, m.ready(r))
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	d, err := r.pullNext(ctx, m)
	if err != nil {
		t.Fatalf("Next waits though there is something: %v", err)
	}
	m.apply(r, d)
}

// snapshot is a reader's positions before a call.
func (r *modelReader) snapshot() map[channel.Name]channel.Position {
	at := map[channel.Name]channel.Position{}
	for _, name := range r.Names() {
		at[name], _ = r.Position(name)
	}
	return at
}

// cancelled calls that find nothing in memory fail, and move nothing.
func (m *model) cancelled(t *rapid.T) {
	r := m.reader(t)
	ctx, cancel := context.WithCancel(context.Background())
	if rapid.Bool().Draw(t, "within") {
		m.log.meanwhile = cancel // the answer may still be used: then it counts
	} else {
		cancel()
	}
	d := m.before(r)
	var err error
	if d.batches, err = r.Ready(ctx); err == nil {
		m.apply(r, d)
	} else if at := r.snapshot(); !errors.Is(err, context.Canceled) || fmt.Sprint(at) != fmt.Sprint(d.before) {
		t.Fatalf("cancelled: %v, from %v to %v", err, d.before, at)
	}
	m.log.meanwhile = nil
	cancel()
}

func (m *model) failing(t *rapid.T) {
	r := m.reader(t)
	broken := errors.New("the disk is gone")
	m.log.fail = broken
	d, reads := m.before(r), m.log.readCount()
	var err error
	d.batches, err = r.Ready(context.Background())
	m.log.fail = nil
	switch at := r.snapshot(); {
	case err == nil && m.log.readCount() > reads:
		t.Fatal("an error of the log was swallowed")
	case err == nil:
		m.apply(r, d)
	case !errors.Is(err, broken) || fmt.Sprint(at) != fmt.Sprint(d.before):
		t.Fatalf("failing: %v, from %v to %v", err, d.before, at)
	}
}

// meanwhile has something committed and announced between the log's reading and the hub's hearing of it.
func (m *model) meanwhile(t *rapid.T) {
	r, name := m.reader(t), m.name(t)
	d := m.before(r)
	m.log.meanwhile = func() {
		m.append(t, name)
		m.announce(-1)
	}
	var err error
	if d.batches, err = r.Ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.log.meanwhile = nil
	m.judge(d)
	// What was read before the amendment is as it was then; so only the order is held against the log.
	announced := m.announced
	m.announced = nil
	m.apply(r, d)
	m.announced = announced
}

func (m *model) rollback(t *rapid.T) {
	name := m.name(t)
	c := m.log.record(name)
	if len(c.messages) == 0 {
		return
	}
	m.log.rollback(name, uint64(rapid.IntRange(0, len(c.messages)).Draw(t, "lost after")))
	for seq, version := range m.announced[name] { // amendments may have been lost too
		var b body
		if seq <= uint64(len(c.messages)) {
			_ = json.Unmarshal(c.messages[seq-1].Data, &b)
		}
		m.announced[name][seq] = min(version, b.Version)
	}
	if m.unheard[name] = m.log.marks; rapid.Bool().Draw(t, "told") {
		m.hub.Deleted(name)
		delete(m.unheard, name)
	}
}

func (m *model) delete(t *rapid.T) {
	name := m.name(t)
	if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
		_ = m.hub.Delete(context.Background(), name)
		delete(m.announced, name)
		delete(m.unheard, name)
	}
}

func encodeBody(b body) json.RawMessage {
	data, _ := json.Marshal(b)
	return data
}
