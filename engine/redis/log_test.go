package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/redis/redistest"
	"parley/problem"
)

var ann = channel.Sender{ID: "u1", Name: "Ann"}

func say(name channel.Name, key, text string) channel.Draft {
	return channel.Draft{Channel: name, Key: key, Type: "text", From: ann, Data: fmt.Appendf(nil, `{"text":%q}`, text)}
}

func mustAppend(t testing.TB, e *Engine, drafts ...channel.Draft) []channel.Receipt {
	t.Helper()
	rs, err := e.Append(t.Context(), drafts...)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return rs
}

func mustRead(t testing.TB, e *Engine, name channel.Name, after channel.Position) channel.Batch {
	t.Helper()
	b, err := e.Read(t.Context(), name, after, 1000, 1<<20)
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return b
}

func TestPartitionsAreSpread(t *testing.T) {
	seen := map[string]bool{}
	for i, tag := range tags() {
		if part := slotOf(tag) * Partitions / slots; part != i || seen[tag] {
			t.Errorf("tag %q of partition %d is in part %d", tag, i, part)
		}
		seen[tag] = true
	}
	// The examples of the cluster's specification.
	if slotOf("123456789") != 0x31c3 || slotOf("user1000") != 3443 {
		t.Errorf("slots %d and %d", slotOf("123456789"), slotOf("user1000"))
	}
	var channels [Partitions]int
	for i := range 64_000 {
		channels[partitionOf(channel.Name(fmt.Sprint("room:r", i)))]++
	}
	if least, most := slices.Min(channels[:]), slices.Max(channels[:]); least < 700 || most > 1300 {
		t.Errorf("of 64,000 rooms the partitions have %d to %d", least, most)
	}
	if partitionOf("user:u1") != facts || partitionOf("user:u2") != facts {
		t.Error("an inbox is not with the facts")
	}
}

// elsewhere is a room of another partition than name's.
func elsewhere(name channel.Name) channel.Name {
	for i := 0; ; i++ {
		if other := channel.Name(fmt.Sprint("room:other", i)); partitionOf(other) != partitionOf(name) {
			return other
		}
	}
}

func TestOutbox_WhatADeadNodeLeftIsCarriedOutOnce(t *testing.T) {
	server := redistest.Start(t)
	url := fresh(server)
	now := time.Now()
	clock := func() time.Time { return now }
	dead, other := open(t, url, Options{Clock: clock}), open(t, url, Options{Clock: clock})
	here, there := channel.Name("room:here"), elsewhere("room:here")
	mustAppend(t, dead, say("room:doomed", "", "still here"))

	// The node dies between the script and the delivery.
	c := dead.newCall(appendScript, partitionOf(here))
	numbers := c.channels(say(here, "", ""))
	c.int(2)
	c.drafts(numbers, say(here, "", "one"), say(there, "", "two"), say(there, "", "three"))
	c.deletions("room:doomed")
	if _, err := c.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(mustRead(t, other, there, channel.Position{}).Messages); n != 0 {
		t.Fatalf("%d messages were delivered by nobody", n)
	}
	if err := other.sweepOutboxes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(mustRead(t, other, there, channel.Position{}).Messages); n != 0 {
		t.Fatalf("%d messages were delivered while the node may still do it", n)
	}
	now = now.Add(2 * outboxAge)
	entries := server.Do("HGETALL", other.keys.outbox(c.partition))
	for range 2 { // as if the node that carried it out had died before it took it off, too
		if err := other.sweepOutboxes(t.Context()); err != nil {
			t.Fatal(err)
		}
		b := mustRead(t, other, there, channel.Position{})
		if len(b.Messages) != 2 || string(b.Messages[0].Data) != `{"text":"two"}` || string(b.Messages[1].Data) != `{"text":"three"}` {
			t.Fatalf("delivered: %+v", b.Messages)
		}
		if b := mustRead(t, other, "room:doomed", channel.Position{}); b.Gap == nil || b.Gap.Reason != channel.Deleted {
			t.Fatalf("the channel is still there: %+v", b)
		}
		if left := server.Do("HLEN", other.keys.outbox(c.partition)); left != "0" {
			t.Fatalf("%s entries are left", left)
		}
		server.Do(append([]string{"HSET", other.keys.outbox(c.partition)}, strings.Split(entries, "\n")...)...)
	}
}

