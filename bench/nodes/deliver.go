package main

import (
	"fmt"
	"slices"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/parley"
	"parley/bench/side"
)

// delivery publishes at a rate on one node, where somebody reads, and so does somebody on the other node.
type delivery struct {
	*load.Load
	s         *site
	channel   string
	log       *load.Log
	readers   []*load.Reader
	free      []*publisher
	sent      int64
	published int64
}

// publisher has a connection of its own. What one publishes after an answer comes later; what two publish at once has no order.
type publisher struct {
	*load.Caller
	request []byte
	data    load.Data
	number  int64
}

// deliver makes a channel with publishers on the first node: where one waits for its answer, another goes on.
func (s *site) deliver(publishers int) (*delivery, error) {
	l, err := s.load(4)
	if err != nil {
		return nil, err
	}
	d := &delivery{Load: l, s: s, log: &load.Log{}}
	err = func() error {
		rooms, err := s.nodes[0].Rooms(l, 1)
		if err != nil {
			return err
		}
		d.channel = rooms[0]
		for i := range publishers {
			p := &publisher{}
			if p.Caller, err = l.Caller(); err != nil {
				return err
			}
			p.request, p.data = s.nodes[0].Publish(d.channel, 0, load.NewData(i))
			p.Answer = func(h *load.Head, body []byte) error {
				d.free, d.published = append(d.free, p), d.published+1
				return s.nodes[0].Published(h, body)
			}
			d.free = append(d.free, p)
		}
		return nil
	}()
	if err != nil {
		l.Close()
		return nil, err
	}
	return d, nil
}

// read adds readers on a node.
func (d *delivery) read(n *parley.Node, count int) error {
	d.Toward(n.Addr)
	more, err := d.Readers(count, func(i int) *load.Reader {
		return &load.Reader{Dialect: n, Transport: load.WebSocket, Channel: d.channel, Log: d.log, Who: i % len(n.People.Tokens)}
	})
	d.readers = append(d.readers, more...)
	return err
}

// pace publishes at a rate for a while, each message when it is due, and waits until everybody has them all. Between two the load sleeps: the
// others need the cores.
func (d *delivery) pace(rate float64, t time.Duration) error {
	gap := float64(time.Second) / rate
	begun := d.Now()
	for i, n := 0, int(rate*t.Seconds())+1; i < n; {
		due := begun + int64(float64(i)*gap)
		if left := time.Duration(due - d.Now()); left > 0 {
			if err := d.Wait(left); err != nil {
				return err
			}
			continue
		}
		if err := d.Until(func() bool { return len(d.free) > 0 }); err != nil {
			return err
		}
		p := d.free[len(d.free)-1]
		d.free = d.free[:len(d.free)-1]
		p.number++
		d.sent++
		i++
		p.data.Stamp(p.number, due)
		if err := p.Call(p.request); err != nil {
			return err
		}
	}
	return d.Until(func() bool {
		return d.published == d.sent && !slices.ContainsFunc(d.readers, func(r *load.Reader) bool { return int64(r.At) < d.sent })
	})
}

// latency compares when two readers get each message: one on the node where it is published, one on the other.
func (b *bench) latency(s *site) (side.Measurement, error) {
	d, err := s.deliver(flooding)
	if err != nil {
		return side.Measurement{}, err
	}
	defer d.Close()
	came := [2][]int64{}
	for i, n := range s.nodes {
		n := &witness{Node: n, now: d.Now, came: &came[i]}
		d.Toward(n.Addr)
		r, err := d.Readers(1, func(int) *load.Reader {
			return &load.Reader{Dialect: n, Transport: load.WebSocket, Channel: d.channel, Log: d.log, Uncounted: i == 0}
		})
		if err != nil {
			return side.Measurement{}, err
		}
		d.readers = append(d.readers, r...)
	}
	d.Toward(s.nodes[0].Addr)
	const rate = 1000
	if err := d.pace(rate, b.warmup); err != nil {
		return side.Measurement{}, err
	}
	before := len(came[0])
	d.Late = &load.Latencies{}
	span, err := s.during(&d.published, func() error { return d.pace(rate, b.time) })
	if err != nil {
		return side.Measurement{}, err
	}
	if len(came[0]) != len(came[1]) {
		return side.Measurement{}, fmt.Errorf("one reader got %d messages, the other %d", len(came[0]), len(came[1]))
	}
	var added []int64
	for i := before; i < len(came[0]); i++ {
		added = append(added, came[1][i]-came[0][i])
	}
	slices.Sort(added)
	ms := func(ns int64) float64 { return float64(ns) / 1e6 }
	m := span.measurement(
		ms(int64(d.Late.At(0.5))), ms(int64(d.Late.At(0.99))),
		ms(added[len(added)/2]), ms(added[len(added)*99/100]))
	m.Rate = span.second()
	return m, nil
}

// witness notes when each message came to a reader.
type witness struct {
	*parley.Node
	now  func() int64
	came *[]int64
}

func (w *witness) Message(r *load.Reader, p []byte) error {
	had := r.At
	if err := w.Node.Message(r, p); err != nil {
		return err
	}
	for range r.At - had {
		*w.came = append(*w.came, w.now())
	}
	return nil
}

// crowds publishes at a rate on one node, one message at a time, so that none shares a script, to more and more readers on the other. What
// a message costs Redis must not depend on how many they are.
func (b *bench) crowds(s *site) (side.Measurement, error) {
	d, err := s.deliver(1)
	if err != nil {
		return side.Measurement{}, err
	}
	defer d.Close()
	const rate = 200
	// Nodes renew their leases every 2.5 s, with some hundred commands: as often in each of the stretches.
	t := 5 * time.Second
	if b.shrink > 1 {
		t = b.time
	}
	var commands, redis []float64
	var m side.Measurement
	for i, readers := range []int{1, 100, 1000} {
		if i > 0 {
			readers = b.size(readers)
		}
		if err := d.read(s.nodes[1], max(readers-len(d.readers), 0)); err != nil {
			return m, err
		}
		if err := d.pace(rate, b.warmup); err != nil {
			return m, err
		}
		span, err := s.during(&d.published, func() error { return d.pace(rate, t) })
		if err != nil {
			return m, err
		}
		each := span.each()
		commands, redis, m = append(commands, each[2]), append(redis, each[1]), span.measurement()
	}
	m.Values = append(append(commands, commands[2]/commands[0]), redis...)
	return m, nil
}
