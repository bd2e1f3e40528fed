//go:build unix

package main

import (
	"testing"

	"parley/engine/redis/redistest"
	"parley/verify"
)

// TestNodesFailOver cuts a primary off from its replicas, lets it go on, and kills it, while people publish, vote and read on two nodes: what it
// alone had is lost, and told to everybody who had it. PARLEY_ROUNDS says how often.
func TestNodesFailOver(t *testing.T) {
	t.Parallel()
	c := redistest.StartSentinels(t)
	f := &faults{T: t, nodes: startNodes(t, c.URL(), 2)}
	verified := f.watch("memory")
	for range rounds(t) {
		c.AwaitReplicas()
		heal := c.CutReplicas()
		f.goOn()
		was := c.Primary()
		f.do("Sentinels choose another primary", func() {
			was.Kill()
			heal()
			c.AwaitFailover(was)
		})
		f.goOn()
		was.Restart()
		f.do("the old primary comes back", func() { c.AwaitReplicas() })
	}
	f.lost(verified(), c.URL())
}

// TestNodesOnAnOldSnapshot restores a snapshot under two nodes, while people publish, vote and read: what came after it is lost, and told.
// PARLEY_ROUNDS says how often.
func TestNodesOnAnOldSnapshot(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	f := &faults{T: t, nodes: startNodes(t, redis.URL(), 2)}
	verified := f.watch("memory")
	for range rounds(t) {
		snapshot := redis.Snapshot()
		f.goOn()
		f.do("an old snapshot is restored", func() {
			redis.Kill()
			redis.Restore(snapshot)
		})
		f.goOn()
	}
	f.lost(verified(), redis.URL())
}

// lost judges where something must have been lost.
func (f *faults) lost(r *verify.Report, engine string) {
	f.Helper()
	f.judge(r, engine)
	if r != nil && (r.Counts.Lost == 0 || r.Counts.Gaps == 0) {
		f.Errorf("nothing was lost, so this proves nothing: %+v", r.Counts)
	}
}
