//go:build unix

package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/engine/redis/redistest"
	"parley/verify"
)

// faults is a site of two nodes, to which things happen.
type faults struct {
	*testing.T
	redis *redistest.Server
	wire  *redistest.Proxy // the bad network through which the second reaches Redis
	nodes []*server
	said  atomic.Int64 // acknowledged so far by those whom the oracle watches
}

// TestNodesFaults does to nodes and to Redis what happens to them, one thing after the other, while people publish, vote and read on both nodes:
// nothing acknowledged is lost, nothing comes twice, all see one order, and every node is well again by itself. PARLEY_ROUNDS says how often.
func TestNodesFaults(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	wire := redistest.NewProxy(t, redis.Addr())
	f := &faults{T: t, redis: redis, wire: wire, nodes: append(startNodes(t, redis.URL(), 1), startNodes(t, wire.URL(), 1)...)}
	verified := f.watch()
	for range rounds(t) {
		do := func(what string, fault func()) { f.do(what, fault); f.goOn() }
		do("a node is killed", func() { f.nodes[0].kill(); f.nodes[0].start() })
		do("hints are cut", func() { redis.Do("CLIENT", "KILL", "TYPE", "pubsub") })
		do("all connections are cut", func() { wire.Cut(false) })
		do("connections are half closed", func() { wire.HalfClose(false) })
		do("hints are swallowed", func() {
			wire.BlackHole(true)
			ready(t, false, f.nodes[1])
			ready(t, true, f.nodes[0])
			wire.Heal()
		})
		do("everything is swallowed", func() {
			wire.BlackHole(false)
			ready(t, false, f.nodes[1])
			wire.Heal()
		})
		do("hints overrun their buffer", f.overrun)
		do("Redis pauses", func() {
			redis.Do("CLIENT", "PAUSE", "5000", "ALL")
			time.Sleep(5 * time.Second) // it says nothing meanwhile, not even that it goes on
		})
		do("scripts are forgotten", func() { redis.Do("SCRIPT", "FLUSH") })
		do("Redis is killed", func() {
			redis.Kill()
			ready(t, false, f.nodes...)
			redis.Restart()
		})
		do("Redis is full", f.full)
	}
	f.judge(verified(), redis.URL())
}

// watch lets people publish, vote and read on both nodes, for the oracle to watch, until the function it returns is called. What levels of
// durability the fault may take back is said: none, if none is.
func (f *faults) watch(mayLose ...string) (verified func() *verify.Report) {
	f.Helper()
	stop := make(chan struct{})
	done := runVerify(f.Context(), f.T, verify.Options{
		URL: f.nodes[0].url, Nodes: []string{f.nodes[1].url}, Stop: stop, Rate: 100, Timeout: 5 * time.Second, Settle: 2 * time.Minute, MayLose: mayLose,
		Progress: func(p verify.Progress) { f.said.Store(p.Acknowledged) },
	})
	f.said.Store(0)
	f.goOn()
	return func() *verify.Report { close(stop); return <-done }
}

// judge demands that the oracle accepts, and that all ballots count.
func (f *faults) judge(r *verify.Report, engine string) {
	f.Helper()
	if r == nil {
		return // why, was said
	}
	enough(f.T, *r)
	for _, v := range r.Violations {
		f.Errorf("%s %s", v.At.Format(time.TimeOnly), v)
	}
	for _, open := range r.Open {
		f.Error("undecided:", open)
	}
	recountOn(f.T, f.nodes[0], engine)
}

// rounds is how often everything is done.
func rounds(t *testing.T) int {
	text := os.Getenv("PARLEY_ROUNDS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("PARLEY_ROUNDS=%q is not a number of rounds", text)
	}
	return n
}

// do does something, and then all nodes become well by themselves: what is said on one is read on the other.
func (f *faults) do(what string, fault func()) {
	f.Helper()
	f.Logf("%s: %s", time.Now().Format(time.TimeOnly), what)
	fault()
	ready(f.T, true, f.nodes...)
	for i, s := range f.nodes {
		f.talk(s, f.nodes[1-i])
	}
}

// goOn waits until those whom the oracle watches have said a hundred things more.
func (f *faults) goOn() {
	f.Helper()
	from := f.said.Load()
	redistest.Eventually(f, "a hundred messages more", func() bool { return f.said.Load() >= from+100 })
}

// talk lets somebody say something on one node, and somebody wait for it on the other.
func (f *faults) talk(one, other *server) {
	f.Helper()
	text := fmt.Sprintf("hello-%d", time.Now().UnixNano())
	ann := one.signIn(fmt.Sprintf("Ann %d", time.Now().UnixNano()))
	if err := ann.insist("POST", "/v1/channels/room:lobby/messages", saying(text), nil, "Idempotency-Key", text); err != nil {
		f.Fatal(err)
	}
	there := client{other.url, ann.token}
	redistest.Eventually(f, "what is said on one node is read on the other", func() bool { return there.reads(text) })
}

func saying(text string) map[string]any {
	return map[string]any{"type": "text", "data": map[string]string{"text": text}}
}

// reads reports whether a text is among the newest of the lobby.
func (c client) reads(text string) bool {
	var page struct {
		Messages []struct{ ID string }
	}
	if c.insist("GET", "/v1/channels/room:lobby/messages?before=end&limit=10", nil, &page) != nil {
		return false
	}
	for _, m := range page.Messages {
		if m.ID == text {
			return true
		}
	}
	return false
}

// full fills Redis: writes are refused with a text that says so, and reading goes on.
func (f *faults) full() {
	ann := f.nodes[1].signIn(fmt.Sprintf("Ann %d", time.Now().UnixNano()))
	f.redis.Do("CONFIG", "SET", "maxmemory", "1mb")
	redistest.Eventually(f, "a refusal that says that Redis is full", func() bool {
		status, err := ann.do("POST", "/v1/channels/room:lobby/messages", saying("more"), nil)
		return status == http.StatusServiceUnavailable && strings.Contains(err.Error(), "Redis is full")
	})
	for _, s := range f.nodes {
		if _, err := (client{s.url, ann.token}).do("GET", "/v1/channels/room:lobby/messages?before=end", nil, nil); err != nil {
			f.Errorf("reading does not go on: %v", err)
		}
	}
	ready(f.T, false, f.nodes...)
	f.redis.Do("CONFIG", "SET", "maxmemory", "0")
}

// overrun lets what the second node is to hear pile up, until Redis gives it up.
func (f *faults) overrun() {
	ann := f.nodes[0].signIn(fmt.Sprintf("Ann %d", time.Now().UnixNano()))
	large := make([]map[string]any, 15)
	for i := range large {
		large[i] = saying(strings.Repeat("x", 4000))
	}
	givenUp := func() int { return strings.Count(f.redis.Log(), "overcoming of output buffer limits") }
	before := givenUp()
	f.redis.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 128kb 0 0")
	f.wire.Stall(true)
	redistest.Eventually(f, "Redis gives the listener up", func() bool {
		if err := ann.insist("POST", "/v1/channels/room:lobby/messages", map[string]any{"messages": large}, nil); err != nil {
			f.Fatal(err)
		}
		return givenUp() > before
	})
	f.wire.Heal()
	f.redis.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60")
}
