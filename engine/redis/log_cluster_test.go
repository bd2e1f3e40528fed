package redis

import (
	"testing"

	"parley/engine/redis/redistest"
)

// TestCluster is everything that every engine must do, on a cluster of six servers.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	t.Run("log", func(t *testing.T) { logSuite(t, cluster) })
	t.Run("identity", func(t *testing.T) { identitySuite(t, cluster) })
	t.Run("chat", func(t *testing.T) { chatSuite(t, cluster) })
	t.Run("vote", func(t *testing.T) { voteSuite(t, cluster) })
	t.Run("votes on two nodes", func(t *testing.T) { votesOnTwoNodes(t, cluster) })
	t.Run("presence", func(t *testing.T) { presenceSuite(t, cluster) })
}

// TestSentinels is the same where Sentinels say which server is the primary.
func TestSentinels(t *testing.T) {
	t.Parallel()
	sentinels := redistest.StartSentinels(t)
	t.Run("log", func(t *testing.T) { logSuite(t, sentinels) })
	t.Run("identity", func(t *testing.T) { identitySuite(t, sentinels) })
	t.Run("chat", func(t *testing.T) { chatSuite(t, sentinels) })
	t.Run("vote", func(t *testing.T) { voteSuite(t, sentinels) })
	t.Run("votes on two nodes", func(t *testing.T) { votesOnTwoNodes(t, sentinels) })
	t.Run("presence", func(t *testing.T) { presenceSuite(t, sentinels) })
}
