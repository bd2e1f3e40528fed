package main

import (
	"bytes"
	"fmt"

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
