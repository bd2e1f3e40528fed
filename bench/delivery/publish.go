package main

import (
	"parley/bench/delivery/load"
	"parley/bench/side"
)

// publishHTTP has publishers and nobody who reads.
func (b *bench) publishHTTP(s *server) (side.Measurement, error) {
	c, err := gather(s, b.size(64), 1)
	if err != nil {
		return side.Measurement{}, err
	}
	defer c.Close()
	if err := c.publish(b.size(64)); err != nil {
		return side.Measurement{}, err
	}
	if err := c.publishers.flood(); err != nil {
		return side.Measurement{}, err
	}
	span, err := b.measured(s, c.Load, &c.publishers.answered)
	if err == nil {
		err = c.complete()
	}
	if err == nil {
		err = c.kept(int(c.publishers.answered))
	}
	return span.rate(), err
}

// kept asks Parley whether the channel's end is where it must be.
func (c *crowd) kept(messages int) error {
	site, is := c.s.site.(ours)
	if !is {
		return nil
	}
	return site.Kept(c.Load, c.channels[0], messages)
}

// publishWebSocket has publishers that do not wait for their answers, up to a window, each over a WebSocket of its own.
func (b *bench) publishWebSocket(conns, window int) func(*server) (side.Measurement, error) {
	return func(s *server) (side.Measurement, error) {
		site, is := s.site.(ours)
		if !is {
			return side.Measurement{}, side.ErrUnsupported // as durable
		}
		conns := min(conns, b.size(conns))
		c, err := gather(s, conns, 1)
		if err != nil {
			return side.Measurement{}, err
		}
		defer c.Close()
		var pipes []*load.Pipe
		var answered int64
		for i := range conns {
			p, err := site.Pipe(c.Load, c.channels[0], i, window, func(n int) { answered += int64(n) })
			if err != nil {
				return side.Measurement{}, err
			}
			pipes = append(pipes, p)
		}
		if err := c.Begin(pipes); err != nil {
			return side.Measurement{}, err
		}
		span, err := b.measured(s, c.Load, &answered)
		if err != nil {
			return side.Measurement{}, err
		}
		if err := c.Finish(pipes); err != nil {
			return side.Measurement{}, err
		}
		return span.rate(), c.kept(int(answered))
	}
}
