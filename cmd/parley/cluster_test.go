//go:build unix

package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"parley/engine/redis/redistest"
)

// TestNodesOnACluster does to a Redis Cluster what operators do, and then what happens to it, while people publish, vote and read on two nodes. Where
// primaries hand over and slots are moved, nothing is lost; where a primary is killed, what its replica did not have is lost, and told.
// PARLEY_ROUNDS says how often.
func TestNodesOnACluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	f := &faults{T: t, nodes: startNodes(t, c.URL(), 2)}
	verified := f.watch()
	for round := range rounds(t) {
		slot := slotUnderLoad(t, c)
		f.do(fmt.Sprintf("slot %d is moved", slot), func() { c.Migrate(slot, c.Other(slot), nil) })
		f.goOn()
		slot = (round*5000 + 100) % 16384
		f.do(fmt.Sprintf("the primary of slot %d hands over", slot), func() { handOver(t, c, slot) })
		f.goOn()
	}
	f.judge(verified(), c.URL())

	verified = f.watch("memory")
	for range rounds(t) {
		slot := slotUnderLoad(t, c)
		was := c.PrimaryOf(slot)
		heal := c.CutReplica(was)
		f.goOn()
		f.do(fmt.Sprintf("the primary of slot %d is killed", slot), func() {
			was.Kill()
			heal()
			redistest.Eventually(t, "its replica is the primary", func() bool { now := c.HasSlot(slot); return now != nil && now != was })
		})
		f.goOn()
		f.do("it comes back", func() { was.Restart(); c.AwaitOK() })
		f.goOn()
	}
	f.lost(verified(), c.URL())
}

// slotUnderLoad is the slot of one of the rooms in which those whom the oracle watches are.
func slotUnderLoad(t *testing.T, c *redistest.Cluster) int {
	t.Helper()
	for _, s := range c.Servers {
		for _, key := range strings.Fields(s.Do("--scan", "--pattern", "*}m:room:verify-*")) {
			slot, err := strconv.Atoi(s.Do("CLUSTER", "KEYSLOT", key))
			if err == nil && s == c.PrimaryOf(slot) {
				return slot
			}
		}
	}
	t.Fatal("nobody has the rooms")
	return 0
}

// handOver makes a replica of the primary of a slot the primary, which loses nothing.
func handOver(t *testing.T, c *redistest.Cluster, slot int) {
	t.Helper()
	c.AwaitOK()
	replica := c.ReplicaOf(c.PrimaryOf(slot))
	replica.Do("CLUSTER", "FAILOVER")
	redistest.Eventually(t, "the replica is the primary", func() bool { return c.PrimaryOf(slot) == replica })
}
