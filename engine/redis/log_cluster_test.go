package redis

import (
	"errors"
	"strings"
	"testing"

	"parley/channel"
	"parley/engine/redis/redistest"
	"parley/problem"
)

// TestCluster is everything that every engine must do, on a cluster of six servers.
func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	t.Run("log", func(t *testing.T) { logSuite(t, cluster) })
	t.Run("identity", func(t *testing.T) { identitySuite(t, cluster) })
	t.Run("chat", func(t *testing.T) { chatSuite(t, cluster) })
	t.Run("search", func(t *testing.T) { searchSuite(t, cluster) })
	t.Run("vote", func(t *testing.T) { voteSuite(t, cluster) })
	t.Run("replicas", func(t *testing.T) {
		e := open(t, fresh(cluster)+"&replicas=1", Options{})
		if r := mustAppend(t, e, say("room:a", "", "here"), say(elsewhere("room:a"), "", "there"))[1]; r.Durability != channel.Replicated {
			t.Errorf("it is %q", r.Durability)
		}
		two := open(t, fresh(cluster)+"&replicas=2", Options{}) // every primary has one
		if _, err := two.Append(t.Context(), say("room:a", "", "unconfirmed")); !errors.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "not confirmed") {
			t.Errorf("append: %v", err)
		}
	})
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
	t.Run("search", func(t *testing.T) { searchSuite(t, sentinels) })
	t.Run("vote", func(t *testing.T) { voteSuite(t, sentinels) })
	t.Run("votes on two nodes", func(t *testing.T) { votesOnTwoNodes(t, sentinels) })
	t.Run("presence", func(t *testing.T) { presenceSuite(t, sentinels) })
}
