package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/redis/redistest"
	"parley/problem"
)

// ears read channels live, as a stream of a browser does, and check what they hear: one order, nothing missing, nothing twice, but
// for gaps, which are counted.
type ears struct {
	t    testing.TB
	hub  *channel.Hub
	done sync.WaitGroup

	mu   sync.Mutex
	at   map[channel.Name]channel.Position
	got  map[channel.Name][]channel.Message // since the last gap
	gaps map[channel.Name][]channel.Gap
	err  error // the last
}

func listen(t testing.TB, e *Engine, names ...channel.Name) *ears {
	t.Helper()
	h := &ears{t: t, hub: channel.NewHub(e, channel.Options{MaxChannels: 100_000}), at: map[channel.Name]channel.Position{},
		got: map[channel.Name][]channel.Message{}, gaps: map[channel.Name][]channel.Gap{}}
	r := h.hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	for _, name := range names {
		if _, err := r.Add(t.Context(), name, channel.Position{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	h.done.Go(func() {
		for {
			d, err := r.Next(context.Background())
			if errors.Is(err, channel.ErrClosed) {
				return
			}
			if err != nil { // Redis does not answer: the reader is as good as before
				h.mu.Lock()
				h.err = err
				h.mu.Unlock()
				time.Sleep(10 * time.Millisecond)
				continue
			}
			for _, b := range d.Batches {
				h.take(b)
			}
		}
	})
	t.Cleanup(func() {
		h.hub.Close()
		h.done.Wait()
	})
	return h
}

func (h *ears) take(b channel.Batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.Gap != nil {
		h.gaps[b.Channel] = append(h.gaps[b.Channel], *b.Gap)
		h.at[b.Channel], h.got[b.Channel] = b.Gap.Resume, nil
		return
	}
	at := h.at[b.Channel]
	if b.From != at {
		h.t.Errorf("a batch of %s from %s for a reader at %s", b.Channel, b.From, at)
	}
	for i := range b.Messages {
		m := &b.Messages[i]
		if m.Before() != at {
			h.t.Errorf("%s of %s follows %s", m.Position(), b.Channel, at)
		}
		at = m.Position()
	}
	h.at[b.Channel] = b.To
	h.got[b.Channel] = append(h.got[b.Channel], b.Messages...)
}

// count is how much was heard of a channel, and how many gaps.
func (h *ears) count(name channel.Name) (messages, gaps int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.got[name]), len(h.gaps[name])
}

// await waits until the channel was heard up to a position.
func (h *ears) await(name channel.Name, tail channel.Position) {
	h.t.Helper()
	defer func() {
		if h.t.Failed() {
			h.t.Logf("%s was heard up to %s, its tail is %s, gaps %+v, last error %v", name, h.at[name], tail, h.gaps[name], h.err)
		}
	}()
	redistest.Eventually(h.t, fmt.Sprintf("%s is heard up to its tail", name), func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.at[name] == tail
	})
}

// wantAll waits until the channel was heard up to its tail, without a gap.
func (h *ears) wantAll(name channel.Name, tail channel.Position) {
	h.t.Helper()
	h.await(name, tail)
	if n, gaps := h.count(name); uint64(n) != tail.Seq || gaps != 0 {
		h.t.Errorf("%d messages and %d gaps of %s, whose tail is %s", n, gaps, name, tail)
	}
}

// pen writes messages into a channel by several engines, each with a key, until it is told to stop. What is refused is repeated with its
// key, as a client does.
type pen struct {
	t        testing.TB
	name     channel.Name
	stopping chan struct{}
	running  sync.WaitGroup
	acked    atomic.Int64
	refused  atomic.Int64
}

func write(t testing.TB, name channel.Name, engines ...*Engine) *pen {
	p := &pen{t: t, name: name, stopping: make(chan struct{})}
	for w, e := range engines {
		for lane := range 2 {
			p.running.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-p.stopping:
						return
					default:
						p.say(e, fmt.Sprintf("w%d.%d.%d", w, lane, i))
						time.Sleep(time.Millisecond) // the machine has other things to do
					}
				}
			})
		}
	}
	return p
}

func (p *pen) say(e *Engine, key string) {
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, err := e.Append(context.Background(), say(p.name, key, key))
		if err == nil {
			p.acked.Add(1)
			return
		}
		p.refused.Add(1)
		if !errors.Is(err, problem.Unavailable) && !errors.Is(err, problem.Overloaded) || time.Now().After(deadline) {
			p.t.Errorf("append: %v", err)
			return
		}
	}
}

