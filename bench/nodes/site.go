package main

import (
	"net/netip"
	"os"
	"regexp"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/process"
)

// site is a Redis and the nodes on it.
type site struct {
	key    string // of the peer
	redis  *redis
	nodes  []*node
	tokens []string // of the people, who may go to any node
}

// node is one server, as it is shipped.
type node struct {
	site    *site
	process *process.Process
	addr    netip.AddrPort
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
		n.process.Stop()
	}
	s.redis.stop()
}

var address = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)

// startNode starts a node without limits of rate and number.
func (b *bench) startNode(s *site) (*node, error) {
	p, err := process.Start("", b.binary, "--engine", "redis://127.0.0.1:"+s.redis.port, "--addr", "127.0.0.1:0",
		"--rate-publish", "off", "--rate-ballot", "off", "--rate-guest", "off", "--rate-address", "off", "--rate-read", "off",
		"--streams-per-address", "0", "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	for p.Lines.Scan() {
		if at := address.FindStringSubmatch(p.Lines.Text()); at != nil {
			go func() { // what else it says
				for p.Lines.Scan() {
				}
			}()
			addr, err := netip.ParseAddrPort(at[1])
			return &node{s, p, addr}, err
		}
	}
	return nil, p.Ended("parley did not start")
}

// cpu is the nodes' CPU time, together.
func (s *site) cpu() (all time.Duration, err error) {
	for _, n := range s.nodes {
		one, err := process.CPUTime(n.process.PID())
		if err != nil {
			return 0, err
		}
		all += one
	}
	return all, nil
}

// of is the node that number i of something goes to.
func (s *site) of(i int) *node { return s.nodes[i%len(s.nodes)] }

// load makes a load with people who have sessions.
func (s *site) load(people int) (*load.Load, error) {
	l, err := load.New(s.nodes[0].addr)
	if err != nil {
		return nil, err
	}
	if err := s.people(l, people); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
