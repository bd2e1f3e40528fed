package enginetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/channel"
)

func (t *logTest) roundTrip() {
	from := channel.Sender{ID: "u1", Name: "Zoë ☃ 'quoted' \x00?"}
	d := channel.Draft{Channel: "room:lobby", Key: "k-1", Type: "x.custom", From: from, Data: []byte(`{"a":[1,null,"é\u0000"],"b":""}`)}
	r := t.append(d)[0]
	at := t.clock.Now().Truncate(time.Millisecond)
	if r.Channel != d.Channel || r.ID != "k-1" || r.Replayed || r.Durability == "" || !r.At.Equal(at) || r.At.Location() != time.UTC || r.Position.Seq != 1 {
		t.Fatalf("receipt %+v", r)
	}
	want := channel.Message{Channel: d.Channel, Seq: 1, Mark: r.Position.Mark, ID: "k-1", Type: "x.custom", From: from, At: at, Data: d.Data}
	if heard := t.rec.Messages(d.Channel); len(heard) != 1 || !reflect.DeepEqual(heard[0], want) {
		t.Fatalf("the sink heard %+v, not %+v", heard, want)
	}
	t.both(func() {
		b := t.read("room:lobby", channel.Position{}, 10)
		if len(b.Messages) != 1 || !reflect.DeepEqual(b.Messages[0], want) {
			t.Fatalf("read %+v, not %+v", b.Messages, want)
		}
		m, err := t.log.Message(t.Context(), "room:lobby", 1)
		if err != nil || !reflect.DeepEqual(m, want) {
			t.Fatalf("message %+v, %v, not %+v", m, err, want)
		}
		_, err = t.log.Message(t.Context(), "room:lobby", 2)
		t.wantErr(err, channel.ErrNoMessage)
	})
	if id := t.append(channel.Draft{Channel: "room:lobby", Type: "text", From: from, Data: []byte(`{}`)})[0].ID; len(id) < 8 || len(id) > 64 || !channel.Unreserved(id) {
		t.Fatalf("the id that was made is %q", id)
	}
}

func (t *logTest) chain() {
	var rs []channel.Receipt
	for i := range 20 {
		if i == 10 {
			t.reopen()
		}
		rs = append(rs, t.append(say("room:a", ann, "", "a"), say("room:b", ann, "", "b"))...)
	}
	marks, ids := map[channel.Mark]bool{}, map[string]bool{}
	for _, name := range []channel.Name{"room:a", "room:b"} {
		ms := t.readAll(name) // each batch is checked to be a chain
		t.wantSeqs(ms, 1, 20)
		for i, m := range ms {
			k := 2 * i
			if name == "room:b" {
				k++
			}
			if rs[k].Position != m.Position() || rs[k].ID != m.ID {
				t.Fatalf("receipt %+v for message %+v", rs[k], m)
			}
			marks[m.Mark], ids[m.ID] = true, true
		}
		if tail := t.tail(name); tail != ms[19].Position() {
			t.Fatalf("the tail is %s, not %s", tail, ms[19].Position())
		}
	}
	if len(marks) != 40 || len(ids) != 40 {
		t.Fatalf("40 messages have %d marks and %d ids", len(marks), len(ids))
	}
}

func (t *logTest) sink() {
	// Whoever hears of a message can read it: it was committed before.
	heard := make(chan channel.Message, 200)
	t.rec.committed = func(m channel.Message) { heard <- m }
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for m := range heard {
				got, err := t.log.Message(background(), m.Channel, m.Seq)
				if err != nil || !reflect.DeepEqual(got, m) {
					t.Errorf("heard %+v, read %+v, %v", m, got, err)
				}
			}
		})
	}
	for i := range 100 {
		name := channel.Name(fmt.Sprint("room:", i%3))
		r := t.append(say(name, ann, "", "hello"))[0]
		if ms := t.rec.Messages(name); len(ms) == 0 || ms[len(ms)-1].Position() != r.Position {
			t.Fatalf("acknowledged %s before the sink heard of it", r.Position)
		}
	}
	close(heard)
	readers.Wait()
	for i := range 3 {
		name := channel.Name(fmt.Sprint("room:", i))
		if all := t.readAll(name); !reflect.DeepEqual(all, t.rec.Messages(name)) {
			t.Fatalf("the sink heard other than what is in %s", name)
		}
	}
}

