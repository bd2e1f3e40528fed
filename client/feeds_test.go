package client

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func newSub(e *env, channel, after string) *Subscription {
	return &Subscription{
		channel: channel, env: e, limit: 1 << 20, read: after, taken: after, signals: newSignals(), unhook: func() bool { return true },
		ready: make(chan struct{}, 1), known: make(chan struct{}),
	}
}

// pool is the feeds without a connection: the test delivers, and the rewinds are counted.
type pool struct {
	e       *env
	rewinds int
}

func inPool(t *testing.T, test func(p *pool)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pool{e: newEnv(Options{}.withDefaults())}
		p.e.feeds = newFeeds(p.e)
		p.e.feeds.onRewind = func(string) { p.rewinds++ }
		p.e.mu.Lock()
		test(p)
		p.e.feeds.close(closedError())
		p.e.closed = true
		p.e.mu.Unlock()
		p.e.work.Wait()
	})
}

func (p *pool) add(after string) *Subscription {
	s := newSub(p.e, "room:a", after)
	p.e.feeds.add(s)
	return s
}

func (p *pool) advance(d time.Duration) {
	p.e.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	p.e.mu.Lock()
}

func mark(seq int) string {
	if seq == 0 {
		return "0"
	}
	return fmt.Sprintf("%d-mark%d", seq, seq)
}

func piece(from, to int) *object {
	o := &object{Channel: "room:a", From: mark(from), To: mark(to), Messages: []Message{}}
	for seq := from + 1; seq <= to; seq++ {
		o.Messages = append(o.Messages, Message{Seq: uint64(seq)})
	}
	return o
}

// waiting are the seqs that a subscription has for its reader.
func waiting(s *Subscription) (seqs []int) {
	for _, i := range s.queue {
		if i.gap == nil {
			seqs = append(seqs, int(i.message.Seq))
		}
	}
	return seqs
}

func upTo(n int) (seqs []int) {
	for i := 1; i <= n; i++ {
		seqs = append(seqs, i)
	}
	return seqs
}

func judgement(t *testing.T) {
	for _, c := range []struct {
		at, from, to string
		want         verdict
	}{
		{"5-x", "5-x", "9-y", apply}, {"5", "5-x", "9-y", apply}, {"5-x", "5", "9-y", apply}, {"0", "0", "2-y", apply},
		{"5-x", "5-z", "9-y", hole}, {"7-x", "5-x", "9-y", part}, {"9-y", "5-x", "9-y", drop}, {"9-z", "5-x", "9-y", hole},
		{"10-x", "5-x", "9-y", drop}, {"4-x", "5-x", "9-y", hole}, {"5-x", "5-x", "5-x", apply},
	} {
		if got := judge(c.at, c.from, c.to); got != c.want {
			t.Errorf("%s in %s..%s: %d, want %d", c.at, c.from, c.to, got, c.want)
		}
	}
}

func anyPieces(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		inPool(t, func(p *pool) {
			const tail = 40
			s := p.add("0")
			for range 60 {
				from := random.IntN(tail)
				p.e.feeds.receive(piece(from, from+random.IntN(tail-from+1)))
				if got := waiting(s); !slices.Equal(got, upTo(len(got))) || s.read != mark(len(got)) {
					t.Fatalf("seed %d: %v at %s", seed, got, s.read)
				}
				p.advance(time.Duration(random.IntN(300)) * time.Millisecond)
				// A link does as it is told: it reads from the wanted position, some messages.
				if p.rewinds > 0 && random.Float64() < 0.7 {
					p.rewinds = 0
					after := int(seqOf(p.e.feeds.after("room:a")))
					p.e.feeds.receive(piece(after, min(tail, after+5)))
				}
			}
			p.e.feeds.receive(piece(len(waiting(s)), tail))
			if len(waiting(s)) != tail {
				t.Fatalf("seed %d: %d of %d", seed, len(waiting(s)), tail)
			}
		})
	}
}

func holesStop(t *testing.T) {
	inPool(t, func(p *pool) {
		p.add(mark(2))
		for range 10_000 {
			p.e.feeds.receive(piece(5, 6))
			p.advance(10 * time.Millisecond)
		}
		if p.rewinds < 5 || p.rewinds > 15 {
			t.Fatalf("%d rewinds in 100 s", p.rewinds)
		}
	})
}

func holeFills(t *testing.T) {
	inPool(t, func(p *pool) {
		s := p.add("0")
		p.e.feeds.receive(piece(3, 5))
		p.e.feeds.receive(piece(0, 5))
		p.advance(time.Second)
		if !slices.Equal(waiting(s), upTo(5)) || p.rewinds != 0 {
			t.Fatalf("%v, %d rewinds", waiting(s), p.rewinds)
		}
	})
}

func otherMark(t *testing.T) {
	inPool(t, func(p *pool) {
		s := p.add("5-other")
		p.e.feeds.receive(piece(5, 7))
		p.advance(time.Millisecond)
		if p.rewinds != 1 {
			t.Fatalf("%d rewinds", p.rewinds)
		}
		p.e.feeds.receive(&object{Channel: "room:a", Gap: &Gap{From: "5-other", Reason: "rollback", Resume: mark(3), Tail: mark(7)}})
		if len(s.queue) != 1 || s.queue[0].gap == nil || s.queue[0].gap.Reason != "rollback" || s.read != mark(3) {
			t.Fatalf("%+v at %s", s.queue, s.read)
		}
	})
}

