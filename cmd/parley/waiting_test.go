//go:build unix

package main

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"parley/engine/redis/redistest"
)

// TestANodeWaitsForItsRedis: one that is started before Redis says so, is alive and not ready, and serves once Redis is there. Nor does another node's
// start take from anybody the administrator's link.
func TestANodeWaitsForItsRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--appendonly", "yes")
	redis.Kill()
	s := newServer(t, "--engine", redis.URL())
	s.launch()
	t.Cleanup(s.kill)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/v1/session": 503} {
		redistest.Eventually(t, path+" is answered", func() bool {
			resp, err := http.Get(s.url + path)
			if err != nil {
				return false
			}
			resp.Body.Close()
			if resp.StatusCode != want || want == 503 && resp.Header.Get("Retry-After") == "" {
				t.Errorf("%s is answered %s", path, resp.Status)
			}
			return true
		})
	}
	s.prints("Redis cannot be reached yet")
	redis.Restart()
	s.awaitReady()

	s.prints("parley admin-link")
	link, err := s.command("--engine", redis.URL(), "admin-link")
	if err != nil {
		t.Fatal(err, link)
	}
	startNodes(t, redis.URL(), 1)
	_, token, _ := strings.Cut(strings.TrimSpace(link), "/admin#")
	if err := s.signIn("Ann").insist("POST", "/v1/session/admin", map[string]string{"token": token}, nil); err != nil {
		t.Errorf("the link does not work any more: %v", err)
	}
}

// TestANodeThatWaitsCanBeStopped at once, and in order.
func TestANodeThatWaitsCanBeStopped(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--engine", "redis://127.0.0.1:1")
	s.launch()
	t.Cleanup(s.kill)
	s.prints("Redis cannot be reached yet")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.done
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, s.out)
	}
}
