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
	everySuite(t, cluster)
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
}

// TestSentinels is the same where Sentinels say which server is the primary.
func TestSentinels(t *testing.T) {
	t.Parallel()
	sentinels := redistest.StartSentinels(t)
	everySuite(t, sentinels)
}

func everySuite(t *testing.T, server addressed) {
	for name, suite := range map[string]func(*testing.T, addressed){
		"log": logSuite, "identity": identitySuite, "chat": chatSuite, "search": searchSuite, "vote": voteSuite,
		"votes on two nodes": votesOnTwoNodes, "presence": presenceSuite,
	} {
		t.Run(name, func(t *testing.T) { suite(t, server) })
	}
}
