package enginetest

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"parley/channel"
)

func (t *logTest) key() {
	d := say("room:a", ann, "k1", "hello")
	first := t.append(d)[0]
	want := first
	want.Replayed = true
	t.clock.Advance(time.Minute)
	t.both(func() {
		if again := t.append(d)[0]; again != want {
			t.Fatalf("the second receipt is %+v, not %+v", again, want)
		}
	})
	if n := len(t.readAll("room:a")); n != 1 {
		t.Fatalf("%d messages", n)
	}
	if heard := t.rec.Messages("room:a"); len(heard) != 0 {
		t.Fatalf("the sink heard of a repetition: %+v", heard)
	}
}

func (t *logTest) keyScope() {
	for _, d := range []channel.Draft{
		say("room:a", ann, "k1", "hello"), say("room:b", ann, "k1", "hello"), say("room:a", bert, "k1", "hello"), say("room:a", ann, "k2", "hello"),
		say("room:a", ann, "", "hello"), say("room:a", ann, "", "hello"),
		// The parts must not run into each other.
		say("room:c", channel.Sender{ID: "u", Name: "U"}, "1k", "hello"), say("room:c", channel.Sender{ID: "u1", Name: "U"}, "k", "hello"),
	} {
		if r := t.append(d)[0]; r.Replayed {
			t.Errorf("%+v is taken for a repetition", d)
		}
	}
}

func (t *logTest) keyReused() {
	t.append(say("room:a", ann, "k1", "hello"))
	t.both(func() {
		_, err := t.log.Append(t.Context(), say("room:a", ann, "k1", "goodbye"))
		t.wantErr(err, channel.ErrKeyReused)
		other := say("room:a", ann, "k1", "hello")
		other.Type = "shout"
		_, err = t.log.Append(t.Context(), other)
		t.wantErr(err, channel.ErrKeyReused)
		// Nothing of a call is appended if one draft is refused, wherever it stands.
		_, err = t.log.Append(t.Context(), say("room:a", ann, "k2", "new"), say("room:a", ann, "k1", "goodbye"))
		t.wantErr(err, channel.ErrKeyReused)
		_, err = t.log.Append(t.Context(), say("room:a", ann, "k3", "one"), say("room:a", ann, "k3", "two"))
		t.wantErr(err, channel.ErrKeyReused)
		if n := len(t.readAll("room:a")); n != 1 {
			t.Fatalf("%d messages", n)
		}
	})
	if r := t.append(say("room:a", ann, "k3", "two"))[0]; r.Replayed || r.Position.Seq != 2 {
		t.Fatalf("a key of a refused call is known: %+v", r)
	}
}

func (t *logTest) keyAge() {
	for i := range 3 { // whatever the time of day
		d := say("room:a", ann, fmt.Sprint("k", i), "hello")
		first := t.append(d)[0]
		t.clock.Advance(24 * time.Hour)
		t.log.Sweep()
		if again := t.append(d)[0]; !again.Replayed || again.Position != first.Position {
			t.Fatalf("after a day: %+v, at first %+v", again, first)
		}
		t.clock.Advance(7*time.Hour + 59*time.Minute)
	}
}

func (t *logTest) keyConcurrent() {
	const callers = 32
	receipts := make([]channel.Receipt, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			rs, err := t.log.Append(background(), say("room:a", ann, "k1", "hello"), say("room:a", ann, "k2", "hello"), say("room:a", ann, "k1", "hello"))
			if err != nil {
				t.Errorf("append: %v", err)
				return
			}
			if rs[2].Position != rs[0].Position || !rs[2].Replayed {
				t.Errorf("a key twice in one call: %+v", rs)
			}
			receipts[i] = rs[0]
		})
	}
	wg.Wait()
	fresh := 0
	for _, r := range receipts {
		if r.Position != receipts[0].Position {
			t.Fatalf("two first receipts: %+v and %+v", r, receipts[0])
		}
		if !r.Replayed {
			fresh++
		}
	}
	if n := len(t.readAll("room:a")); n != 2 || fresh != 1 {
		t.Fatalf("%d messages, %d callers were the first", n, fresh)
	}
}

func (t *logTest) atomic() {
	rs := t.append(say("room:a", ann, "k1", "1"), say("room:b", ann, "", "2"), say("room:a", bert, "", "3"), say("room:a", ann, "k1", "1"))
	for i, want := range []uint64{1, 1, 2, 1} {
		if rs[i].Position.Seq != want || rs[i].Replayed != (i == 3) {
			t.Fatalf("receipt %d: %+v", i, rs[i])
		}
	}
	_, err := t.log.Append(t.Context(), say("room:a", ann, "", "4"), say("room:c", ann, "", "5"),
		channel.Draft{Channel: "room:a", Type: "delete", From: ann, Data: []byte(`{}`), Amend: &channel.Amendment{Seq: 99, Data: []byte(`{}`)}})
	t.wantErr(err, channel.ErrNoMessage)
	t.both(func() {
		if a, b, c := t.tail("room:a").Seq, t.tail("room:b").Seq, t.tail("room:c").Seq; a != 2 || b != 1 || c != 0 {
			t.Fatalf("tails %d, %d, %d", a, b, c)
		}
	})
	// An amendment of what the same call appends.
	rs = t.append(say("room:c", ann, "", "1"))
	edit := channel.Draft{Channel: "room:c", Type: "edit", From: ann, Data: []byte(`{"seq":2}`), Amend: &channel.Amendment{Seq: 1, Data: text("one")}}
	t.append(say("room:c", ann, "", "2"), edit)
	t.wantSeqs(t.readAll("room:c"), 1, 3)
	if m, err := t.log.Message(t.Context(), "room:c", 1); err != nil || string(m.Data) != string(text("one")) || m.Position() != rs[0].Position {
		t.Fatalf("%+v, %v", m, err)
	}
}

