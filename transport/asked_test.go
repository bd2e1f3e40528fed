package transport_test

import (
	"fmt"
	"testing"
	"time"

	"parley/channel"
	"parley/transport"
)

// TestWhatWasAskedForIsAnswered: a poll whose time to gather ends in the moment in which the database has answered, answers with that, and does
// not ask again behind it. And what comes while the database is asked is not left to the end of the wait.
func TestWhatWasAskedForIsAnswered(t *testing.T) {
	w := newWorld(t, transport.Options{Gather: 20 * time.Microsecond})
	w.site.set(func() { // a lens that waits: so the database is asked each time
		w.site.lenses["room:a"] = func(m channel.Message, wait bool) (channel.Message, bool) { return m, wait }
	})
	const messages, readers = 2000, 8
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range messages {
			w.say("room:a", fmt.Sprint(i))
		}
	}()
	ends := make(chan error, readers)
	for range readers {
		go func() { ends <- pollOn(w, messages) }()
	}
	for range readers {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	<-done
}

// pollOn polls until it has all messages, each behind the one before.
func pollOn(w *world, all uint64) error {
	at, seq := "0", uint64(0)
	for seq < all {
		began := time.Now()
		a, err := w.try("GET /v1/channels/room:a/messages?limit=1000&wait=20&after="+at, "")
		if err != nil {
			return err
		}
		b := parse[batch](w.t, a.body)
		if b.From != at && at != "0" {
			return fmt.Errorf("a batch from %s for who is at %s", b.From, at)
		}
		if len(b.Messages) == 0 {
			return fmt.Errorf("at %s nothing came for %s", at, time.Since(began))
		}
		for _, m := range b.Messages {
			if m.Seq != seq+1 {
				return fmt.Errorf("message %d behind %d", m.Seq, seq)
			}
			seq = m.Seq
		}
		at = b.To
	}
	return nil
}
