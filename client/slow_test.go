package client

import (
	"testing"
	"time"
)

// TestASlowReaderMissesNothing: what it does not take is not kept for it, and is there when it wants it; others do not wait.
func TestASlowReaderMissesNothing(t *testing.T) {
	for _, kind := range Transports {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := open(t)
			ann, reader := person(t, h.url, "Ann"), person(t, h.url, "Reader", by(kind))
			channel := room(t, ann, "Den")
			slow := reader.Subscribe(t.Context(), channel, FromStart(), Buffer(10))
			quick := read(t, reader.Subscribe(t.Context(), channel, FromStart()))
			for sent := 0; sent < 200; sent += 20 {
				say(t, ann, channel, numbers(sent+1, sent+20)...)
				if kind != Poll { // whose server advises seconds between two
					until(t, "the quick one", func() bool { return len(quick.texts()) == sent+20 })
				}
			}
			until(t, "the quick one", func() bool { return len(quick.texts()) == 200 })
			reader.env.mu.Lock()
			waiting := len(slow.queue)
			reader.env.mu.Unlock()
			if waiting >= 150 {
				t.Fatalf("%d messages wait for a reader that takes none", waiting)
			}
			got := read(t, slow)
			until(t, "the slow one", func() bool { return len(got.texts()) == 200 })
			sameMessages(t, got.messages(), whole(t, ann, channel))
			if len(got.reasons()) > 0 {
				t.Fatalf("gaps: %v", got.reasons())
			}
		})
	}
}

// TestCloseWaits: everything that a client started has ended when Close returns, and whoever waits is told.
func TestCloseWaits(t *testing.T) {
	for _, kind := range Transports {
		h := open(t)
		ann := person(t, h.url, "Ann", by(kind))
		got := read(t, ann.Subscribe(t.Context(), "room:lobby"))
		isOpen(t, ann, kind)
		h.kill()
		failed := make(chan error, 1)
		go func() {
			_, err := ann.SendText(t.Context(), "room:lobby", "x")
			failed <- err
		}()
		time.Sleep(10 * time.Millisecond) // under way, or not: both must end
		ann.Close()
		fails(t, <-failed, CodeClosed)
		until(t, "the end", func() bool { _, done := got.ended(); return done })
		why, _ := got.ended()
		fails(t, why, CodeClosed)
		if ann.Connection().State != Closed {
			t.Fatalf("%+v", ann.Connection())
		}
	}
}
