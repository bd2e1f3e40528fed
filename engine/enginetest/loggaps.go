package enginetest

import (
	"fmt"
	"sync"
	"time"

	"parley/channel"
)

func (t *logTest) rollback() {
	rs := t.fill("room:a", 5)
	wrong := func(p channel.Position) channel.Position {
		p.Mark = p.Mark%channel.MaxMark + 1
		return p
	}
	t.both(func() {
		for _, p := range []channel.Position{wrong(rs[0].Position), wrong(rs[2].Position), wrong(rs[4].Position), {Seq: 6, Mark: 1}, {Seq: 1000, Mark: 1}} {
			g := t.gap("room:a", p, channel.Rollback)
			if g.Tail != rs[4].Position {
				t.Errorf("tail %s", g.Tail)
			}
			t.wantSeqs(t.read("room:a", g.Resume, 10).Messages, 1, 5)
		}
		for _, r := range rs {
			if b := t.read("room:a", r.Position, 10); b.Gap != nil || b.From != r.Position {
				t.Errorf("after %s: %+v", r.Position, b)
			}
		}
	})
}

func (t *logTest) keepCount() {
	rs := t.fill("count:a", 8)
	t.fill("room:a", 30)
	t.log.Sweep()
	t.wantSeqs(t.readAll("count:a"), 1, 8)
	rs = append(rs, t.fill("count:a", 17)...)
	t.log.Sweep()
	t.both(func() {
		t.wantSeqs(t.readAll("count:a"), 16, 25)
		t.wantSeqs(t.readAll("room:a"), 1, 30)
		for _, p := range []channel.Position{{}, {Seq: 1}, rs[0].Position, rs[13].Position} {
			if g := t.gap("count:a", p, channel.Retention); g.Resume != rs[14].Position || g.Tail != rs[24].Position {
				t.Errorf("after %s: %+v", p, g)
			}
		}
		// The floor itself is a good position, and is verified.
		t.wantSeqs(t.read("count:a", rs[14].Position, 100).Messages, 16, 25)
		t.wantSeqs(t.read("count:a", channel.Position{Seq: 15}, 100).Messages, 16, 25)
		t.gap("count:a", channel.Position{Seq: 15, Mark: rs[14].Position.Mark%channel.MaxMark + 1}, channel.Rollback)
		t.wantSeqs(t.read("count:a", rs[19].Position, 100).Messages, 21, 25)
		if _, err := t.log.Message(t.Context(), "count:a", 15); err == nil {
			t.Errorf("message 15 is still there")
		}
		b, err := t.log.Before(t.Context(), "count:a", channel.End, 100, anyBytes)
		if err != nil || b.More {
			t.Fatalf("backwards: %+v, %v", b, err)
		}
		t.wantSeqs(b.Messages, 16, 25)
		if b, err := t.log.Before(t.Context(), "count:a", rs[3].Position, 100, anyBytes); err != nil || len(b.Messages) != 0 || b.More || b.Gap != nil {
			t.Errorf("backwards from what is gone: %+v, %v", b, err)
		}
	})
	if r := t.append(say("count:a", ann, "", "on"))[0]; r.Position.Seq != 26 {
		t.Fatalf("appended at %s", r.Position)
	}
	_, err := t.log.Append(t.Context(), amendment("count:a", "", 3, `{}`, false))
	t.wantErr(err, channel.ErrNoMessage)
}

// keepWhileRead: a page of history joins the one before it, or says that all before that is gone, whatever is removed at that moment.
func (t *logTest) keepWhileRead() {
	t.fill("count:a", 30)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 3 {
		readers.Go(func() {
			for pages := uint64(i); ; pages++ {
				select {
				case <-done:
					return
				default:
				}
				tail, err := t.log.Tail(t.Context(), "count:a")
				if err != nil {
					t.Error(err)
					return
				}
				at := tail.Seq - pages%12
				b, err := t.log.Before(t.Context(), "count:a", channel.Position{Seq: at}, 5, anyBytes)
				gone := len(b.Messages) == 0 && b.From == b.To && b.To.Seq >= at-1
				if err != nil || b.Gap != nil || b.To.Seq != at-1 && !gone {
					t.Errorf("before %d: from %s to %s, %d messages, gap %v, %v", at, b.From, b.To, len(b.Messages), b.Gap, err)
					return
				}
			}
		})
	}
	for range 20 {
		t.fill("count:a", 20)
		t.log.Sweep()
	}
	close(done)
	readers.Wait()
}

func (t *logTest) keepAge() {
	var rs []channel.Receipt
	for i := range 10 {
		rs = append(rs, t.append(say("age:a", ann, "", fmt.Sprint(i+1)))...)
		t.clock.Advance(10 * time.Minute)
	}
	t.log.Sweep() // message n is 110 - 10n minutes old
	t.both(func() {
		t.wantSeqs(t.readAll("age:a"), 5, 10)
		if g := t.gap("age:a", rs[0].Position, channel.Retention); g.Resume != rs[3].Position {
			t.Errorf("gap %+v", g)
		}
	})
}

