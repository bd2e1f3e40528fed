package main

import (
	"fmt"

	"parley/bench/delivery/load"
	"parley/bench/parley"
	"parley/bench/side"
)

// unchanged polls, over and over, a channel in which nothing is new. The empty handler gets the same requests.
func (b *bench) unchanged(s *server) (side.Measurement, error) {
	l, err := load.New(s.addr)
	if err != nil {
		return side.Measurement{}, err
	}
	defer l.Close()
	poll, status, err := s.poll(l)
	if err != nil {
		return side.Measurement{}, err
	}
	var answered int64
	for range b.size(64) {
		c, err := l.Caller()
		if err != nil {
			return side.Measurement{}, err
		}
		c.Answer = func(h *load.Head, body []byte) error {
			if h.Status != status {
				return fmt.Errorf("a poll was answered %d: %.300s", h.Status, body)
			}
			answered++
			return c.Call(poll)
		}
		if err := c.Call(poll); err != nil {
			return side.Measurement{}, err
		}
	}
	span, err := b.measured(s, l, &answered)
	return span.rate(), err
}

// poll is a poll by a reader who has everything, and the status of its answer.
func (s *server) poll(l *load.Load) (request []byte, status int, err error) {
	switch site := s.site.(type) {
	case mute:
		// As long as those to Parley.
		stand := parley.Node{Addr: s.addr, People: &parley.People{Tokens: []string{"p1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}}
		return stand.Poll("room:room-1", []byte("1-aaaaaaaa")), 200, nil
	case ours:
		c, err := gather(s, 1, 1)
		if err != nil {
			return nil, 0, err
		}
		defer c.Close()
		if err := c.publish(1); err != nil {
			return nil, 0, err
		}
		if err := c.publishers.one(); err != nil {
			return nil, 0, err
		}
		at, err := site.End(l, c.channels[0])
		return site.Poll(c.channels[0], at), 304, err
	}
	return nil, 0, side.ErrUnsupported
}