// amendment drafts an event that changes message seq.
func amendment(name channel.Name, key string, seq uint64, data string, erase bool) channel.Draft {
	return channel.Draft{Channel: name, Key: key, Type: "edit", From: ann, Data: fmt.Appendf(nil, `{"seq":%d}`, seq),
		Amend: &channel.Amendment{Seq: seq, Data: []byte(data), Erase: erase}}
}

func (t *logTest) amend() {
	t.fill("room:a", 3)
	before, err := t.log.Message(t.Context(), "room:a", 2)
	if err != nil {
		t.Fatal(err)
	}
	first := t.append(amendment("room:a", "e1", 2, `{"text":"new"}`, false))[0]
	heard := t.rec.Messages("room:a")
	if last := heard[len(heard)-1]; last.Amend == nil || last.Amend.Seq != 2 || string(last.Amend.Data) != `{"text":"new"}` || last.Amend.Erase {
		t.Fatalf("the sink heard %+v", last)
	}
	// A repetition names another time in what it stores; it is the same all the same, and changes nothing.
	if again := t.append(amendment("room:a", "e1", 2, `{"text":"newer"}`, false))[0]; !again.Replayed || again.Position != first.Position {
		t.Fatalf("again: %+v", again)
	}
	t.append(amendment("room:a", "e2", 1, `{"text":"first"}`, false))
	want := before
	want.Data = []byte(`{"text":"new"}`)
	t.both(func() {
		ms := t.readAll("room:a")
		t.wantSeqs(ms, 1, 5)
		if !reflect.DeepEqual(ms[1], want) {
			t.Fatalf("%+v, not %+v", ms[1], want)
		}
		if string(ms[0].Data) != `{"text":"first"}` || string(ms[3].Data) != `{"seq":2}` {
			t.Fatalf("%s, %s", ms[0].Data, ms[3].Data)
		}
	})
}

func (t *logTest) erase() {
	t.fill("room:a", 3)
	t.append(amendment("room:a", "e1", 2, `{"text":"edited"}`, false), amendment("room:a", "e2", 1, `{"text":"another"}`, false))
	t.append(amendment("room:a", "e3", 2, `{"text":"edited again"}`, false))
	first := t.append(amendment("room:a", "d1", 2, `{"deleted":true}`, true))[0]
	heard := t.rec.Messages("room:a")
	if a := heard[len(heard)-1].Amend; a == nil || !a.Erase || a.Seq != 2 || !slices.Equal(a.Also, []uint64{4, 6}) {
		t.Fatalf("the sink heard of %+v", a)
	}
	t.both(func() {
		// The events that changed the message are emptied with it; the others, and the erasure itself, are not.
		for seq, want := range []string{2: `{"deleted":true}`, 4: `{"deleted":true}`, 5: `{"seq":1}`, 6: `{"deleted":true}`, 7: `{"seq":2}`} {
			if want == "" {
				continue
			}
			if m, err := t.log.Message(t.Context(), "room:a", uint64(seq)); err != nil || string(m.Data) != want {
				t.Fatalf("%d: %s, %v, not %s", seq, m.Data, err, want)
			}
		}
		_, err := t.log.Append(t.Context(), amendment("room:a", "", 2, `{"text":"back"}`, false))
		t.wantErr(err, channel.ErrErased)
		if again := t.append(amendment("room:a", "d1", 2, `{"deleted":true}`, true))[0]; !again.Replayed || again.Position != first.Position {
			t.Fatalf("again: %+v", again)
		}
		if tail := t.tail("room:a"); tail.Seq != 7 {
			t.Fatalf("tail %s", tail)
		}
	})
}

func (t *logTest) amendAbsent() {
	t.fill("room:a", 3)
	for _, d := range []channel.Draft{amendment("room:a", "", 4, `{}`, false), amendment("room:a", "", 0, `{}`, false), amendment("room:b", "", 1, `{}`, true)} {
		_, err := t.log.Append(t.Context(), d)
		t.wantErr(err, channel.ErrNoMessage)
	}
	if a, b := t.tail("room:a").Seq, t.tail("room:b").Seq; a != 3 || b != 0 {
		t.Fatalf("tails %d and %d", a, b)
	}
}
