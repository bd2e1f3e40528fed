package main

import (
	"bytes"
	"fmt"
	"strconv"

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

// kept asks Parley whether the channel's end is where it must be: what is acknowledged is there, and nothing else.
func (c *crowd) kept(messages int) error {
	p, ours := c.s.site.(*parley)
	if !ours {
		return nil
	}
	to, err := p.end(c.Load, c.channels[0])
	if err == nil && seq(to) != messages {
		err = fmt.Errorf("%d publishes were acknowledged, the channel ends at %s", messages, to)
	}
	return err
}

// publishWebSocket has publishers that do not wait for their answers, up to a window, each over a WebSocket of its own.
func (b *bench) publishWebSocket(conns, window int) func(*server) (side.Measurement, error) {
	return func(s *server) (side.Measurement, error) {
		site, ours := s.site.(*parley)
		if !ours {
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
			p, err := c.Pipe(site.get("/v1/connect", i, upgrade))
			if err != nil {
				return side.Measurement{}, err
			}
			p.Window = window
			p.Command = command(c.channels[0], load.NewData(i))
			p.Answer = func(m []byte) (int, error) {
				n, err := acknowledged(m, p.Answered+1)
				answered += int64(n)
				return n, err
			}
			pipes = append(pipes, p)
		}
		all := func(is func(*load.Pipe) bool) func() bool {
			return func() bool {
				for _, p := range pipes {
					if !is(p) {
						return false
					}
				}
				return true
			}
		}
		if err := c.Until(all((*load.Pipe).Accepted)); err != nil {
			return side.Measurement{}, err
		}
		for _, p := range pipes {
			if err := p.Go(); err != nil {
				return side.Measurement{}, err
			}
		}
		span, err := b.measured(s, c.Load, &answered)
		if err != nil {
			return side.Measurement{}, err
		}
		for _, p := range pipes {
			p.Stopped = true
		}
		if err := c.Until(all(func(p *load.Pipe) bool { return p.Answered == p.Sent })); err != nil {
			return side.Measurement{}, err
		}
		return span.rate(), c.kept(int(answered))
	}
}

// command is the next publish over a WebSocket; its ref is its number.
func command(channel string, data load.Data) func(dst []byte, n int64) ([]byte, error) {
	return func(dst []byte, n int64) ([]byte, error) {
		data.Stamp(n, 0)
		dst = append(dst, `{"op":"publish","ref":`...)
		dst = strconv.AppendInt(dst, n, 10)
		dst = append(append(append(dst, `,"channel":"`...), channel...), `","type":"bench","data":`...)
		return append(append(dst, data...), '}'), nil
	}
}

// acknowledged says whether a message answers a publish, which must be the next one, and good.
func acknowledged(m []byte, next int64) (int, error) {
	rest, ok := bytes.CutPrefix(m, []byte(`{"ref":`))
	if !ok {
		return 0, nil
	}
	ref, rest, _ := bytes.Cut(rest, []byte{','})
	if n, _ := strconv.ParseInt(string(ref), 10, 64); n != next || !bytes.HasPrefix(rest, []byte(`"result":{`)) || !bytes.Contains(rest, fsynced) {
		return 0, fmt.Errorf("publish %d was answered: %.300s", next, m)
	}
	return 1, nil
}
