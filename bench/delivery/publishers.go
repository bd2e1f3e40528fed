package main

import (
	"time"

	"parley/bench/delivery/load"
)

// publishers publish over HTTP, each over a connection of its own.
type publishers struct {
	crowd    *crowd
	all      []*publisher
	free     []*publisher
	answered int64
	per      map[string]int // by channel: published
	sent     int64
	stopped  bool
}

// publisher is one of them.
type publisher struct {
	*load.Caller
	requests []request // by channel
	n        []int64   // by channel
}

// publish adds n publishers. Where there are many channels only one may publish to each: a message's number is theirs.
func (c *crowd) publish(n int) error {
	p := &c.publishers
	p.crowd, p.per = c, map[string]int{}
	for i := range n {
		caller, err := c.Caller()
		if err != nil {
			return err
		}
		one := &publisher{Caller: caller}
		one.Answer = func(h *load.Head, body []byte) error {
			if err := c.s.Published(h, body); err != nil {
				return err
			}
			p.answered++
			p.free = append(p.free, one)
			return nil
		}
		if len(c.channels) == 1 {
			one.requests = []request{c.s.Publish(c.channels[0], i%c.people, load.NewData(i))}
			one.n = []int64{0}
		}
		p.all, p.free = append(p.all, one), append(p.free, one)
	}
	if len(c.channels) > 1 {
		var requests []request
		for i, name := range c.channels {
			requests = append(requests, c.s.Publish(name, i%c.people, load.NewData(0)))
		}
		numbers := make([]int64, len(requests))
		for _, one := range p.all {
			one.requests, one.n = requests, numbers
		}
	}
	return nil
}

func (p *publishers) send(one *publisher, channel int, due int64) error {
	one.n[channel]++
	p.sent++
	p.per[p.crowd.channels[channel]]++
	r := one.requests[channel]
	r.data.Stamp(one.n[channel], due)
	return one.Call(r.bytes)
}

func (p *publishers) busy() int { return len(p.all) - len(p.free) }

// to is how many messages a channel has got.
func (p *publishers) to(channel string) int { return p.per[channel] }

// lead is how many messages publishers may be ahead of what the readers have got, on average: a server that answers
// publishers before it has spoken to readers would only pile up what is still to be delivered.
const lead = 1000

// flood lets all of them publish to the first channel as fast as they are answered.
func (p *publishers) flood() error {
	readers := int64(max(len(p.crowd.readers), 1))
	from := p.sent*readers - p.crowd.Delivered
	p.crowd.After = func() error {
		for len(p.free) > 0 && !p.stopped && (len(p.crowd.readers) == 0 || p.sent*readers-p.crowd.Delivered-from < lead*readers) {
			one := p.free[len(p.free)-1]
			p.free = p.free[:len(p.free)-1]
			if err := p.send(one, 0, p.crowd.Now()); err != nil {
				return err
			}
		}
		return nil
	}
	return p.crowd.After()
}

// one publishes a message to the first channel, and waits until every reader has it.
func (p *publishers) one() error {
	one := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	want := p.crowd.Delivered + int64(len(p.crowd.readers))
	if err := p.send(one, 0, p.crowd.Now()); err != nil {
		return err
	}
	return p.crowd.Until(func() bool { return p.crowd.Delivered >= want && p.busy() == 0 })
}

// pace publishes so many messages at a rate, to the channels in turn, each when it is due, or as soon as a publisher is free.
// The core is kept busy: a load that sleeps measures its own waking up.
func (p *publishers) pace(rate float64, messages int) error {
	gap := float64(time.Second) / rate
	begun := p.crowd.Now()
	for sent := 0; sent < messages; {
		due := begun + int64(float64(sent)*gap)
		if p.crowd.Now() >= due && len(p.free) > 0 {
			one := p.free[len(p.free)-1]
			p.free = p.free[:len(p.free)-1]
			if err := p.send(one, sent%len(p.crowd.channels), due); err != nil {
				return err
			}
			sent++
			continue
		}
		if _, err := p.crowd.Poll(0); err != nil {
			return err
		}
	}
	return nil
}