func (t *logTest) keepNothing() {
	rs := t.fill("age:a", 700) // several steps of any engine
	t.clock.Advance(2 * time.Hour)
	t.log.Sweep()
	last := rs[699].Position
	t.both(func() {
		if tail := t.tail("age:a"); tail != last {
			t.Fatalf("the tail is %s, not %s", tail, last)
		}
		if b := t.read("age:a", last, 10); b.Gap != nil || len(b.Messages) != 0 || b.To != last {
			t.Fatalf("after the last: %+v", b)
		}
		if b := t.read("age:a", channel.End, 10); b.To != last || len(b.Messages) != 0 {
			t.Fatalf("after the end: %+v", b)
		}
		if b := t.read("age:a", channel.Position{Seq: 9999}, 10); b.Gap != nil || b.To != last {
			t.Fatalf("after a bare position in the future: %+v", b)
		}
		if g := t.gap("age:a", rs[3].Position, channel.Retention); g.Resume != last || g.Tail != last {
			t.Fatalf("gap %+v", g)
		}
		t.gap("age:a", channel.Position{Seq: 701, Mark: 1}, channel.Rollback)
		if b, err := t.log.Before(t.Context(), "age:a", channel.End, 10, anyBytes); err != nil || len(b.Messages) != 0 || b.More || b.Gap != nil {
			t.Fatalf("backwards: %+v, %v", b, err)
		}
	})
	r := t.append(say("age:a", ann, "", "again"))[0]
	b := t.read("age:a", last, 10)
	if r.Position.Seq != 701 || len(b.Messages) != 1 || b.Messages[0].Prev != last.Mark {
		t.Fatalf("after everything was removed: %+v, %+v", r, b)
	}
}

func (t *logTest) conflated() {
	rs := t.fill("vote:a", 6)
	newest := func(after channel.Position) {
		t.Helper()
		b := t.read("vote:a", after, 10)
		if b.Gap != nil || len(b.Messages) != 1 || b.Messages[0].Position() != rs[len(rs)-1].Position || b.To != rs[len(rs)-1].Position || b.From.Seq != after.Seq || b.More {
			t.Fatalf("after %s: %+v", after, b)
		}
	}
	newest(channel.Position{})
	newest(rs[0].Position)
	newest(rs[4].Position)
	newest(channel.Position{Seq: 2})
	t.log.Sweep() // three are left; that is no loss
	t.both(func() {
		newest(channel.Position{})
		newest(rs[0].Position)
		newest(channel.Position{Seq: 1})
		newest(rs[4].Position)
		for _, p := range []channel.Position{rs[5].Position, channel.End, {Seq: 99}} {
			if b := t.read("vote:a", p, 10); b.Gap != nil || len(b.Messages) != 0 || b.From != rs[5].Position || b.To != rs[5].Position {
				t.Fatalf("after %s: %+v", p, b)
			}
		}
		t.gap("vote:a", channel.Position{Seq: 99, Mark: 5}, channel.Rollback)
		g := t.gap("vote:a", channel.Position{Seq: 6, Mark: rs[5].Position.Mark%channel.MaxMark + 1}, channel.Rollback)
		newest(g.Resume)
	})
	if b := t.read("vote:none", channel.Position{}, 10); b.Gap != nil || len(b.Messages) != 0 || b.To.Seq != 0 {
		t.Fatalf("absent: %+v", b)
	}
}

func (t *logTest) deleted() {
	rs := t.fill("room:a", 3)
	t.fill("room:b", 2)
	for _, name := range []channel.Name{"room:a", "room:never"} {
		if err := t.log.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := t.log.Delete(t.Context(), "room:a"); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	t.rec.mu.Lock()
	if fmt.Sprint(t.rec.deleted) != "[room:a room:never]" {
		t.Errorf("the sink heard of %v", t.rec.deleted)
	}
	t.rec.mu.Unlock()
	t.both(func() {
		for _, p := range []channel.Position{{}, rs[1].Position, {Seq: 2}, {Seq: 99, Mark: 3}} {
			if g := t.gap("room:a", p, channel.Deleted); g.Resume != (channel.Position{}) {
				t.Errorf("gap %+v", g)
			}
		}
		t.gap("room:a", channel.End, channel.Deleted)
		t.gap("room:never", channel.Position{}, channel.Deleted)
		if b, err := t.log.Before(t.Context(), "room:a", channel.End, 10, anyBytes); err != nil || b.Gap == nil || b.Gap.Reason != channel.Deleted {
			t.Errorf("backwards: %+v, %v", b, err)
		}
		_, err := t.log.Message(t.Context(), "room:a", 1)
		t.wantErr(err, channel.ErrNoMessage)
		for _, name := range []channel.Name{"room:a", "room:never"} {
			_, err = t.log.Append(t.Context(), say("room:b", ann, "", "both or none"), say(name, ann, "", "back"))
			t.wantErr(err, channel.ErrDeleted)
		}
		t.wantSeqs(t.readAll("room:b"), 1, 2)
	})
}

func (t *logTest) deletedLarge() {
	t.fill("room:a", 600)
	t.fill("room:b", 3)
	if err := t.log.Delete(t.Context(), "room:a"); err != nil {
		t.Fatal(err)
	}
	t.gap("room:a", channel.Position{}, channel.Deleted)
	t.log.Sweep()
	t.both(func() {
		t.gap("room:a", channel.Position{}, channel.Deleted)
		t.wantSeqs(t.readAll("room:b"), 1, 3)
	})
}