func (t *logTest) concurrent() {
	const writers, each, names = 64, 10, 5
	receipts := make([][]channel.Receipt, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				from := channel.Sender{ID: fmt.Sprint("u", w), Name: "W"}
				rs, err := t.log.Append(background(), say(channel.Name(fmt.Sprint("room:", i%names)), from, fmt.Sprint("k", i), fmt.Sprint(i)))
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				receipts[w] = append(receipts[w], rs...)
			}
		})
	}
	wg.Wait()
	byPosition := map[string]string{}
	for w, rs := range receipts {
		for i, r := range rs {
			byPosition[string(r.Channel)+"@"+r.Position.String()] = fmt.Sprintf("u%d k%d", w, i)
			if i >= names && r.Position.Seq <= rs[i-names].Position.Seq {
				t.Fatalf("one writer's later message has the earlier seq")
			}
		}
	}
	if len(byPosition) != writers*each {
		t.Fatalf("%d positions for %d receipts", len(byPosition), writers*each)
	}
	t.both(func() {
		for i := range names {
			name := channel.Name(fmt.Sprint("room:", i))
			ms := t.readAll(name)
			t.wantSeqs(ms, 1, writers*each/names)
			for _, m := range ms {
				if who := m.From.ID + " " + m.ID; byPosition[string(name)+"@"+m.Position().String()] != who {
					t.Fatalf("%s of %s has the receipt of %s", m.Position(), who, byPosition[string(name)+"@"+m.Position().String()])
				}
			}
		}
	})
}

func (t *logTest) limits() {
	t.fill("room:a", 10)
	for _, c := range []struct {
		limit, bytes, want int
		more               bool
	}{
		{3, anyBytes, 3, true}, {9, anyBytes, 9, true}, {10, anyBytes, 10, false}, {11, anyBytes, 10, false}, {10, 1, 1, true}, {10, 0, 1, true},
	} {
		for _, after := range []uint64{0, 1} {
			b, err := t.log.Read(t.Context(), "room:a", channel.Position{Seq: after}, c.limit, c.bytes)
			if err != nil {
				t.Fatal(err)
			}
			t.wellFormed(b)
			want, more := c.want, c.more
			if after == 1 && c.limit >= 9 && c.bytes == anyBytes {
				want, more = 9, false
			}
			if len(b.Messages) != want || b.More != more {
				t.Errorf("limit %d, %d bytes, after %d: %d messages, more %v", c.limit, c.bytes, after, len(b.Messages), b.More)
			}
		}
	}
	long := say("room:long", ann, "", strings.Repeat("x", 1000))
	t.append(long, long, long, long)
	b, err := t.log.Read(t.Context(), "room:long", channel.Position{}, 10, 2600)
	if err != nil || len(b.Messages) != 2 || !b.More {
		t.Fatalf("2 of 4 long messages fit; got %d, more %v, %v", len(b.Messages), b.More, err)
	}
}

func (t *logTest) follow() {
	t.fill("room:a", 23)
	var at channel.Position
	var got []channel.Message
	for {
		b := t.read("room:a", at, 4)
		if b.From != at {
			t.Fatalf("a batch from %s for a reader at %s", b.From, at)
		}
		got = append(got, b.Messages...)
		if at = b.To; !b.More {
			break
		}
	}
	t.wantSeqs(got, 1, 23)
	if b := t.read("room:a", at, 4); len(b.Messages) != 0 || b.From != at || b.To != at || b.More {
		t.Fatalf("after the tail: %+v", b)
	}
	t.append(say("room:a", bert, "", "one more"))
	if b := t.read("room:a", at, 4); len(b.Messages) != 1 || b.Messages[0].Seq != 24 {
		t.Fatalf("after one more: %+v", b)
	}
}

func (t *logTest) end() {
	rs := t.fill("room:a", 5)
	t.both(func() {
		b := t.read("room:a", channel.End, 10)
		if len(b.Messages) != 0 || b.From != rs[4].Position || b.To != rs[4].Position || b.More || b.Gap != nil {
			t.Fatalf("after the end: %+v", b)
		}
	})
}

