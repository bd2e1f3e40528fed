package main

import (
	"os"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/parley"
	"parley/bench/process"
)

// site is a Redis and the nodes on it.
type site struct {
	key   string // of the peer
	redis *redis
	nodes []*parley.Node
}

// start starts a Redis, whose file lies on the disk that this repository is on, and two nodes if they are the peer.
func (b *bench) start(key string) (*site, error) {
	dir, err := os.MkdirTemp(b.at.Cache, "redis-")
	if err != nil {
		return nil, err
	}
	s := &site{key: key}
	if s.redis, err = startRedis(dir); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	for range 2 {
		if key != nodes {
			break
		}
		n, err := b.startNode(s)
		if err != nil {
			s.stop()
			return nil, err
		}
		s.nodes = append(s.nodes, n)
	}
	return s, nil
}

func (s *site) stop() {
	for _, n := range s.nodes {
		n.Process.Stop()
	}
	s.redis.stop()
}

// startNode starts a node. With a Redis that fsyncs every second it can promise only memory.
func (b *bench) startNode(s *site) (*parley.Node, error) {
	n, err := parley.Start("", b.binary, "--engine", "redis://127.0.0.1:"+s.redis.port)
	if err != nil {
		return nil, err
	}
	n.Durability = "memory"
	if len(s.nodes) > 0 {
		n.People = s.nodes[0].People
	}
	return n, nil
}

// cpu is the nodes' CPU time, together.
func (s *site) cpu() (all time.Duration, err error) {
	for _, n := range s.nodes {
		one, err := process.CPUTime(n.Process.PID())
		if err != nil {
			return 0, err
		}
		all += one
	}
	return all, nil
}

// of is the node that number i of something goes to.
func (s *site) of(i int) *parley.Node { return s.nodes[i%len(s.nodes)] }

// load makes a load with people who have sessions, and may go to any node.
func (s *site) load(people int) (*load.Load, error) {
	l, err := load.New(s.nodes[0].Addr)
	if err != nil {
		return nil, err
	}
	if err := s.nodes[0].Enter(l, people); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// kept asks every node whether channels end where they must.
func (s *site) kept(l *load.Load, channels []string, want func(i int) int) error {
	for _, n := range s.nodes {
		for i, channel := range channels {
			if err := n.Kept(l, channel, want(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
