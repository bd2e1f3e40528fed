package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"parley/channel"
	"parley/client"
)

// reader reads some channels with a Go client, and writes down what it gets.
type reader struct {
	w      *world
	who    string
	random *rand.Rand
	client *client.Client
	close  func()
	got    map[channel.Name]*transcript
}

// transcript is what a reader got of one channel, in order.
type transcript struct {
	random *rand.Rand
	over   bool // the channel was deleted

	mu     sync.Mutex
	events []event
}

func (tr *transcript) add(e event) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, e)
}

// event is one thing that came: a message, a gap; or that the reader began (again) at a position; or that it had to be at the tail.
type event struct {
	at      time.Time
	from    string // began here
	message client.Message
	gap     *client.Gap

	checkpoint bool
	tail       channel.Position
	gone       bool
}

func (w *world) newReader(i int) *reader {
	r := &reader{w: w, who: fmt.Sprintf("r%d", i), random: w.source(100 + uint64(i)), got: map[channel.Name]*transcript{}}
	r.client, r.close = w.newClient(r.who, 100+uint64(i), 1+r.random.IntN(100))
	for n, name := range names {
		if r.random.IntN(3) > 0 {
			r.got[name] = &transcript{random: w.source(1<<20 + uint64(i*100+n))}
		}
	}
	return r
}

func (r *reader) read(ctx context.Context) {
	defer r.close()
	var all sync.WaitGroup
	for name, tr := range r.got {
		all.Go(func() { r.follow(ctx, name, tr) })
	}
	all.Go(func() {
		for r.w.faulty() {
			if !pause(ctx, time.Duration(r.random.Int64N(int64(30*time.Second)))) || !r.w.faulty() {
				return
			}
			_ = r.client.UseTransport(append(client.Transports[:], client.Auto)[r.random.IntN(5)])
		}
	})
	all.Wait()
}

// follow reads one channel, over and over again from where it was, until ctx ends.
func (r *reader) follow(ctx context.Context, name channel.Name, tr *transcript) {
	at := "0"
	if tr.random.IntN(4) == 0 {
		at = "end"
	}
	slow := tr.random.IntN(3) == 0
	for ctx.Err() == nil && !tr.over {
		tr.add(event{at: time.Now(), from: at})
		stint, cancel := context.WithCancel(ctx)
		if r.w.faulty() && tr.random.IntN(2) == 0 {
			time.AfterFunc(time.Duration(tr.random.Int64N(int64(20*time.Second))), cancel)
		}
		sub := r.client.Subscribe(stint, string(name), client.After(at))
		for m, err := range sub.Messages() {
			var gap *client.Gap
			switch {
			case err == nil:
				tr.add(event{at: time.Now(), message: m})
			case errors.As(err, &gap):
				r.w.truth.told(r.who, name, gap)
				tr.add(event{at: time.Now(), gap: gap})
				tr.over = gap.Reason == "deleted"
			case stint.Err() == nil && !tr.over:
				r.w.truth.note("%s: %s is not read any more: %v", r.who, name, err)
				cancel()
				return
			}
			if slow && r.w.faulty() {
				pause(stint, time.Duration(tr.random.Int64N(int64(time.Second))))
			}
		}
		cancel()
		at = sub.Position()
	}
}

// pause waits, and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
