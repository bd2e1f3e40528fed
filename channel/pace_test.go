package channel_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/channel"
)

// A watcher of a conflated channel is woken at a bounded rate however much is written, and always for the last message.
func TestConflatedChannelsHaveAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every = 100 * time.Millisecond
		hub, _ := newHub(t, channel.Options{ConflateEvery: every, Policies: channel.Policies{channel.KindVote: {Conflate: true}}})
		name := channel.Vote("K7QM")
		r := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
		defer r.Close()
		add(t, r, name, channel.End)

		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		var mu sync.Mutex // of seen and at
		var seen []uint64
		var at []time.Duration
		began := time.Now()
		go func() { // ends with its context
			for {
				d, err := r.Next(ctx)
				if err != nil {
					return
				}
				mu.Lock()
				for _, b := range d.Batches {
					if len(b.Messages) != 1 {
						t.Errorf("%d messages of a conflated channel", len(b.Messages))
					}
					seen, at = append(seen, b.To.Seq), append(at, time.Since(began))
				}
				mu.Unlock()
			}
		}()
		synctest.Wait()
		const messages = 1050
		for i := range messages { // one each millisecond
			publish(t, hub, channel.Draft{Channel: name, Type: "tally", From: ann, Data: json.RawMessage(`{"n":` + strconv.Itoa(i) + `}`)})
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		mu.Lock()
		if at[0] != 0 {
			t.Errorf("the first was seen after %v; want at once", at[0])
		}
		if most := messages/100 + 1; len(seen) > most || len(seen) < most-1 {
			t.Errorf("in %d ms it was woken %d times; want once each %v", messages, len(seen), every)
		}
		mu.Unlock()
		time.Sleep(every)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if last := seen[len(seen)-1]; last != messages {
			t.Errorf("the last seen is %d; want %d", last, messages)
		}
		for i := range len(at) - 1 {
			if d := at[i+1] - at[i]; d < every {
				t.Errorf("two are %v apart; want at least %v", d, every)
			}
		}
	})
}
