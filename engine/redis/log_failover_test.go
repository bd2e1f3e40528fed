package redis

import (
	"fmt"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/redis/redistest"
)

// wantTail waits until the channel was heard up to its tail, which a failover may still put back; of gaps there may be some, and what was
// heard since the last is everything that there is.
func (h *ears) wantTail(e *Engine, name channel.Name) {
	h.t.Helper()
	redistest.Eventually(h.t, fmt.Sprintf("%s is heard up to its tail", name), func() bool {
		tail, err := e.Tail(h.t.Context(), name)
		h.mu.Lock()
		defer h.mu.Unlock()
		return err == nil && h.at[name] == tail && uint64(len(h.got[name])) == tail.Seq
	})
}

// TestSentinels_ATailThatWasNotReplicatedIsAGap: a primary is cut off from its replicas, goes on, and is lost. What only it had is gone, and
// readers who had it are told.
func TestSentinels_ATailThatWasNotReplicatedIsAGap(t *testing.T) {
	t.Parallel()
	for i := range rounds() {
		t.Run(fmt.Sprint(i), loseTail)
	}
}

func loseTail(t *testing.T) {
	sentinels := redistest.StartSentinels(t)
	url := fresh(sentinels)
	one, two := open(t, url, Options{}), open(t, url, Options{})
	h, other := listen(t, one, "room:a", "room:quiet"), listen(t, two, "room:a", "room:quiet")
	p := write(t, "room:a", one, two)
	p.more(50)
	mustAppend(t, one, say("room:quiet", "", "kept"))
	redistest.Eventually(t, "the replicas have it", func() bool { return replicasOf(sentinels.Primary()) == "2" })

	heal := sentinels.CutReplicas()
	p.more(50)
	lost := mustAppend(t, one, say("room:quiet", "", "lost"))[0]
	h.wantAll("room:quiet", lost.Position)
	other.wantAll("room:quiet", lost.Position)
	old := sentinels.Primary()
	old.Kill()
	heal()
	now := sentinels.AwaitFailover(old)
	untilReady(t, one)
	untilReady(t, two)
	p.more(50)
	p.stop()

	// The quiet channel has no news that would tell: comparing the heads must.
	for _, e := range []*ears{h, other} {
		redistest.Eventually(t, "the loss is told", func() bool { _, gaps := e.count("room:quiet"); return gaps == 1 })
		_, gaps := e.count("room:a")
		if gaps == 0 || e.gaps["room:a"][0].Reason != channel.Rollback || e.gaps["room:quiet"][0].Reason != channel.Rollback {
			t.Errorf("gaps: %+v", e.gaps)
		}
		for _, name := range []channel.Name{"room:a", "room:quiet"} {
			e.wantTail(one, name)
		}
	}
	// The old primary comes back, as a replica, and gives its tail up.
	old.Restart()
	redistest.Eventually(t, "it follows", func() bool { return replicasOf(now) == "2" })
	mustAppend(t, two, say("room:quiet", "", "on"))
}

// replicasOf is how many replicas have everything that a primary has.
func replicasOf(s *redistest.Server) string {
	n, _ := s.Try("WAIT", "2", "1000")
	return n
}

// TestSentinels_WithReplicasNothingIsLost: where an address asks for replicas, what was acknowledged survives.
func TestSentinels_WithReplicasNothingIsLost(t *testing.T) {
	t.Parallel()
	for i := range rounds() {
		t.Run(fmt.Sprint(i), loseNothing)
	}
}

func loseNothing(t *testing.T) {
	sentinels := redistest.StartSentinels(t)
	url := fresh(sentinels) + "&replicas=2"
	e := open(t, url, Options{})
	p := write(t, "room:a", e)
	p.more(50)
	if r := mustAppend(t, e, say("room:b", "", "hello"))[0]; r.Durability != channel.Replicated {
		t.Errorf("it is %q", r.Durability)
	}
	heal := sentinels.CutReplicas()
	short, _ := Open(t.Context(), url, Options{Patience: time.Second})
	if short != nil {
		defer short.Close()
		if _, err := short.Append(t.Context(), say("room:b", "k", "unconfirmed")); err == nil {
			t.Error("a write without replicas was acknowledged")
		}
	}
	old := sentinels.Primary()
	old.Kill()
	heal()
	sentinels.AwaitFailover(old)
	old.Restart() // without it there are not two replicas
	untilReady(t, e)
	p.more(50)
	p.wantOnce(e, p.stop())
}

// TestCluster_UnderWrites moves a slot, and kills a primary, while two nodes write and listen.
func TestCluster_UnderWrites(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, "--appendonly", "yes")
	url := fresh(cluster)
	one, two := open(t, url, Options{}), open(t, url, Options{})
	here, there := channel.Name("room:a"), elsewhere("room:a")
	slot := slotOf(tags()[partitionOf(here)])

	t.Run("a slot is moved", func(t *testing.T) {
		for range 20 { // so that it takes several steps
			mustAppend(t, one, say(here, channel.DrawID(), "before"))
		}
		h := listen(t, two, here, there)
		p, q := write(t, here, one, two), write(t, there, one, two)
		p.more(50)
		for range rounds() {
			cluster.Migrate(slot, cluster.Other(slot), func() { q.more(5) })
			p.more(50)
			q.more(50)
		}
		tail := p.wantOnce(one, p.stop()+20)
		h.wantAll(here, tail)
		h.wantAll(there, q.wantOnce(two, q.stop()))
		untilReady(t, one)
		untilReady(t, two)
	})
	t.Run("a primary is killed", func(t *testing.T) {
		name := channel.Name("room:b")
		for slotOf(tags()[partitionOf(name)])/5461 != slot/5461 {
			name += "b"
		}
		one, two := open(t, url, Options{}), open(t, url, Options{}) // an engine is followed once
		h := listen(t, two, name)
		p := write(t, name, one, two)
		p.more(50)
		for range rounds() {
			primary := cluster.PrimaryOf(slotOf(tags()[partitionOf(name)]))
			primary.Kill()
			untilNotReady(t, one)
			untilReady(t, one)
			untilReady(t, two)
			p.more(50)
			primary.Restart()
			cluster.AwaitOK()
			untilReady(t, one)
		}
		p.stop()
		h.wantTail(one, name)
	})
}
