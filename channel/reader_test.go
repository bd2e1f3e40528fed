package channel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/channel"
)

const lobby = channel.Name("room:lobby")

func newHub(t *testing.T, o channel.Options) (*channel.Hub, *memory) {
	t.Helper()
	log := newMemory(o.Policies)
	hub := channel.NewHub(log, o)
	t.Cleanup(hub.Close)
	return hub, log
}

func publish(t *testing.T, hub *channel.Hub, drafts ...channel.Draft) []channel.Receipt {
	t.Helper()
	receipts, err := hub.Append(t.Context(), drafts...)
	if err != nil {
		t.Fatal(err)
	}
	return receipts
}

func add(t *testing.T, r *channel.Reader, name channel.Name, after channel.Position) {
	t.Helper()
	if _, err := r.Add(t.Context(), name, after, nil); err != nil {
		t.Fatal(err)
	}
}

func ready(t *testing.T, r *channel.Reader) []channel.Batch {
	t.Helper()
	batches, err := r.Ready(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return batches
}

// seqs shows what batches hold: room:a 1-3, room:b gap rollback.
func seqs(batches []channel.Batch) string {
	var parts []string
	for _, b := range batches {
		if b.Gap != nil {
			parts = append(parts, fmt.Sprintf("%s gap %s", b.Channel, b.Gap.Reason))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %d-%d", b.Channel, b.Messages[0].Seq, b.Messages[len(b.Messages)-1].Seq))
	}
	return strings.Join(parts, ", ")
}

func wantSeqs(t *testing.T, batches []channel.Batch, want string) {
	t.Helper()
	if got := seqs(batches); got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestNextWaitsForACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{})
		r := hub.NewReader(channel.ReaderOptions{})
		defer r.Close()
		add(t, r, lobby, channel.End)

		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("nothing came, and Next returned %v", err)
		}

		got := make(chan string)
		go func() {
			d, _ := r.Next(t.Context())
			got <- seqs(d.Batches)
		}()
		synctest.Wait() // Next waits
		publish(t, hub, text(lobby, "hello"))
		if s := <-got; s != "room:lobby 1-1" {
			t.Fatal(s)
		}
	})
}

func TestAddWakesNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{})
		publish(t, hub, text(lobby, "hello"))
		r := hub.NewReader(channel.ReaderOptions{})
		defer r.Close()
		got := make(chan string)
		go func() {
			d, _ := r.Next(t.Context())
			got <- seqs(d.Batches)
		}()
		synctest.Wait()
		add(t, r, lobby, channel.Position{})
		if s := <-got; s != "room:lobby 1-1" {
			t.Fatal(s)
		}
	})
}

func TestCloseEndsNext(t *testing.T) {
	for name, end := range map[string]func(*channel.Hub, *channel.Reader){
		"reader": func(_ *channel.Hub, r *channel.Reader) { r.Close() },
		"hub":    func(h *channel.Hub, _ *channel.Reader) { h.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, _ := newHub(t, channel.Options{})
				r := hub.NewReader(channel.ReaderOptions{})
				add(t, r, lobby, channel.End)
				ended := make(chan error)
				go func() {
					_, err := r.Next(t.Context())
					ended <- err
				}()
				synctest.Wait()
				end(hub, r)
				if err := <-ended; err != channel.ErrClosed {
					t.Fatal(err)
				}
				if _, err := r.Add(t.Context(), lobby, channel.End, nil); err != channel.ErrClosed {
					t.Fatalf("Add to a closed reader: %v", err)
				}
				if hub.Watched() != 0 || hub.Readers() != 0 {
					t.Fatalf("%d channels and %d readers are kept", hub.Watched(), hub.Readers())
				}
			})
		})
	}
}

func TestClosedHubHasClosedReaders(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	hub.Close()
	r := hub.NewReader(channel.ReaderOptions{})
	if _, err := r.Next(t.Context()); err != channel.ErrClosed {
		t.Fatal(err)
	}
}

