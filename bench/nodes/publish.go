package main

import (
	"parley/bench/delivery/load"
	"parley/bench/side"
)

// publishHTTP has publishers, half of them on each node, who publish the next message when one is answered.
func (b *bench) publishHTTP(s *site) (side.Measurement, error) {
	if s.key != nodes {
		return b.plain(s)
	}
	people := b.size(flooding)
	l, err := s.load(people)
	if err != nil {
		return side.Measurement{}, err
	}
	defer l.Close()
	rooms, err := s.rooms(l, 1)
	if err != nil {
		return side.Measurement{}, err
	}
	f := &flood{}
	for i := range people {
		if err := f.add(l, s.of(i), rooms[0], i); err != nil {
			return side.Measurement{}, err
		}
	}
	span, err := b.measured(s, l, &f.answered)
	if err != nil {
		return side.Measurement{}, err
	}
	f.stopped = true
	if err := l.Until(func() bool { return f.busy == 0 }); err != nil {
		return side.Measurement{}, err
	}
	return span.measurement(append([]float64{span.second()}, span.each()...)...),
		s.kept(l, rooms, func(int) int { return int(f.answered) })
}

// flood are publishers over HTTP.
type flood struct {
	answered int64
	busy     int
	stopped  bool
}

// add opens a publisher's connection to a node, and publishes its first message.
func (f *flood) add(l *load.Load, n *node, channel string, who int) error {
	l.Toward(n.addr)
	caller, err := l.Caller()
	if err != nil {
		return err
	}
	request, data := n.publish(channel, who, load.NewData(who))
	count := int64(0)
	next := func() error {
		count++
		data.Stamp(count, 0)
		return caller.Call(request)
	}
	caller.Answer = func(h *load.Head, body []byte) error {
		if err := published(h, body); err != nil {
			return err
		}
		f.answered++
		if f.stopped {
			f.busy--
			return nil
		}
		return next()
	}
	f.busy++
	return next()
}

// publishWebSocket has publishers, half of them on each node, with some publishes unanswered each. They share a room, or each
// has one.
func (b *bench) publishWebSocket(shared bool) func(*site) (side.Measurement, error) {
	return func(s *site) (side.Measurement, error) {
		if s.key != nodes {
			return b.plain(s)
		}
		people := b.size(flooding)
		l, err := s.load(people)
		if err != nil {
			return side.Measurement{}, err
		}
		defer l.Close()
		count := people
		if shared {
			count = 1
		}
		rooms, err := s.rooms(l, count)
		if err != nil {
			return side.Measurement{}, err
		}
		var answered int64
		per := make([]int64, count)
		var pipes []*load.Pipe
		for i := range people {
			n, room := s.of(i), i%count
			l.Toward(n.addr)
			p, err := l.Pipe(n.get("/v1/connect", i, upgrade))
			if err != nil {
				return side.Measurement{}, err
			}
			p.Window = window
			p.Command = command(rooms[room], load.NewData(i))
			p.Answer = func(m []byte) (int, error) {
				n, err := acknowledged(m, p.Answered+1)
				answered, per[room] = answered+int64(n), per[room]+int64(n)
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
		if err := l.Until(all((*load.Pipe).Accepted)); err != nil {
			return side.Measurement{}, err
		}
		for _, p := range pipes {
			if err := p.Go(); err != nil {
				return side.Measurement{}, err
			}
		}
		span, err := b.measured(s, l, &answered)
		if err != nil {
			return side.Measurement{}, err
		}
		for _, p := range pipes {
			p.Stopped = true
		}
		if err := l.Until(all(func(p *load.Pipe) bool { return p.Answered == p.Sent })); err != nil {
			return side.Measurement{}, err
		}
		return span.measurement(append([]float64{span.second()}, span.each()...)...),
			s.kept(l, rooms, func(i int) int { return int(per[i]) })
	}
}

// publishOne has one publisher, who waits for every answer.
func (b *bench) publishOne(s *site) (side.Measurement, error) {
	l, err := s.load(1)
	if err != nil {
		return side.Measurement{}, err
	}
	defer l.Close()
	rooms, err := s.rooms(l, 1)
	if err != nil {
		return side.Measurement{}, err
	}
	f := &flood{}
	if err := f.add(l, s.nodes[0], rooms[0], 0); err != nil {
		return side.Measurement{}, err
	}
	span, err := b.measured(s, l, &f.answered)
	if err != nil {
		return side.Measurement{}, err
	}
	return span.measurement(append([]float64{1e3 / span.second()}, span.each()...)...), nil
}
