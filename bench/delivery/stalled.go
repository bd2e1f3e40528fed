package main

import (
	"parley/bench/delivery/load"
	"parley/bench/side"
)

// stalled has a reader that stops reading while messages are published, and others whom that must not concern. When it
// goes on it must get everything.
func (b *bench) stalled(s *server) (side.Measurement, error) {
	if _, is := s.site.(ours); !is {
		return side.Measurement{}, side.ErrUnsupported // they keep no log that it could go on with
	}
	c, err := gather(s, 21, 1)
	if err != nil {
		return side.Measurement{}, err
	}
	defer c.Close()
	if err := c.read(load.WebSocket, 21); err != nil {
		return side.Measurement{}, err
	}
	if err := c.publish(32); err != nil {
		return side.Measurement{}, err
	}
	const rate = 5000
	messages := b.size(100_000)
	// First as many as make the server's memory what it is at this rate.
	if _, err := c.peak(s, rate, messages/10); err != nil {
		return side.Measurement{}, err
	}
	c.Late = &load.Latencies{}
	before, err := c.peak(s, rate, messages/5)
	if err != nil {
		return side.Measurement{}, err
	}
	usual := c.Late.At(0.99)

	one := c.readers[0]
	one.Uncounted = true
	if err := one.Pause(); err != nil {
		return side.Measurement{}, err
	}
	c.Late = &load.Latencies{}
	bytes := c.Bytes
	after, err := c.peak(s, rate, messages)
	if err != nil {
		return side.Measurement{}, err
	}
	missed := (c.Bytes - bytes) / int64(len(c.readers)-1) // what each of the others got
	late := c.Late.At(0.99)
	if err := one.Resume(); err != nil {
		return side.Measurement{}, err
	}
	return side.Measurement{Values: []float64{
		max(float64(after-before), 0) / float64(missed), float64(late) / 1e6, float64(late) / float64(usual),
	}}, c.complete()
}

// peak publishes, and returns the most memory that the server held meanwhile.
func (c *crowd) peak(s *server, rate float64, messages int) (most int64, err error) {
	const steps = 20
	for range steps {
		if err := c.publishers.pace(rate, messages/steps); err != nil {
			return 0, err
		}
		now, err := s.resident()
		if err != nil {
			return 0, err
		}
		most = max(most, now)
	}
	return most, nil
}
