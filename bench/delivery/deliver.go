package main

import (
	"time"

	"parley/bench/delivery/load"
	"parley/bench/side"
)

// flooding is how many publishers publish as fast as they can.
const flooding = 64

// fanout has publishers that publish as fast as they are answered, and readers who must get it all.
func (b *bench) fanout(how load.Transport) func(*server) (side.Measurement, error) {
	return func(s *server) (side.Measurement, error) {
		c, err := gather(s, b.size(flooding), 1)
		if err != nil {
			return side.Measurement{}, err
		}
		defer c.Close()
		if err := c.read(how, b.size(1000)); err != nil {
			return side.Measurement{}, err
		}
		if err := c.publish(b.size(flooding)); err != nil {
			return side.Measurement{}, err
		}
		if err := c.publishers.flood(); err != nil {
			return side.Measurement{}, err
		}
		span, err := b.measured(s, c.Load, &c.Delivered)
		if err != nil {
			return side.Measurement{}, err
		}
		return span.rate(), c.complete()
	}
}

// latency has messages that come now and then, as people write them, and each goes to many.
func (b *bench) latency(s *server) (side.Measurement, error) {
	c, err := gather(s, 4, 1)
	if err != nil {
		return side.Measurement{}, err
	}
	defer c.Close()
	if err := c.read(load.WebSocket, b.size(1000)); err != nil {
		return side.Measurement{}, err
	}
	if err := c.publish(16); err != nil {
		return side.Measurement{}, err
	}
	const rate = 50
	messages := func(d time.Duration) int { return int(d.Seconds()*rate) + 1 }
	if err := c.publishers.pace(rate, messages(b.warmup)); err != nil {
		return side.Measurement{}, err
	}
	c.Late = &load.Latencies{}
	span, err := during(s, &c.Delivered, func() error { return c.publishers.pace(rate, messages(3*b.time)) })
	if err == nil {
		err = c.complete()
	}
	ms := func(q float64) float64 { return float64(c.Late.At(q)) / 1e6 }
	m := span.measurement(ms(0.5), ms(0.99))
	m.Rate = rate
	return m, err
}

// longPoll publishes when all wait, and waits until all wait again.
func (b *bench) longPoll(waiting int) func(*server) (side.Measurement, error) {
	return func(s *server) (side.Measurement, error) {
		c, err := gather(s, 4, 1)
		if err != nil {
			return side.Measurement{}, err
		}
		defer c.Close()
		if err := c.read(load.LongPoll, b.size(waiting)); err != nil {
			return side.Measurement{}, err
		}
		if err := c.publish(1); err != nil {
			return side.Measurement{}, err
		}
		release := func(d time.Duration) error {
			for end := time.Now().Add(d); ; {
				if err := calm(s, c.Load); err != nil {
					return err
				}
				if !time.Now().Before(end) {
					return nil
				}
				if err := c.publishers.one(); err != nil {
					return err
				}
			}
		}
		if err := release(b.warmup); err != nil {
			return side.Measurement{}, err
		}
		span, err := during(s, &c.Delivered, func() error { return release(b.time) })
		if err != nil {
			return side.Measurement{}, err
		}
		m := span.measurement(span.each())
		m.Rate = span.second()
		return m, c.complete()
	}
}

// growing delivers one message at a time to more and more readers.
func (b *bench) growing(s *server) (side.Measurement, error) {
	c, err := gather(s, 4, 1)
	if err != nil {
		return side.Measurement{}, err
	}
	defer c.Close()
	if err := c.publish(1); err != nil {
		return side.Measurement{}, err
	}
	var m side.Measurement
	for _, readers := range []int{100, 1000, 15000} {
		if err := c.read(load.WebSocket, b.size(readers)-len(c.readers)); err != nil {
			return m, err
		}
		if err := calm(s, c.Load); err != nil {
			return m, err
		}
		repeat := func(d time.Duration) error {
			for end := time.Now().Add(d); time.Now().Before(end); {
				if err := c.publishers.one(); err != nil {
					return err
				}
			}
			return nil
		}
		if err := repeat(b.warmup); err != nil {
			return m, err
		}
		span, err := during(s, &c.Delivered, func() error { return repeat(b.time) })
		if err != nil {
			return m, err
		}
		values := append(m.Values, span.each())
		m = span.measurement(values...)
		m.Rate = span.second()
	}
	dearer := max(m.Values[1]/m.Values[0], m.Values[2]/m.Values[0], m.Values[2]/m.Values[1])
	m.Values = append(m.Values, dearer)
	return m, c.complete()
}

// channels delivers at one rate to one channel with one reader, and to many channels with one reader each.
func (b *bench) channels(s *server) (side.Measurement, error) {
	one, err := b.spread(s, 1)
	if err != nil {
		return side.Measurement{}, err
	}
	many, err := b.spread(s, b.size(10000))
	m := many.measurement(many.each(), one.each(), many.each()/one.each())
	m.Rate = many.second()
	return m, err
}

func (b *bench) spread(s *server, channels int) (span, error) {
	c, err := gather(s, min(channels, 64), channels)
	if err != nil {
		return span{}, err
	}
	defer c.Close()
	if err := c.read(load.WebSocket, channels); err != nil {
		return span{}, err
	}
	if err := c.publish(16); err != nil {
		return span{}, err
	}
	if err := calm(s, c.Load); err != nil {
		return span{}, err
	}
	const rate = 1000
	if err := c.publishers.pace(rate, int(rate*b.warmup.Seconds())); err != nil {
		return span{}, err
	}
	m, err := during(s, &c.Delivered, func() error { return c.publishers.pace(rate, int(rate*b.time.Seconds())) })
	if err != nil {
		return m, err
	}
	return m, c.complete()
}