// more waits until n more messages are acknowledged.
func (p *pen) more(n int64) {
	p.t.Helper()
	want := p.acked.Load() + n
	redistest.Eventually(p.t, fmt.Sprintf("%d more messages are acknowledged", n), func() bool { return p.acked.Load() >= want })
}

// stop ends writing, and returns how much was acknowledged.
func (p *pen) stop() int64 {
	close(p.stopping)
	p.running.Wait()
	return p.acked.Load()
}

// wantOnce checks that the log has everything that was acknowledged, each once.
func (p *pen) wantOnce(e *Engine, acked int64) channel.Position {
	p.t.Helper()
	seen := map[string]bool{}
	var at channel.Position
	for {
		b := mustRead(p.t, e, p.name, at)
		if b.Gap != nil {
			p.t.Fatalf("a gap: %+v", b.Gap)
		}
		for _, m := range b.Messages {
			if seen[m.ID] {
				p.t.Errorf("%s is there twice", m.ID)
			}
			seen[m.ID] = true
		}
		if at = b.To; !b.More {
			break
		}
	}
	if int64(len(seen)) != acked {
		p.t.Errorf("%d messages are there, %d were acknowledged", len(seen), acked)
	}
	return at
}

func untilReady(t testing.TB, e *Engine) {
	t.Helper()
	redistest.Eventually(t, "the engine is ready", func() bool { return e.Ready(t.Context()) == nil })
}

func untilNotReady(t testing.TB, e *Engine) {
	t.Helper()
	redistest.Eventually(t, "the engine is not ready", func() bool { return e.Ready(t.Context()) != nil })
}

// rounds is how often a fault is repeated: once, or PARLEY_ROUNDS times.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_ROUNDS")); err == nil {
		return n
	}
	return 1
}

// TestFault_UnderWrites does something to Redis, or to the way to it, while two nodes write and two listen.
func TestFault_UnderWrites(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings []string
		do       func(*testing.T, *redistest.Server, *redistest.Proxy, *Engine)
	}{
		{"scripts forgotten", nil, func(t *testing.T, s *redistest.Server, _ *redistest.Proxy, _ *Engine) { s.Do("SCRIPT", "FLUSH") }},
		{"hint connections killed", nil, func(t *testing.T, s *redistest.Server, _ *redistest.Proxy, e *Engine) {
			for range 5 {
				s.Do("CLIENT", "KILL", "TYPE", "pubsub")
				untilReady(t, e)
			}
		}},
		{"all connections killed", nil, func(t *testing.T, s *redistest.Server, _ *redistest.Proxy, e *Engine) {
			for range 5 {
				s.Do("CLIENT", "KILL", "TYPE", "normal")
				s.Do("CLIENT", "KILL", "TYPE", "pubsub")
				untilReady(t, e)
			}
		}},
		{"hints into a black hole", nil, func(t *testing.T, _ *redistest.Server, p *redistest.Proxy, e *Engine) {
			p.BlackHole(true)
			untilNotReady(t, e)
			p.Heal()
			untilReady(t, e)
		}},
		{"hints half closed", nil, func(t *testing.T, _ *redistest.Server, p *redistest.Proxy, e *Engine) {
			p.HalfClose(true)
			untilReady(t, e)
		}},
		{"everything into a black hole", nil, func(t *testing.T, _ *redistest.Server, p *redistest.Proxy, e *Engine) {
			p.BlackHole(false)
			untilNotReady(t, e)
			p.Heal()
			untilReady(t, e)
		}},
		{"output buffer overrun", nil, func(t *testing.T, s *redistest.Server, p *redistest.Proxy, e *Engine) {
			s.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 16kb 0 0")
			p.Stall(true)
			var large []channel.Draft
			for range 64 {
				large = append(large, say("room:large", "", strings.Repeat("x", 16<<10)))
			}
			redistest.Eventually(t, "Redis gives the listener up", func() bool {
				mustAppend(t, e, large...)
				return strings.Contains(s.Log(), "overcoming of output buffer limits")
			})
			p.Heal()
			untilReady(t, e)
		}},
		{"paused for 5 s", nil, func(t *testing.T, s *redistest.Server, _ *redistest.Proxy, e *Engine) {
			s.Do("CLIENT", "PAUSE", "5000", "ALL")
			untilNotReady(t, e)
			untilReady(t, e)
		}},
		{"killed and restarted with its data", []string{"--appendonly", "yes"}, func(t *testing.T, s *redistest.Server, _ *redistest.Proxy, e *Engine) {
			s.Kill()
			untilNotReady(t, e)
			s.Restart()
			untilReady(t, e)
		}},
		{"full", nil, func(t *testing.T, s *redistest.Server, _ *redistest.Proxy, e *Engine) {
			s.Do("CONFIG", "SET", "maxmemory", "1mb")
			untilNotReady(t, e)
			if _, err := e.Append(t.Context(), say("room:b", "", "no room")); !errors.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "full") {
				t.Errorf("append: %v", err)
			}
			if b, err := e.Before(t.Context(), "room:a", channel.End, 10, 1000); err != nil || len(b.Messages) == 0 {
				t.Errorf("read: %v, %v", b, err)
			}
			s.Do("CONFIG", "SET", "maxmemory", "0")
			untilReady(t, e)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, c.settings...)
			proxy := redistest.NewProxy(t, server.Addr())
			prefix := "?prefix=" + channel.DrawID() + ":"
			direct, behind := open(t, server.URL()+prefix, Options{}), open(t, proxy.URL()+prefix, Options{})
			one, two := listen(t, direct, "room:a"), listen(t, behind, "room:a")
			p := write(t, "room:a", direct, behind)
			p.more(50)
			for range rounds() {
				c.do(t, server, proxy, behind)
				p.more(50)
			}
			tail := p.wantOnce(direct, p.stop())
			one.wantAll("room:a", tail)
			two.wantAll("room:a", tail)
		})
	}
}

