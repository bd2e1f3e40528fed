package redistest

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Cluster is six servers: three primaries, each with a replica.
type Cluster struct {
	t       testing.TB
	Servers []*Server
}

// StartCluster starts six servers with settings, and makes a cluster of them as `redis-cli --cluster create` does.
func StartCluster(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	create := []string{"--cluster", "create"}
	for range 6 {
		s := Start(t, append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "4000", "--cluster-port", strconv.Itoa(FreePort(t))}, settings...)...)
		c.Servers = append(c.Servers, s)
		create = append(create, s.Addr())
	}
	out, err := exec.Command("redis-cli", append(create, "--cluster-replicas", "1", "--cluster-yes")...).CombinedOutput()
	if err != nil {
		t.Fatalf("the cluster cannot be made: %v: %s", err, out)
	}
	c.AwaitOK()
	return c
}

// URL is the address as the engine takes it.
func (c *Cluster) URL() string {
	return fmt.Sprintf("redis+cluster://%s,%s,%s", c.Servers[0].Addr(), c.Servers[2].Addr(), c.Servers[4].Addr())
}

// AwaitOK waits until every server that runs thinks that all is well, and every primary has a replica that follows it, if one is left.
func (c *Cluster) AwaitOK() {
	c.t.Helper()
	Eventually(c.t, "the cluster is well", func() bool {
		for _, s := range c.Servers {
			if !s.Running() {
				continue
			}
			if state, _ := s.Try("CLUSTER", "INFO"); !strings.Contains(state, "cluster_state:ok") {
				return false
			}
			if info, _ := s.Try("INFO", "replication"); strings.Contains(info, "role:slave") && !strings.Contains(info, "master_link_status:up") {
				return false
			}
		}
		return true
	})
}

// PrimaryOf is the server that has a slot.
func (c *Cluster) PrimaryOf(slot int) *Server {
	c.t.Helper()
	s := c.HasSlot(slot)
	if s == nil {
		c.t.Fatalf("nobody has slot %d", slot)
	}
	return s
}

// HasSlot is the server that runs and says that it has a slot, or nil while there is none.
func (c *Cluster) HasSlot(slot int) *Server {
	c.t.Helper()
	for _, s := range c.Servers {
		if !s.Running() {
			continue
		}
		nodes, _ := s.Try("CLUSTER", "NODES")
		for _, line := range strings.Split(nodes, "\n") {
			fields := strings.Fields(line)
			if len(fields) < 9 || !strings.Contains(fields[2], "myself") || !strings.Contains(fields[2], "master") {
				continue
			}
			for _, part := range fields[8:] {
				first, last, isRange := strings.Cut(part, "-")
				if !isRange {
					last = first
				}
				from, err1 := strconv.Atoi(first)
				to, err2 := strconv.Atoi(last)
				if err1 == nil && err2 == nil && from <= slot && slot <= to {
					return s
				}
			}
		}
	}
	return nil
}

// ReplicaOf is a server that follows a primary.
func (c *Cluster) ReplicaOf(primary *Server) *Server {
	c.t.Helper()
	for _, s := range c.Servers {
		if info, _ := s.Try("INFO", "replication"); s.Running() && strings.Contains(info, fmt.Sprintf("master_port:%d\r\n", primary.Port)) {
			return s
		}
	}
	c.t.Fatal("the primary has no replica")
	return nil
}

// CutReplica makes the replica of a primary deaf and dumb: what the primary takes from now on exists there alone. The function it returns lets
// it go on.
func (c *Cluster) CutReplica(primary *Server) (heal func()) {
	c.t.Helper()
	replica := c.ReplicaOf(primary)
	replica.Freeze()
	primary.Do("CLIENT", "KILL", "TYPE", "replica") // with what is on the way to it
	return replica.Thaw
}

// Other is a primary that does not have a slot.
func (c *Cluster) Other(slot int) *Server {
	c.t.Helper()
	owner := c.PrimaryOf(slot)
	for i := range 3 {
		if s := c.PrimaryOf((slot + (i+1)*16384/4) % 16384); s != owner {
			return s
		}
	}
	c.t.Fatal("one server has every slot")
	return nil
}

// Migrate moves a slot to a primary with what is in it, key by key, as operators do while it is in use. After each step it calls during, if
// set.
func (c *Cluster) Migrate(slot int, to *Server, during func()) {
	c.t.Helper()
	from := c.PrimaryOf(slot)
	n := strconv.Itoa(slot)
	toID, fromID := to.Do("CLUSTER", "MYID"), from.Do("CLUSTER", "MYID")
	to.Do("CLUSTER", "SETSLOT", n, "IMPORTING", fromID)
	from.Do("CLUSTER", "SETSLOT", n, "MIGRATING", toID)
	for {
		keys := from.Do("CLUSTER", "GETKEYSINSLOT", n, "10")
		if keys == "" {
			break
		}
		command := append([]string{"MIGRATE", "127.0.0.1", strconv.Itoa(to.Port), "", "0", "5000", "KEYS"}, strings.Split(keys, "\n")...)
		if out := from.Do(command...); !strings.HasPrefix(out, "OK") && !strings.HasPrefix(out, "NOKEY") {
			c.t.Fatalf("MIGRATE: %s", out)
		}
		if during != nil {
			during()
		}
	}
	// The new owner first: so there is always one.
	for _, s := range []*Server{to, from} {
		s.Do("CLUSTER", "SETSLOT", n, "NODE", toID)
	}
}