func TestAppend_OfSeveralPartitionsIsAllOrNothing(t *testing.T) {
	server := redistest.Start(t)
	e := open(t, fresh(server), Options{})
	here, there := channel.Name("room:here"), elsewhere("room:here")
	rs := mustAppend(t, e, say(here, "", "1"), say(there, "k", "2"), say(here, "", "3"))
	for i, want := range []channel.Name{here, there, here} {
		if rs[i].Channel != want || rs[i].Position.Mark == 0 || rs[i].Durability == "" {
			t.Errorf("receipt %d: %+v", i, rs[i])
		}
	}
	if _, err := e.Append(t.Context(), say(here, "", "4"), say(there, "k", "other")); !errors.Is(err, channel.ErrKeyReused) {
		t.Fatalf("error %v", err)
	}
	if tail, _ := e.Tail(t.Context(), here); tail != rs[2].Position {
		t.Errorf("something was appended: the tail is %s", tail)
	}
	if left := server.Do("HLEN", e.keys.outbox(partitionOf(here))); left != "0" {
		t.Errorf("the outbox keeps %s", left)
	}
}

func TestCall_SentTwiceRunsOnce(t *testing.T) {
	server := redistest.Start(t)
	e := open(t, fresh(server), Options{})
	d := say("room:a", "", "hello") // without a key
	c := e.newCall(appendScript, partitionOf(d.Channel))
	numbers := c.channels(d)
	c.int(1)
	c.drafts(numbers, d)
	var first string
	for i := range 3 {
		result, err := c.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = result.String()
		} else if result.String() != first {
			t.Errorf("the answer is %s, at first it was %s", result.String(), first)
		}
	}
	if n := len(mustRead(t, e, "room:a", channel.Position{}).Messages); n != 1 {
		t.Errorf("%d messages", n)
	}
	// A call that a later one of its lane has overtaken does not run any more.
	late := e.newCall(appendScript, partitionOf(d.Channel))
	late.once, late.number = c.once, 0
	late.channels(d)
	late.int(1)
	late.drafts(numbers, d)
	if _, err := late.run(t.Context()); err == nil {
		t.Error("a call that was overtaken ran")
	}
}

func TestLane_KeepsTheOrderInWhichAppendsCame(t *testing.T) {
	server := redistest.Start(t)
	e := open(t, fresh(server), Options{})
	const n = 500
	var wg sync.WaitGroup
	l := e.lanes[partitionOf("room:a")]
	l.mu.Lock()
	l.running = true // nothing is taken yet, so that the order is known
	l.mu.Unlock()
	for i := range n {
		wg.Go(func() {
			if _, err := e.Append(context.Background(), say("room:a", "", fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
		redistest.Eventually(t, "the append is queued", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.queue) == i+1
		})
	}
	e.work.Go(l.drain)
	wg.Wait()
	var all []channel.Message
	for b := (channel.Batch{More: true}); b.More; {
		b = mustRead(t, e, "room:a", b.To)
		all = append(all, b.Messages...)
	}
	if len(all) != n {
		t.Fatalf("%d messages", len(all))
	}
	for i, m := range all {
		if string(m.Data) != fmt.Sprintf(`{"text":"%d"}`, i) {
			t.Fatalf("message %d is %s", i, m.Data)
		}
	}
}

func TestOverload_IsSaidAtOnce(t *testing.T) {
	server := redistest.Start(t)
	e := open(t, fresh(server), Options{QueueOps: 3})
	server.Freeze()
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { _, _ = e.Append(context.Background(), say("room:a", "", fmt.Sprint(i))) })
	}
	redistest.Eventually(t, "three are under way", func() bool {
		e.under.Lock()
		defer e.under.Unlock()
		return e.ops == 3
	})
	began := time.Now()
	_, err := e.Append(t.Context(), say("room:a", "", "one too many"))
	if !errors.Is(err, problem.Overloaded) {
		t.Errorf("error %v after %s", err, time.Since(began))
	}
	server.Thaw()
	wg.Wait()
}