// TestFault_DeliveryGoesOnWhileHintsDoNotCome: slower, by asking the heads.
func TestFault_DeliveryGoesOnWhileHintsDoNotCome(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	prefix := "?prefix=" + channel.DrawID() + ":"
	direct, deaf := open(t, server.URL()+prefix, Options{}), open(t, proxy.URL()+prefix, Options{})
	h := listen(t, deaf, "room:a")
	proxy.BlackHole(true)
	untilNotReady(t, deaf)
	for i := range 3 {
		h.wantAll("room:a", mustAppend(t, direct, say("room:a", "", fmt.Sprint("by another ", i)))[0].Position)
		h.wantAll("room:a", mustAppend(t, deaf, say("room:a", "", fmt.Sprint("by itself ", i)))[0].Position)
	}
}

// TestFault_WhoListensToTheWrongServerFindsOut: its connection is as good as ever, only nothing comes by it any more.
func TestFault_WhoListensToTheWrongServerFindsOut(t *testing.T) {
	t.Parallel()
	old, now := redistest.Start(t), redistest.Start(t)
	proxy := redistest.NewProxy(t, old.Addr())
	prefix := "?prefix=" + channel.DrawID() + ":"
	e := open(t, proxy.URL()+prefix, Options{})
	h := listen(t, e, "room:a")
	proxy.Redirect(now.Addr())
	untilNotReady(t, e)
	untilReady(t, e)
	other := open(t, now.URL()+prefix, Options{})
	h.wantAll("room:a", mustAppend(t, other, say("room:a", "", "by another"))[0].Position)
}

// TestFault_AComparisonThatFailedIsMadeAgain, though the connection of hints is well again: what was missed has no other way to be found.
func TestFault_AComparisonThatFailedIsMadeAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	prefix := "?prefix=" + channel.DrawID() + ":"
	server.Do("ACL", "SETUSER", "ears", "on", ">pw", "~*", "&*", "+@all")
	direct := open(t, server.URL()+prefix, Options{})
	behind := open(t, strings.Replace(proxy.URL(), "://", "://ears:pw@", 1)+prefix, Options{})
	h := listen(t, behind, "room:a")
	h.wantAll("room:a", mustAppend(t, direct, say("room:a", "", "heard"))[0].Position)

	server.Do("ACL", "SETUSER", "ears", "-hmget") // the command that asks for heads
	proxy.BlackHole(true)
	missed := mustAppend(t, direct, say("room:a", "", "missed"))[0]
	untilNotReady(t, behind)
	proxy.Heal()
	untilReady(t, behind)
	line := behind.path.lines[0]
	redistest.Eventually(t, "the heads are to be compared", func() bool { return line.up.Load() && len(line.woken) == 0 })
	server.Do("ACL", "SETUSER", "ears", "+hmget")
	h.wantAll("room:a", missed.Position)
}

