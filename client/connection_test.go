package client

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// world is the state machine with links that do as the test says, and a clock that goes when everybody waits.
type world struct {
	t     *testing.T
	e     *env
	c     *connection
	works func(Transport) string // "hello", "fail" or ""
	tried []*actor
	live  map[*actor]bool
	sub   *Subscription
}

// actor is such a link.
type actor struct {
	w     *world
	k     Transport
	on    events
	owned bool
}

func (a *actor) kind() Transport { return a.k }
func (a *actor) sync()           {}
func (a *actor) rewind(string)   {}
func (a *actor) disown()         { a.owned = false }
func (a *actor) close()          { delete(a.w.live, a) }
func (a *actor) start() {
	a.w.live[a] = true
	switch a.w.works(a.k) {
	case "hello":
		a.on.hello(hello{})
	case "fail":
		a.fail(nil)
	}
}

func (a *actor) fail(why *Error) {
	delete(a.w.live, a)
	if why == nil {
		why = networkError("test", nil)
	}
	a.on.down(why)
}

func silent(Transport) string  { return "" }
func greets(Transport) string  { return "hello" }
func refuses(Transport) string { return "fail" }
func stay(d time.Duration) *Error {
	return &Error{Code: "overloaded", Status: 503, RetryAfter: d, said: true}
}

// inWorld runs a test with the lock held; advance lets the clock go.
func inWorld(t *testing.T, works func(Transport) string, change func(*world), test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Random: func() float64 { return 0.5 }}.withDefaults()
		w := &world{t: t, e: newEnv(o), works: works, live: map[*actor]bool{}}
		w.e.feeds = newFeeds(w.e)
		w.c = newConnection(w.e, Auto, func(kind Transport, on events) link {
			a := &actor{w: w, k: kind, on: on, owned: true}
			w.tried = append(w.tried, a)
			return a
		})
		w.e.feeds.onChange = w.c.feedsChanged
		if change != nil {
			change(w)
		}
		w.e.mu.Lock()
		w.subscribe()
		test(w)
		w.c.close()
		w.e.feeds.close(closedError())
		w.e.closed = true
		w.e.mu.Unlock()
		w.e.stop()
		w.e.work.Wait()
	})
}

func (w *world) subscribe() {
	w.sub = newSub(w.e, "room:a", "0")
	w.e.feeds.add(w.sub)
}

// advance lets the clock go on by d.
func (w *world) advance(d time.Duration) {
	w.e.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	w.e.mu.Lock()
}

func (w *world) last() *actor { return w.tried[len(w.tried)-1] }

func (w *world) kinds() string {
	var all []Transport
	for _, a := range w.tried {
		all = append(all, a.k)
	}
	return fmt.Sprint(all)
}

// is demands a state and a transport.
func (w *world) is(state State, kind Transport) {
	w.t.Helper()
	if now := w.c.info(); now.State != state || now.Transport != kind {
		w.t.Fatalf("the connection is %+v, want %s by %q; tried %s", now, state, kind, w.kinds())
	}
}

func (w *world) retryIn(d time.Duration) {
	w.t.Helper()
	if got := time.Until(w.c.retryAt); got != d {
		w.t.Fatalf("the next try comes in %v, want %v", got, d)
	}
}

func (w *world) triedAre(kinds string) {
	w.t.Helper()
	if w.kinds() != kinds {
		w.t.Fatalf("tried %s, want %s", w.kinds(), kinds)
	}
}

func bestFirst(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		w.is(Connecting, WebSocket)
		w.last().on.hello(hello{})
		w.is(Open, WebSocket)
		w.advance(time.Hour)
		w.triedAre("[websocket]")
	})
}

func nextOneDown(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		w.advance(3999 * time.Millisecond)
		w.triedAre("[websocket]")
		w.advance(time.Millisecond)
		w.triedAre("[websocket sse]")
		w.last().fail(nil)
		w.triedAre("[websocket sse longpoll]")
		w.last().on.hello(hello{})
		w.is(Open, LongPoll)
		if len(w.live) != 1 {
			t.Fatalf("%d links live", len(w.live))
		}
	})
}

func lateHello(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		first := w.last()
		w.advance(4 * time.Second)
		first.on.hello(hello{})
		w.is(Connecting, SSE)
	})
}