func TestSettings_WhatIsDangerousIsSaid(t *testing.T) {
	good := map[string]string{"appendonly": "yes", "appendfsync": "always", "maxmemory": "0", "maxmemory-policy": "noeviction", "min-replicas-to-write": "0",
		"client-output-buffer-limit": "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"}
	for _, c := range []struct {
		name, setting, value, info, want string
		fsynced                          bool
	}{
		{"good", "", "", "", "", true},
		{"every second", "appendfsync", "everysec", "", "", false},
		{"never", "appendfsync", "no", "", "appendfsync no", false},
		{"nothing on disk", "appendonly", "no", "", "keeps nothing on disk", false},
		{"eviction", "maxmemory-policy", "allkeys-lru", "", "allkeys-lru", true},
		{"small buffers", "client-output-buffer-limit", "pubsub 65536 0 0", "", "65536 bytes behind", true},
		{"replicas without need", "", "", "role:master\r\nconnected_slaves:1\r\n", "min-replicas-to-write", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := map[string]string{}
			for k, v := range good {
				settings[k] = v
			}
			settings["maxmemory"] = "100000"
			if c.setting != "" {
				settings[c.setting] = c.value
			}
			dangers, fsynced := judge(settings, c.info)
			if text := strings.Join(dangers, "; "); !strings.Contains(text, c.want) || (c.want == "") != (text == "") || fsynced != c.fsynced {
				t.Errorf("%q, fsynced %v", text, fsynced)
			}
		})
	}
}

func TestDurability_IsWhatRedisIsSetTo(t *testing.T) {
	for _, c := range []struct {
		settings []string
		want     channel.Durability
	}{
		{nil, channel.Memory},
		{[]string{"--appendonly", "yes", "--appendfsync", "everysec"}, channel.Memory},
		{[]string{"--appendonly", "yes", "--appendfsync", "always"}, channel.Fsynced},
	} {
		e := open(t, fresh(redistest.Start(t, c.settings...)), Options{})
		if r := mustAppend(t, e, say("room:a", "", "hello"))[0]; r.Durability != c.want {
			t.Errorf("with %v it is %q", c.settings, r.Durability)
		}
	}
}

func TestRetention_AChannelThatGrowsIsTrimmedByWhoAppends(t *testing.T) {
	server := redistest.Start(t)
	e := open(t, fresh(server), Options{Policies: channel.Policies{"room": {KeepCount: 100}}, SweepEvery: -1})
	drafts := make([]channel.Draft, 50)
	for i := range drafts {
		drafts[i] = say("room:a", "", fmt.Sprint(i))
	}
	for range 60 { // 3,000 messages
		mustAppend(t, e, drafts...)
		mustAppend(t, e, channel.Draft{Channel: "room:a", Type: "edit", From: ann, Data: []byte("{}"), Amend: &channel.Amendment{Seq: mustTail(t, e, "room:a").Seq, Data: []byte("{}")}})
	}
	b := mustRead(t, e, "room:a", channel.Position{})
	if b.Gap == nil || b.Gap.Reason != channel.Retention || b.Gap.Tail.Seq-b.Gap.Resume.Seq > 400 || b.Gap.Tail.Seq-b.Gap.Resume.Seq < 100 {
		t.Fatalf("%+v", b)
	}
	n := 0
	for b = mustRead(t, e, "room:a", b.Gap.Resume); ; b = mustRead(t, e, "room:a", b.To) {
		if n += len(b.Messages); !b.More {
			break
		}
	}
	head, _ := e.heads(t.Context(), []channel.Tail{{Channel: "room:a"}})
	if uint64(n) != head[0].Tail.Seq-head[0].Floor.Seq {
		t.Errorf("%d messages from %s to %s", n, head[0].Floor, head[0].Tail)
	}
	if left := server.Do("HLEN", e.keys.amended("room:a")); left == "0" || len(left) > 1 {
		t.Errorf("%s amended messages are kept", left)
	}
}

func mustTail(t testing.TB, e *Engine, name channel.Name) channel.Position {
	t.Helper()
	p, err := e.Tail(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