// TestFault_APastThatIsLostIsAGap: Redis came back without what readers have.
func TestFault_APastThatIsLostIsAGap(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(t *testing.T, s *redistest.Server, more func())
		left uint64 // messages that are still there
	}{
		{"restarted empty", func(_ *testing.T, s *redistest.Server, more func()) {
			more()
			s.Kill()
			s.Restart()
		}, 0},
		{"emptied", func(_ *testing.T, s *redistest.Server, more func()) {
			more()
			s.Do("FLUSHALL")
			s.Do("CLIENT", "KILL", "TYPE", "pubsub") // nothing else tells
		}, 0},
		{"an old snapshot restored", func(t *testing.T, s *redistest.Server, more func()) {
			s.Do("SAVE")
			snapshot, err := os.ReadFile(filepath.Join(s.Dir, "dump.rdb"))
			if err != nil {
				t.Fatal(err)
			}
			more()
			s.Kill()
			if err := os.WriteFile(filepath.Join(s.Dir, "dump.rdb"), snapshot, 0o600); err != nil {
				t.Fatal(err)
			}
			s.Restart()
		}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			url := fresh(server)
			e, other := open(t, url, Options{}), open(t, url, Options{})
			h := listen(t, e, "room:a")
			for i := range 5 {
				mustAppend(t, e, say("room:a", "", fmt.Sprint("kept ", i)))
			}
			c.lose(t, server, func() {
				var last channel.Position
				for i := range 5 {
					last = mustAppend(t, e, say("room:a", "", fmt.Sprint("lost ", i)))[0].Position
				}
				h.wantAll("room:a", last)
			})
			redistest.Eventually(t, "the loss is told", func() bool { _, gaps := h.count("room:a"); return gaps == 1 })
			untilReady(t, e)
			untilReady(t, other)
			if r := mustAppend(t, other, say("room:a", "", "new"))[0]; r.Position.Seq != c.left+1 {
				t.Errorf("appended at %s", r.Position)
			}
			redistest.Eventually(t, "what is new is heard", func() bool { n, _ := h.count("room:a"); return uint64(n) == c.left+1 })
			if g := h.gaps["room:a"]; len(g) != 1 || g[0].Reason != channel.Rollback {
				t.Errorf("gaps: %+v", g)
			}
		})
	}
}

// TestFault_WhatIsRefusedWhileRedisIsAway says so in time, and reading what is known goes on.
func TestFault_RedisIsAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes")
	e := open(t, fresh(server), Options{Patience: 200 * time.Millisecond})
	mustAppend(t, e, say("room:a", "", "before"))
	server.Kill()
	_, err := e.Append(t.Context(), say("room:a", "k", "meanwhile"))
	if p := problem.Of(err); !errors.Is(err, problem.Unavailable) || p.RetryAfter() == 0 {
		t.Errorf("append: %v", err)
	}
	if _, err := e.Read(t.Context(), "room:a", channel.Position{}, 10, 1000); !errors.Is(err, problem.Unavailable) {
		t.Errorf("read: %v", err)
	}
	server.Restart()
	untilReady(t, e)
	if r := mustAppend(t, e, say("room:a", "k", "meanwhile"))[0]; r.Position.Seq != 2 {
		t.Errorf("appended at %s", r.Position)
	}
}

// TestResync_OfManyChannels: each that changed while nothing was heard is found, and the others are left alone.
func TestResync_OfManyChannels(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	prefix := "?prefix=" + channel.DrawID() + ":"
	direct, behind := open(t, server.URL()+prefix, Options{}), open(t, proxy.URL()+prefix, Options{})
	var names []channel.Name
	for i := range 1000 {
		names = append(names, channel.Name(fmt.Sprint("room:", i)))
		mustAppend(t, direct, say(names[i], "", "first"))
	}
	h := listen(t, behind, names...)
	for _, name := range names {
		redistest.Eventually(t, "the beginning is read", func() bool { n, _ := h.count(name); return n == 1 })
	}
	proxy.BlackHole(true)
	for i := 0; i < len(names); i += 10 {
		mustAppend(t, direct, say(names[i], "", "missed"))
	}
	proxy.Heal()
	proxy.Cut(true)
	began := time.Now()
	for i := 0; i < len(names); i += 10 {
		redistest.Eventually(t, "what was missed is read", func() bool { n, _ := h.count(names[i]); return n == 2 })
	}
	t.Logf("1,000 channels were compared, and 100 read, within %s", time.Since(began))
}
