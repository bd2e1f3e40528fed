package main

import (
	"time"

	"parley/bench/delivery/load"
	"parley/bench/side"
)

// silent compares the server's memory before and after many readers, each a person of their own, to whom nothing is said. Some
// before them make it load its code, and a message after them must come to all.
func (b *bench) silent(how load.Transport) func(*server) (side.Measurement, error) {
	return func(s *server) (side.Measurement, error) {
		if err := b.rehearse(s, how); err != nil {
			return side.Measurement{}, err
		}
		before, err := b.settled(s)
		if err != nil {
			return side.Measurement{}, err
		}
		n := b.size(5000)
		c, err := gather(s, n, 1)
		if err != nil {
			return side.Measurement{}, err
		}
		defer c.Close()
		if err := c.read(how, n); err != nil {
			return side.Measurement{}, err
		}
		if err := calm(s, c.Load); err != nil {
			return side.Measurement{}, err
		}
		after, err := b.settled(s)
		if err != nil {
			return side.Measurement{}, err
		}
		if err := c.publish(1); err != nil {
			return side.Measurement{}, err
		}
		if err := c.publishers.one(); err != nil {
			return side.Measurement{}, err
		}
		return side.Measurement{Values: []float64{float64(after-before) / float64(n)}}, c.complete()
	}
}

func (b *bench) rehearse(s *server, how load.Transport) error {
	c, err := gather(s, b.size(200), 1)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.read(how, b.size(200)); err != nil {
		return err
	}
	if err := c.publish(1); err != nil {
		return err
	}
	if err := c.publishers.one(); err != nil {
		return err
	}
	return c.complete()
}

// settled is the resident memory when it has not fallen for a second; after 8 s in any case.
func (b *bench) settled(s *server) (least int64, err error) {
	const step = 100 * time.Millisecond
	for still, all := 0, 0; still < int(time.Second/step)/b.shrink+1 && all < 80; all++ {
		now, err := s.resident()
		if err != nil {
			return 0, err
		}
		if still++; least == 0 || now < least-least/200 {
			least, still = now, 0
		}
		time.Sleep(step)
	}
	return s.resident()
}
