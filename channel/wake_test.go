package channel_test

import (
	"errors"
	"testing"

	"parley/channel"
)

// A reader that is woken needs no goroutine: it hears of something once, until it looks.
func TestOnWake(t *testing.T) {
	hub, log := newHub(t, channel.Options{CacheMessages: 2})
	first := publish(t, hub, text(lobby, "1"))[0].Position
	r := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream, Limit: 2})
	add(t, r, lobby, channel.Position{})
	wakes := 0
	r.OnWake(func() { wakes++ })
	wantWakes := func(n int) {
		t.Helper()
		if wakes != n {
			t.Fatalf("woken %d times, want %d", wakes, n)
		}
	}
	wantWakes(1) // by the channel that was added

	if d, ok, err := r.TakeCached(nil); ok || err != nil {
		t.Fatalf("what only the log has was taken from memory: %v %v", d, err)
	}
	reads := log.readCount()
	take := func(want string, more bool) {
		t.Helper()
		d, err := r.Take(t.Context())
		if err != nil || d.More != more {
			t.Fatalf("more: %v, %v", d.More, err)
		}
		wantSeqs(t, d.Batches, want)
	}
	take("room:lobby 1-1", false)
	if log.readCount() == reads {
		t.Fatal("the log was not asked: this proves nothing")
	}
	wantWakes(1)

	publish(t, hub, text(lobby, "2"))
	publish(t, hub, text(lobby, "3"))
	wantWakes(2)
	reads = log.readCount()
	d, ok, err := r.TakeCached(nil)
	if !ok || err != nil || d.More {
		t.Fatal(d, ok, err)
	}
	wantSeqs(t, d.Batches, "room:lobby 2-3")
	if d, ok, err := r.TakeCached(nil); !ok || err != nil || len(d.Batches)+len(d.Signals) > 0 {
		t.Fatalf("there is nothing, and %v was taken: %v %v", d, ok, err)
	}
	if log.readCount() != reads {
		t.Fatal("the log was asked for what is in memory")
	}

	// Behind what memory keeps, and cut by the limit: nothing wakes for the rest, but the delivery says so.
	publish(t, hub, text(lobby, "4"), text(lobby, "5"), text(lobby, "6"))
	wantWakes(3)
	if _, ok, _ := r.TakeCached(nil); ok {
		t.Fatal("what memory has no more was taken from it")
	}
	take("room:lobby 4-5", true)
	take("room:lobby 6-6", false)
	if p, _ := r.Position(lobby); p.Seq != 6 || first.Seq != 1 {
		t.Fatal(p)
	}

	// A lens may have to ask somebody.
	knows := false
	if _, err := r.Add(t.Context(), lobby, channel.End, func(m channel.Message, wait bool) (channel.Message, bool) { return m, wait || knows }); err != nil {
		t.Fatal(err)
	}
	take("", false)
	wantWakes(4)
	publish(t, hub, text(lobby, "7"))
	wantWakes(5)
	if _, ok, _ := r.TakeCached(nil); ok {
		t.Fatal("what is seen through a lens was taken without waiting for it")
	}
	take("room:lobby 7-7", false)

	// One that need not ask is looked through at once.
	knows = true
	publish(t, hub, text(lobby, "8"))
	wantWakes(6)
	if d, ok, err := r.TakeCached(nil); !ok || err != nil || show(d.Batches) == "" {
		t.Fatal(d, ok, err)
	}

	r.Close()
	wantWakes(7)
	if _, _, err := r.TakeCached(nil); !errors.Is(err, channel.ErrClosed) {
		t.Fatal(err)
	}
}