// A reader whose mark disagrees with what is in memory must hear the log's verdict, not a silent continuation.
func TestMarkIsVerifiedFromMemoryToo(t *testing.T) {
	hub, log := newHub(t, channel.Options{})
	watcher := hub.NewReader(channel.ReaderOptions{})
	defer watcher.Close()
	add(t, watcher, lobby, channel.End)
	publish(t, hub, text(lobby, "1"), text(lobby, "2"), text(lobby, "3"))

	for name, after := range map[string]channel.Position{
		"in the middle": {Seq: 2, Mark: 999},
		"at the tail":   {Seq: 3, Mark: 999},
		"past the tail": {Seq: 4, Mark: 999},
	} {
		t.Run(name, func(t *testing.T) {
			r := hub.NewReader(channel.ReaderOptions{})
			defer r.Close()
			add(t, r, lobby, after)
			wantSeqs(t, ready(t, r), "room:lobby gap rollback")
			wantSeqs(t, ready(t, r), "room:lobby 1-3")
		})
	}
	t.Run("agreeing", func(t *testing.T) {
		r, reads := hub.NewReader(channel.ReaderOptions{}), log.readCount()
		defer r.Close()
		add(t, r, lobby, channel.Position{Seq: 2, Mark: 2})
		wantSeqs(t, ready(t, r), "room:lobby 3-3")
		if log.readCount() != reads {
			t.Fatal("it was not served from memory")
		}
	})
	t.Run("bare", func(t *testing.T) {
		r := hub.NewReader(channel.ReaderOptions{})
		defer r.Close()
		add(t, r, lobby, channel.Position{Seq: 3})
		wantSeqs(t, ready(t, r), "")
		if p, _ := r.Position(lobby); p != (channel.Position{Seq: 3, Mark: 3}) {
			t.Fatalf("the position has no mark: %v", p)
		}
	})
}

// After a restart everybody comes back at once, to channels of which nothing is in memory.
func TestReturningReadersShareOneRead(t *testing.T) {
	hub, log := newHub(t, channel.Options{})
	at := publish(t, hub, text(lobby, "1"), text(lobby, "2"), text(lobby, "3"))[0].Position
	reads := log.readCount()
	for range 100 {
		r := hub.NewReader(channel.ReaderOptions{})
		defer r.Close()
		add(t, r, lobby, at)
		wantSeqs(t, ready(t, r), "room:lobby 2-3")
	}
	if n := log.readCount() - reads; n != 1 {
		t.Fatalf("the log was read %d times", n)
	}
}

// Old messages that memory has still are not shown where the channel's age limit may have taken them.
func TestMemoryDoesNotOutliveKeepAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, log := newHub(t, channel.Options{Policies: channel.Policies{"room": {KeepAge: time.Hour}}})
		watcher := hub.NewReader(channel.ReaderOptions{})
		defer watcher.Close()
		add(t, watcher, lobby, channel.End)
		publish(t, hub, text(lobby, "old"))
		time.Sleep(2 * time.Hour)
		log.retain(lobby, 0)
		r := hub.NewReader(channel.ReaderOptions{})
		defer r.Close()
		add(t, r, lobby, channel.Position{})
		wantSeqs(t, ready(t, r), "room:lobby gap retention")
		wantSeqs(t, ready(t, r), "")
		publish(t, hub, text(lobby, "new"))
		wantSeqs(t, ready(t, r), "room:lobby 2-2")
	})
}

func TestDeletedChannelIsRemoved(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	publish(t, hub, text(lobby, "1"))
	r := hub.NewReader(channel.ReaderOptions{})
	defer r.Close()
	add(t, r, lobby, channel.End)
	wantSeqs(t, ready(t, r), "")
	if err := hub.Delete(t.Context(), lobby); err != nil {
		t.Fatal(err)
	}
	wantSeqs(t, ready(t, r), "room:lobby gap deleted")
	if names := r.Names(); len(names) != 0 || hub.Watched() != 0 {
		t.Fatalf("the reader has %v, the hub keeps %d", names, hub.Watched())
	}
}