func gapFurtherOn(t *testing.T) {
	inPool(t, func(p *pool) {
		s := p.add(mark(8))
		p.e.feeds.receive(&object{Channel: "room:a", Gap: &Gap{From: mark(2), Reason: "retention", Resume: mark(6), Tail: mark(9)}})
		if len(s.queue) != 0 || s.read != mark(8) {
			t.Fatalf("%+v at %s", s.queue, s.read)
		}
		// What it lacks is a part of this one.
		p.e.feeds.receive(&object{Channel: "room:a", Gap: &Gap{From: mark(2), Reason: "retention", Resume: mark(11), Tail: mark(12)}})
		if len(s.queue) != 1 || s.queue[0].gap == nil || s.queue[0].gap.From != mark(8) || s.read != mark(11) {
			t.Fatalf("%+v at %s", s.queue, s.read)
		}
	})
}

func deletedFurtherOn(t *testing.T) {
	inPool(t, func(p *pool) {
		s := p.add(mark(8))
		p.e.feeds.receive(&object{Channel: "room:a", Gap: &Gap{From: mark(2), Reason: "deleted"}})
		if len(s.queue) == 0 || s.queue[0].gap == nil || s.queue[0].gap.Reason != "deleted" || s.queue[0].gap.From != mark(8) {
			t.Fatalf("%+v at %s", s.queue, s.read)
		}
	})
}

func onlyNewest(t *testing.T) {
	inPool(t, func(p *pool) {
		s := p.add(mark(2))
		first, second := piece(2, 9), piece(5, 12)
		first.Messages, second.Messages = first.Messages[6:], second.Messages[6:]
		p.e.feeds.receive(first)
		p.e.feeds.receive(second)
		if !slices.Equal(waiting(s), []int{9, 12}) || s.read != mark(12) {
			t.Fatalf("%v at %s", waiting(s), s.read)
		}
	})
}

func TestASlowReaderIsServedByPosition(t *testing.T) {
	inPool(t, func(p *pool) {
		slow, quick := p.add("0"), p.add("0")
		slow.limit = 10
		p.e.feeds.receive(piece(0, 12))
		p.e.feeds.receive(piece(12, 1000))
		if len(slow.queue) != 12 || len(quick.queue) != 1000 {
			t.Fatalf("%d and %d wait", len(slow.queue), len(quick.queue))
		}
		if after := p.e.feeds.after("room:a"); after != mark(1000) {
			t.Fatalf("read from %s, though the slow one takes nothing", after)
		}
		take := func(n int) {
			for range n {
				p.e.mu.Unlock()
				if _, ok := slow.next(); !ok {
					t.Error("ended")
				}
				p.e.mu.Lock()
			}
		}
		take(6)
		p.advance(time.Second)
		if p.rewinds != 0 {
			t.Fatal("it goes on only when half is taken")
		}
		take(1)
		p.advance(time.Second)
		if p.rewinds != 1 || p.e.feeds.after("room:a") != mark(12) {
			t.Fatalf("%d rewinds, read from %s", p.rewinds, p.e.feeds.after("room:a"))
		}
		if slow.taken != "7" || slow.read != mark(12) {
			t.Fatalf("it is at %s and read to %s", slow.taken, slow.read)
		}
	})
}

func TestAlone(t *testing.T) {
	inPool(t, func(p *pool) {
		slow := p.add("0")
		slow.limit = 2
		p.e.feeds.receive(piece(0, 4))
		if p.e.feeds.size() != 0 {
			t.Fatal("the channel is still wanted")
		}
		for range 4 {
			p.e.mu.Unlock()
			_, _ = slow.next()
			p.e.mu.Lock()
		}
		if p.e.feeds.size() != 1 || p.e.feeds.after("room:a") != mark(4) {
			t.Fatal("the channel is not wanted again")
		}
		slow.end(errors.New("x"))
	})
}

func ceilingsDouble(t *testing.T) {
	top := backoff{min: time.Second, max: 30 * time.Second, random: func() float64 { return 1 }}
	for _, want := range []int{1, 2, 4, 8, 16, 30, 30, 30} {
		if got := top.next(nil); got != time.Duration(want)*time.Second {
			t.Fatalf("%v, want %d s", got, want)
		}
	}
	top.reset()
	if got := top.next(nil); got != time.Second {
		t.Fatal(got)
	}
	half := backoff{min: time.Second, max: 30 * time.Second, random: func() float64 { return 0.5 }}
	for i := range 5000 {
		if got := half.next(nil); got > 15*time.Second || got < 500*time.Millisecond {
			t.Fatalf("try %d: %v", i, got)
		}
	}
}

func neverUndercut(t *testing.T) {
	for _, random := range []float64{0, 0.99} {
		b := backoff{min: time.Second, max: 30 * time.Second, random: func() float64 { return random }}
		for _, asked := range []time.Duration{0, 2400 * time.Millisecond, time.Minute} {
			if got := b.next(stay(asked)); got < asked || got >= asked+time.Second {
				t.Fatalf("asked for %v, waits %v", asked, got)
			}
		}
	}
}

// Links learn a little later that nobody takes more of a channel, and may not notice if somebody does again by then: so they are told
// that what they have been reading, or asking for meanwhile, does not count.
func wantedAgain(t *testing.T) {
	inPool(t, func(p *pool) {
		var fresh []string
		p.e.feeds.onFresh = func(channel string) { fresh = append(fresh, p.e.feeds.after(channel)) }
		s := p.add("0")
		s.limit = 3
		p.e.feeds.receive(piece(0, 3))
		p.e.feeds.receive(piece(3, 4))
		if !s.full || !slices.Equal(waiting(s), upTo(3)) {
			t.Fatalf("full %v, with %v", s.full, waiting(s))
		}
		s.queue = nil
		p.e.feeds.resume(s)
		s.end(nil)
		p.add(mark(1))
		p.add(mark(1)) // one more makes no difference
		if want := []string{"0", mark(3), mark(1)}; !slices.Equal(fresh, want) {
			t.Fatalf("read again from %v, not %v", fresh, want)
		}
	})
}
