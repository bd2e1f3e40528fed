//go:build unix

package main

import (
	"net/http"
	"strings"
	"testing"

	"parley/engine/redis/redistest"
)

// startNodes starts some servers on one Redis.
func startNodes(t testing.TB, engine string, n int) (nodes []*server) {
	t.Helper()
	for range n {
		nodes = append(nodes, startServer(t, append([]string{"--engine", engine}, unlimited...)...))
	}
	return nodes
}

// recountOn counts the ballots anew in a Redis.
func recountOn(t *testing.T, s *server, engine string) {
	t.Helper()
	out, err := s.command("--engine", engine, "recount")
	if err != nil || !strings.Contains(out, " 0 wrong") {
		t.Errorf("parley recount: %v\n%s", err, out)
	}
}

// ready waits until every node is ready, or is not.
func ready(t *testing.T, want bool, nodes ...*server) {
	t.Helper()
	for _, s := range nodes {
		what := s.url + " is ready"
		if !want {
			what = s.url + " is not ready"
		}
		redistest.Eventually(t, what, func() bool {
			resp, err := http.Get(s.url + "/readyz")
			if err != nil {
				return false
			}
			resp.Body.Close()
			return (resp.StatusCode == 200) == want
		})
	}
}
