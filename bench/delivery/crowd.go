package main

import (
	"bytes"
	"fmt"
	"time"

	"parley/bench/delivery/load"
)

// crowd are people, channels, their readers, and publishers.
type crowd struct {
	*load.Load
	s          *server
	people     int
	channels   []string
	logs       []*load.Log
	readers    []*load.Reader
	publishers publishers
}

// gather makes people and channels.
func gather(s *server, people, channels int) (*crowd, error) {
	l, err := load.New(s.addr)
	if err != nil {
		return nil, err
	}
	c := &crowd{Load: l, s: s, people: people}
	if err = s.People(l, people); err == nil {
		c.channels, err = s.Channels(l, channels)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	for range c.channels {
		c.logs = append(c.logs, &load.Log{})
	}
	return c, nil
}

// read adds readers, one after the other to each of the channels.
func (c *crowd) read(how load.Transport, n int) error {
	begin, err := c.s.Begin(c.Load, c.channels[0], how)
	if err != nil {
		return err
	}
	more, err := c.Readers(n, func(i int) *load.Reader {
		at := (len(c.readers) + i) % len(c.channels)
		return &load.Reader{Dialect: c.s, Transport: how, Channel: c.channels[at], Log: c.logs[at], Who: (len(c.readers) + i) % c.people,
			Position: bytes.Clone(begin)}
	})
	c.readers = append(c.readers, more...)
	return err
}

// complete lets publishers end and waits until every reader has everything.
func (c *crowd) complete() error {
	c.publishers.stopped = true
	if err := c.Until(func() bool { return c.publishers.busy() == 0 }); err != nil {
		return fmt.Errorf("publishes are not answered: %w", err)
	}
	next := 0 // those before it have everything
	return c.Until(func() bool {
		for next < len(c.readers) && c.readers[next].At == c.publishers.to(c.readers[next].Channel) {
			next++
		}
		return next == len(c.readers)
	})
}

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