// What is read while the channel is removed, or moved, is not delivered.
func TestMovedWhileReading(t *testing.T) {
	hub, log := newHub(t, channel.Options{})
	receipts := publish(t, hub, text(lobby, "1"), text(lobby, "2"))
	r := hub.NewReader(channel.ReaderOptions{})
	defer r.Close()

	add(t, r, lobby, channel.Position{})
	log.meanwhile = func() { r.Remove(lobby) }
	wantSeqs(t, ready(t, r), "")
	if hub.Watched() != 0 {
		t.Fatal("the removed channel is kept")
	}

	add(t, r, lobby, channel.Position{})
	log.meanwhile = func() { add(t, r, lobby, receipts[0].Position) }
	wantSeqs(t, ready(t, r), "")
	wantSeqs(t, ready(t, r), "room:lobby 2-2")
}

func TestBatchInHandStaysAsItIs(t *testing.T) {
	hub, _ := newHub(t, channel.Options{CacheMessages: 4, Policies: channel.Policies{"vote": {Conflate: true}}})
	r := hub.NewReader(channel.ReaderOptions{})
	defer r.Close()
	tea := channel.Vote("TEA")
	add(t, r, lobby, channel.End)
	add(t, r, tea, channel.End)
	wantSeqs(t, ready(t, r), "")
	publish(t, hub, text(lobby, "1"), text(lobby, "2"), text(tea, "1"), text(tea, "2"))
	inHand := ready(t, r)
	before := show(inHand)

	amending := text(lobby, "3")
	amending.Amend = &channel.Amendment{Seq: 1, Data: []byte(`{"text":"amended"}`)}
	publish(t, hub, amending)
	for i := range 20 {
		publish(t, hub, text(lobby, fmt.Sprint(i)), text(tea, fmt.Sprint(i)))
	}
	if after := show(inHand); after != before {
		t.Fatalf("the batches became\n%s, they were\n%s", after, before)
	}
}

// What a caller appends to a batch does not reach into the hub's array.
func TestBatchEndsWhereItEnds(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	r := hub.NewReader(channel.ReaderOptions{})
	defer r.Close()
	add(t, r, lobby, channel.End)
	wantSeqs(t, ready(t, r), "")
	for i := range uint64(10) {
		publish(t, hub, text(lobby, "hello"))
		got := ready(t, r)
		publish(t, hub, text(lobby, "hello"))
		_ = append(got[0].Messages, channel.Message{Seq: 77})
		if got := ready(t, r); got[0].Messages[0].Seq != 2*i+2 {
			t.Fatal(got)
		}
	}
}

func show(batches []channel.Batch) string {
	var s []byte
	for i := range batches {
		s = append(batches[i].AppendJSON(s), '\n')
	}
	return string(s)
}

// One delivery is bounded over all channels together, and everyone gets a turn.
func TestDeliveryIsBounded(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	r := hub.NewReader(channel.ReaderOptions{MaxBytes: 2000})
	defer r.Close()
	for _, name := range []channel.Name{"room:a", "room:b", "room:c"} {
		publish(t, hub, text(name, strings.Repeat("x", 1000)), text(name, strings.Repeat("x", 1000)))
		add(t, r, name, channel.Position{})
	}
	for _, want := range []string{"room:a 1-2", "room:b 1-2", "room:c 1-2", ""} { // the reference log knows no maxBytes
		wantSeqs(t, ready(t, r), want)
	}
	for _, name := range []channel.Name{"room:a", "room:b", "room:c"} {
		publish(t, hub, text(name, strings.Repeat("x", 1000)), text(name, strings.Repeat("x", 1000)), text(name, "x"))
	}
	for _, want := range []string{"room:a 3-3, room:b 3-3", "room:c 3-3, room:a 4-5", "room:b 4-5, room:c 4-5", ""} {
		wantSeqs(t, ready(t, r), want)
	}
}

