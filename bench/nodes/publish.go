package main

import (
	"parley/bench/delivery/load"
	"parley/bench/parley"
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
	rooms, err := s.nodes[0].Rooms(l, 1)
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
	return span.rate(),
		s.kept(l, rooms, func(int) int { return int(f.answered) })
}

// flood are publishers over HTTP.
type flood struct {
	answered int64
	busy     int
	stopped  bool
}

// add opens a publisher's connection to a node, and publishes its first message.
func (f *flood) add(l *load.Load, n *parley.Node, channel string, who int) error {
	l.Toward(n.Addr)
	caller, err := l.Caller()
	if err != nil {
		return err
	}
	request, data := n.Publish(channel, who, load.NewData(who))
	count := int64(0)
	next := func() error {
		count++
		data.Stamp(count, 0)
		return caller.Call(request)
	}
	caller.Answer = func(h *load.Head, body []byte) error {
		if err := n.Published(h, body); err != nil {
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
		rooms, err := s.nodes[0].Rooms(l, count)
		if err != nil {
			return side.Measurement{}, err
		}
		var answered int64
		per := make([]int64, count)
		var pipes []*load.Pipe
		for i := range people {
			room := i % count
			p, err := s.of(i).Pipe(l, rooms[room], i, window, func(n int) {
				answered, per[room] = answered+int64(n), per[room]+int64(n)
			})
			if err != nil {
				return side.Measurement{}, err
			}
			pipes = append(pipes, p)
		}
		if err := l.Begin(pipes); err != nil {
			return side.Measurement{}, err
		}
		span, err := b.measured(s, l, &answered)
		if err != nil {
			return side.Measurement{}, err
		}
		if err := l.Finish(pipes); err != nil {
			return side.Measurement{}, err
		}
		return span.rate(),
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
	rooms, err := s.nodes[0].Rooms(l, 1)
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