func nothingWorks(t *testing.T) {
	inWorld(t, refuses, func(w *world) { w.c.last = LongPoll }, func(w *world) {
		w.triedAre("[longpoll poll]")
		w.is(Waiting, "")
		w.retryIn(500 * time.Millisecond)
		w.advance(500 * time.Millisecond)
		w.triedAre("[longpoll poll websocket sse longpoll poll]")
		w.retryIn(time.Second)
		w.advance(time.Second)
		w.retryIn(2 * time.Second)
	})
}

func patienceGrows(t *testing.T) {
	inWorld(t, refuses, nil, func(w *world) {
		w.works = silent
		w.advance(500 * time.Millisecond)
		slow := w.last()
		w.advance(7999 * time.Millisecond)
		if w.last() != slow {
			t.Fatal("given up too soon")
		}
		slow.on.hello(hello{})
		w.is(Open, WebSocket)
	})
}

func growingDistances(t *testing.T) {
	only := func(kind Transport) string {
		if kind == LongPoll {
			return "hello"
		}
		return "fail"
	}
	inWorld(t, only, nil, func(w *world) {
		var rounds []int
		for s := range 400 {
			before := len(w.tried)
			w.advance(time.Second)
			if len(w.tried) > before {
				rounds = append(rounds, s+1)
			}
			w.is(Open, LongPoll)
		}
		if !slices.Equal(rounds, []int{10, 30, 70, 150, 310}) {
			t.Fatalf("better ones were tried after %v s", rounds)
		}
	})
}

func climbsAtHello(t *testing.T) {
	only := func(kind Transport) string {
		if kind == SSE {
			return "hello"
		}
		return ""
	}
	inWorld(t, only, nil, func(w *world) {
		w.advance(4 * time.Second)
		sse := w.last()
		w.is(Open, SSE)
		w.advance(10 * time.Second)
		if w.last().k != WebSocket || !w.live[sse] {
			t.Fatal("the present one must go on while the better one is tried")
		}
		w.is(Open, SSE)
		w.last().on.hello(hello{})
		w.is(Open, WebSocket)
		if w.live[sse] {
			t.Fatal("the old one is still open")
		}
	})
}

func workedBefore(t *testing.T) {
	inWorld(t, greets, nil, func(w *world) {
		w.advance(time.Minute)
		w.works = func(kind Transport) string {
			if kind == Poll {
				return "hello"
			}
			return "fail"
		}
		w.last().fail(nil)
		w.advance(time.Second)
		w.is(Open, Poll)
		w.works = greets
		w.advance(2500 * time.Millisecond)
		w.is(Open, WebSocket)
	})
}

func shortLives(t *testing.T) {
	inWorld(t, greets, nil, func(w *world) {
		for range 3 {
			w.is(Open, WebSocket)
			w.advance(5 * time.Second)
			w.last().fail(nil)
			w.advance(4 * time.Second)
		}
		w.is(Open, SSE)
	})
}

func longLife(t *testing.T) {
	inWorld(t, greets, nil, func(w *world) {
		for range 10 {
			w.advance(31 * time.Second)
			w.last().fail(nil)
			w.retryIn(500 * time.Millisecond)
			w.advance(500 * time.Millisecond)
			w.is(Open, WebSocket)
		}
	})
}

func comeBackWhen(t *testing.T) {
	inWorld(t, greets, nil, func(w *world) {
		w.works = silent
		w.last().fail(stay(7 * time.Second))
		if time.Until(w.c.retryAt) < 7*time.Second {
			t.Fatal("too soon")
		}
		count := len(w.tried)
		w.advance(8 * time.Second)
		if len(w.tried) != count+1 {
			t.Fatal("not tried again")
		}
		// Refused with a time, before any hello: no other transport is tried.
		w.last().fail(stay(3 * time.Second))
		if len(w.tried) != count+1 {
			t.Fatal("another transport was tried")
		}
		w.is(Waiting, "")
	})
}

