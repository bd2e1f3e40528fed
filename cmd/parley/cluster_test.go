//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/engine/redis/redistest"
	"parley/verify"
)

// TestNodesOnACluster hands over primaries of a Redis Cluster, as operators do, while people publish, vote and read on two nodes:
// nothing is lost, nothing comes twice. PARLEY_ROUNDS says how often.
func TestNodesOnACluster(t *testing.T) {
	c := redistest.StartCluster(t)
	f := &faults{T: t, nodes: startNodes(t, c.URL(), 2)}
	stop := make(chan struct{})
	done := runVerify(t.Context(), t, verify.Options{
		URL: f.nodes[0].url, Nodes: []string{f.nodes[1].url}, Stop: stop, Rate: 100, Timeout: 5 * time.Second, Settle: 2 * time.Minute,
		Progress: func(p verify.Progress) { f.said.Store(p.Acknowledged) },
	})
	f.goOn()
	for round := range rounds(t) {
		slot := (round*5000 + 100) % 16384
		f.do(fmt.Sprintf("the primary of slot %d hands over", slot), func() { handOver(t, c, slot) })
		f.goOn()
	}
	close(stop)
	f.judge(<-done, c.URL())
}

// handOver makes a replica of the primary of a slot the primary, which loses nothing.
func handOver(t *testing.T, c *redistest.Cluster, slot int) {
	t.Helper()
	c.AwaitOK()
	was := c.PrimaryOf(slot)
	for _, s := range c.Servers {
		if strings.Contains(s.Do("INFO", "replication"), fmt.Sprintf("master_port:%d", was.Port)) {
			s.Do("CLUSTER", "FAILOVER")
			redistest.Eventually(t, "the replica is the primary", func() bool { return c.PrimaryOf(slot) == s })
			return
		}
	}
	t.Fatal("the primary has no replica")
}
