package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Sentinels is a primary, two replicas, and three Sentinels that watch them.
type Sentinels struct {
	t        testing.TB
	Servers  []*Server // the first begins as the primary
	Watchers []*Server
}

// masterName is what the Sentinels call the primary.
const masterName = "parley"

// StartSentinels starts three servers with settings, and three Sentinels which take three seconds of silence for an end: less happens on a busy machine.
func StartSentinels(t testing.TB, settings ...string) *Sentinels {
	t.Helper()
	c := &Sentinels{t: t}
	for i := range 3 {
		all := append([]string{"--repl-diskless-sync-delay", "0"}, settings...)
		if i > 0 {
			all = append(all, "--replicaof", "127.0.0.1", fmt.Sprint(c.Servers[0].Port))
		}
		c.Servers = append(c.Servers, Start(t, all...))
	}
	for range 3 {
		c.Watchers = append(c.Watchers, c.startSentinel())
	}
	Eventually(t, "the Sentinels know each other and the replicas", func() bool {
		for _, w := range c.Watchers {
			info, _ := w.Try("INFO", "sentinel")
			if !strings.Contains(info, "slaves=2,sentinels=3") || !strings.Contains(info, "status=ok") {
				return false
			}
		}
		return strings.Count(c.Servers[0].Do("INFO", "replication"), "state=online") == 2
	})
	return c
}

func (c *Sentinels) startSentinel() *Server {
	c.t.Helper()
	s := &Server{t: c.t, Dir: c.t.TempDir(), Port: FreePort(c.t)}
	c.t.Cleanup(s.Kill)
	file := filepath.Join(s.Dir, "sentinel.conf")
	config := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d 2\nsentinel down-after-milliseconds %s 3000\nsentinel failover-timeout %s 6000\n",
		s.Port, s.Dir, masterName, c.Servers[0].Port, masterName, masterName)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := s.launch(exec.Command("redis-server", file, "--sentinel")); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// URL is the address as the engine takes it.
func (c *Sentinels) URL() string {
	return fmt.Sprintf("redis+sentinel://%s,%s,%s/%s", c.Watchers[0].Addr(), c.Watchers[1].Addr(), c.Watchers[2].Addr(), masterName)
}

// Primary is the server that most Sentinels take for the primary.
func (c *Sentinels) Primary() *Server {
	c.t.Helper()
	votes := map[string]int{}
	for _, w := range c.Watchers {
		_, port, _ := strings.Cut(w.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName), "\n")
		votes[port]++
	}
	for _, s := range c.Servers {
		if votes[fmt.Sprint(s.Port)] >= 2 {
			return s
		}
	}
	c.t.Fatalf("the Sentinels do not agree: %v", votes)
	return nil
}

// AwaitReplicas waits until both replicas have everything that the primary has.
func (c *Sentinels) AwaitReplicas() {
	c.t.Helper()
	Eventually(c.t, "the replicas follow", func() bool {
		n, _ := c.Primary().Try("WAIT", "2", "1000")
		return n == "2"
	})
}

// CutReplicas makes the replicas deaf and dumb: what the primary takes from now on exists there alone. The function it returns lets them go on.
func (c *Sentinels) CutReplicas() (heal func()) {
	c.t.Helper()
	primary := c.Primary()
	for _, s := range c.Servers {
		if s != primary {
			s.Freeze()
		}
	}
	primary.Do("CLIENT", "KILL", "TYPE", "replica") // with what is on the way to them
	return func() {
		for _, s := range c.Servers {
			if s != primary {
				s.Thaw()
			}
		}
	}
}

// AwaitFailover waits until another server than the old primary is one, and takes writes.
func (c *Sentinels) AwaitFailover(old *Server) *Server {
	c.t.Helper()
	var now *Server
	Eventually(c.t, "the Sentinels choose another primary", func() bool {
		now = c.Primary()
		info, _ := now.Try("INFO", "replication")
		return now != old && strings.Contains(info, "role:master")
	})
	return now
}