func useStays(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		w.last().on.hello(hello{})
		socket := w.last()
		w.c.use(Poll)
		w.is(Open, WebSocket)
		if !w.live[socket] || w.c.info().Forced != Poll {
			t.Fatal("the present one must stay")
		}
		w.last().on.hello(hello{})
		w.is(Open, Poll)
		if w.live[socket] || w.c.last != WebSocket {
			t.Fatal("the old one must go, and what is forced is not remembered")
		}
		w.advance(time.Hour)
		if w.last().k != Poll {
			t.Fatal("a better one was tried")
		}
		w.c.use(Auto)
		if w.last().k != WebSocket {
			t.Fatal("no better one was tried")
		}
		w.is(Open, Poll)
	})
}

func useFails(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		w.last().on.hello(hello{})
		w.c.use(SSE)
		w.last().fail(nil)
		w.is(Waiting, "")
		if len(w.live) != 0 {
			t.Fatal("something reads on")
		}
		w.advance(time.Second)
		w.triedAre("[websocket sse sse]")
	})
}

func renewSame(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		w.last().on.hello(hello{})
		old := w.last()
		w.c.renew()
		if old.owned {
			t.Fatal("something is published as somebody we are no longer")
		}
		w.is(Open, WebSocket)
		w.last().on.hello(hello{})
		if w.live[old] || w.c.current != link(w.last()) {
			t.Fatal("the old one is still there")
		}
	})
}

func renewConnecting(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		first := w.last()
		w.c.renew()
		if w.last() == first || len(w.live) != 1 {
			t.Fatal("not begun again")
		}
		first.on.hello(hello{})
		w.is(Connecting, WebSocket)
	})
}

func renewInVain(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		w.last().on.hello(hello{})
		w.works = refuses
		w.c.renew()
		w.is(Waiting, "")
		if len(w.live) != 0 {
			t.Fatal("something reads on")
		}
	})
}

func tooManyConnections(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		for range 3 {
			w.last().fail(&Error{Code: "too_many_connections", Status: 429, RetryAfter: 5 * time.Second, said: true})
		}
		w.last().on.hello(hello{})
		w.is(Open, Poll)
	})
}

func nobodySubscribes(t *testing.T) {
	inWorld(t, greets, nil, func(w *world) {
		w.sub.end(nil)
		w.last().fail(nil)
		w.is(Idle, "")
		w.advance(time.Hour)
		w.triedAre("[websocket]")
		w.subscribe()
		w.is(Open, WebSocket)
	})
}

func closedIsClosed(t *testing.T) {
	inWorld(t, silent, nil, func(w *world) {
		var states []State
		w.c.observe = func(now Connection) { states = append(states, now.State) }
		w.c.close()
		w.c.use(Poll)
		w.c.feedsChanged()
		w.c.renew()
		w.advance(time.Hour)
		if len(w.live) != 0 || !slices.Equal(states, []State{Closed}) {
			t.Fatalf("%d links live, states %v", len(w.live), states)
		}
	})
}

func randomFates(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		fate := func(Transport) string { return []string{"hello", "fail", ""}[random.IntN(3)] }
		inWorld(t, fate, func(w *world) { w.e.random, w.c.backoff.random = random.Float64, random.Float64 }, func(w *world) {
			for range 100 {
				var one *actor
				for _, a := range w.tried {
					if w.live[a] {
						one = a
						break
					}
				}
				switch dice := random.Float64(); {
				case dice < 0.2 && one != nil && random.Float64() < 0.2:
					one.fail(stay(time.Duration(random.Int64N(int64(10 * time.Second)))))
				case dice < 0.2 && one != nil:
					one.fail(nil)
				case dice < 0.3:
					w.c.use(append([]Transport{Auto}, Transports[:]...)[random.IntN(5)])
				case dice < 0.35:
					w.c.renew()
				}
				w.advance(time.Duration(random.Int64N(int64(20 * time.Second))))
				if len(w.live) > 2 {
					t.Fatalf("seed %d: %d links live", seed, len(w.live))
				}
				if len(w.live) == 0 && w.c.retryAt.IsZero() {
					t.Fatalf("seed %d: stuck", seed)
				}
			}
			w.works = greets
			w.c.use(Auto)
			w.advance(time.Hour)
			w.is(Open, WebSocket)
			if len(w.live) != 1 {
				t.Fatalf("seed %d: %d links live", seed, len(w.live))
			}
		})
	}
}