func (t *logTest) backwards() {
	rs := t.fill("room:a", 10)
	before := func(p channel.Position, limit, bytes int) channel.Batch {
		t.Helper()
		b, err := t.log.Before(t.Context(), "room:a", p, limit, bytes)
		if err != nil {
			t.Fatal(err)
		}
		t.wellFormed(b)
		return b
	}
	for _, c := range []struct {
		before      channel.Position
		limit       int
		first, last uint64
		more        bool
	}{
		{channel.End, 3, 8, 10, true}, {channel.End, 10, 1, 10, false}, {channel.End, 99, 1, 10, false},
		{rs[7].Position, 3, 5, 7, true}, {rs[3].Position, 3, 1, 3, false}, {rs[3].Position, 2, 2, 3, true},
		{channel.Position{Seq: 8}, 3, 5, 7, true}, {channel.Position{Seq: 50}, 3, 8, 10, true},
	} {
		b := before(c.before, c.limit, anyBytes)
		t.wantSeqs(b.Messages, c.first, c.last)
		if b.More != c.more {
			t.Errorf("before %s, limit %d: more is %v", c.before, c.limit, b.More)
		}
	}
	if b := before(channel.End, 10, 1); len(b.Messages) != 1 || b.Messages[0].Seq != 10 || !b.More {
		t.Errorf("one byte gives %+v", b)
	}
	for _, p := range []channel.Position{rs[0].Position, {}} {
		if b := before(p, 5, anyBytes); len(b.Messages) != 0 || b.More || b.Gap != nil {
			t.Errorf("before %s there is %+v", p, b)
		}
	}
	other := channel.Position{Seq: 5, Mark: rs[4].Position.Mark%channel.MaxMark + 1}
	if b := before(other, 5, anyBytes); b.Gap == nil || b.Gap.Reason != channel.Rollback {
		t.Errorf("before a position of another past there is %+v", b)
	}
	// Walking back through everything.
	var all []channel.Message
	at := channel.End
	for {
		b := before(at, 3, anyBytes)
		all = slices.Concat(b.Messages, all)
		if !b.More {
			break
		}
		at = b.Messages[0].Position()
	}
	t.wantSeqs(all, 1, 10)
}

func (t *logTest) absent() {
	for _, p := range []channel.Position{{}, channel.End, {Seq: 7}} {
		if b := t.read("room:none", p, 10); b.Gap != nil || len(b.Messages) != 0 || b.From != (channel.Position{}) || b.To != (channel.Position{}) {
			t.Errorf("after %s: %+v", p, b)
		}
	}
	if g := t.gap("room:none", channel.Position{Seq: 7, Mark: 7}, channel.Rollback); g.Resume != (channel.Position{}) || g.Tail != (channel.Position{}) {
		t.Errorf("gap %+v", g)
	}
	if b, err := t.log.Before(t.Context(), "room:none", channel.End, 10, anyBytes); err != nil || len(b.Messages) != 0 || b.More {
		t.Errorf("before the end: %+v, %v", b, err)
	}
	if p := t.tail("room:none"); p != (channel.Position{}) {
		t.Errorf("tail %s", p)
	}
	_, err := t.log.Message(t.Context(), "room:none", 1)
	t.wantErr(err, channel.ErrNoMessage)
}

func (t *logTest) bare() {
	rs := t.fill("room:a", 5)
	b := t.read("room:a", channel.Position{Seq: 2}, 10)
	t.wantSeqs(b.Messages, 3, 5)
	if b.From != rs[1].Position {
		t.Errorf("from %s, not %s", b.From, rs[1].Position)
	}
	for _, seq := range []uint64{5, 6, 1000} {
		if b := t.read("room:a", channel.Position{Seq: seq}, 10); b.Gap != nil || len(b.Messages) != 0 || b.From != rs[4].Position || b.To != rs[4].Position {
			t.Errorf("after %d: %+v", seq, b)
		}
	}
}

func (t *logTest) signals() {
	s := channel.Signal{Channel: "room:a", Type: "typing", From: ann, Data: []byte(`{}`)}
	if err := t.log.Signal(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	eventually(t.T, "the sink hears the signal", func() bool {
		t.rec.mu.Lock()
		defer t.rec.mu.Unlock()
		return len(t.rec.signals) == 1 && reflect.DeepEqual(t.rec.signals[0], s)
	})
	if tail := t.tail("room:a"); tail.Seq != 0 {
		t.Fatalf("a signal was stored at %s", tail)
	}
}

func (t *logTest) endedContext() {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := t.log.Append(ctx, say("room:a", ann, "", "late")); !errors.Is(err, context.Canceled) {
		t.Fatalf("append: %v", err)
	}
	t.append(say("room:a", ann, "", "in time"))
	if ms := t.readAll("room:a"); len(ms) != 1 {
		t.Fatalf("%d messages", len(ms))
	}
}