func TestLensIsForOneReaderOnly(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	hidden, plain := hub.NewReader(channel.ReaderOptions{}), hub.NewReader(channel.ReaderOptions{})
	defer hidden.Close()
	defer plain.Close()
	lens := func(m channel.Message, _ bool) (channel.Message, bool) { m.Data = []byte(`{}`); return m, true }
	if _, err := hidden.Add(t.Context(), lobby, channel.End, lens); err != nil {
		t.Fatal(err)
	}
	add(t, plain, lobby, channel.End)
	wantSeqs(t, ready(t, plain), "")
	wantSeqs(t, ready(t, hidden), "")
	publish(t, hub, text(lobby, "secret"))
	if got := show(ready(t, hidden)); !strings.Contains(got, `"data":{}`) || strings.Contains(got, "secret") {
		t.Fatal(got)
	}
	if got := show(ready(t, plain)); !strings.Contains(got, `"data":{"text":"secret"}`) {
		t.Fatal(got)
	}
	b, err := hub.Before(t.Context(), lobby, channel.End, 0, lens)
	if got := show([]channel.Batch{b}); err != nil || strings.Contains(got, "secret") {
		t.Fatal(got, err)
	}
}

// A reader that never calls Next costs a bounded amount, whatever happens, and holds up nobody.
func TestSlowReaderHarmsNobody(t *testing.T) {
	hub, _ := newHub(t, channel.Options{CacheMessages: 50, CacheBytes: 32 << 10})
	slow, quick := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream}), hub.NewReader(channel.ReaderOptions{Limit: 1000})
	defer slow.Close()
	defer quick.Close()
	add(t, slow, lobby, channel.Position{})
	add(t, quick, lobby, channel.Position{})
	read := 0
	for i := range 2000 {
		publish(t, hub, text(lobby, strings.Repeat("x", i%1000)))
		if err := hub.Signal(t.Context(), channel.Signal{Channel: lobby, Type: "typing", From: ann}); err != nil {
			t.Fatal(err)
		}
		for _, b := range ready(t, quick) {
			read += len(b.Messages)
		}
		messages, array, bytes := hub.Cached(lobby)
		if messages > 50 || array > 2*50+1 || bytes > 40<<10 || messages == 0 {
			t.Fatalf("after %d: %d messages of %d bytes are kept, in an array of %d", i, messages, bytes, array)
		}
		if slow.Waiting() > 64 {
			t.Fatalf("%d signals wait", slow.Waiting())
		}
	}
	if read != 2000 {
		t.Fatalf("the quick reader got %d", read)
	}
	for want := uint64(1); want <= 2000; { // it has lost nothing when it comes round
		for _, b := range ready(t, slow) {
			for _, m := range b.Messages {
				if m.Seq != want {
					t.Fatalf("%d instead of %d", m.Seq, want)
				}
				want++
			}
		}
	}
}

// brokenLog fails to tell its tail, and has a signal come meanwhile.
type brokenLog struct{ *memory }

func (l brokenLog) Tail(ctx context.Context, name channel.Name) (channel.Position, error) {
	l.sink.Signalled(channel.Signal{Channel: name, Type: "typing", From: ann})
	return channel.Position{}, errors.New("the disk is gone")
}

func TestFailedAddHearsNothing(t *testing.T) {
	hub := channel.NewHub(brokenLog{newMemory(nil)}, channel.Options{})
	defer hub.Close()
	r := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	if _, err := r.Add(t.Context(), lobby, channel.End, nil); err == nil || r.Waiting() != 0 {
		t.Fatalf("%v, and %d signals wait", err, r.Waiting())
	}
}

func TestAddThatFailsLeavesNothing(t *testing.T) {
	hub, _ := newHub(t, channel.Options{MaxChannels: 1})
	r := hub.NewReader(channel.ReaderOptions{})
	defer r.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Add(ended, lobby, channel.End, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if hub.Watched() != 0 || len(r.Names()) != 0 {
		t.Fatal("the channel was added")
	}
	add(t, r, lobby, channel.End)
	if _, err := r.Add(t.Context(), "room:other", channel.End, nil); !errors.Is(err, channel.ErrTooManyChannels) {
		t.Fatal(err)
	}
	add(t, r, lobby, channel.Position{}) // moving is no addition
}
