package main

import (
	"fmt"
	"syscall"

	"parley/bench/delivery/load"
	"parley/bench/parley"
	"parley/bench/side"
)

// resync has many channels that are each read on the second node, stops that node, closes the connections by which nodes hear of each
// other, and publishes a message to each of the channels through the first. Then the node goes on: from there until all of them have come
// is measured. It must find out that it does not hear any more, listen anew, and ask what it missed.
func (b *bench) resync(s *site) (side.Measurement, error) {
	l, err := s.load(4)
	if err != nil {
		return side.Measurement{}, err
	}
	defer l.Close()
	rooms, err := s.nodes[0].Rooms(l, b.size(1000))
	if err != nil {
		return side.Measurement{}, err
	}
	publisher, deaf := s.nodes[0], s.nodes[1]
	l.Toward(deaf.Addr)
	if _, err := l.Readers(len(rooms), func(i int) *load.Reader {
		return &load.Reader{Dialect: deaf, Transport: load.WebSocket, Channel: rooms[i], Log: &load.Log{}, Who: i % len(deaf.People.Tokens)}
	}); err != nil {
		return side.Measurement{}, err
	}
	l.Toward(publisher.Addr)
	publish := func(number int64) error {
		data := load.NewData(0)
		data.Stamp(number, 0)
		_, err := l.Do(len(rooms), 201, func(i int) []byte {
			request, _ := publisher.Publish(rooms[i], 0, data)
			return request
		})
		return err
	}
	wait := func(each int) error {
		return l.Until(func() bool { return l.Delivered == int64(each*len(rooms)) })
	}
	if err := publish(1); err != nil {
		return side.Measurement{}, err
	}
	if err := wait(1); err != nil {
		return side.Measurement{}, err
	}
	if err := signal(deaf, syscall.SIGSTOP); err != nil {
		return side.Measurement{}, err
	}
	if killed, err := s.redis.do("CLIENT KILL TYPE pubsub"); err != nil || killed == "0" {
		return side.Measurement{}, fmt.Errorf("%s connections of publish/subscribe were closed: %w", killed, err)
	}
	if err := publish(2); err != nil {
		return side.Measurement{}, err
	}
	if l.Delivered != int64(len(rooms)) {
		return side.Measurement{}, fmt.Errorf("%d messages came from a node that was stopped", l.Delivered-int64(len(rooms)))
	}
	span, err := s.during(&l.Delivered, func() error {
		if err := signal(deaf, syscall.SIGCONT); err != nil {
			return err
		}
		return wait(2)
	})
	if err != nil {
		return side.Measurement{}, err
	}
	return span.measurement(append([]float64{span.wall.Seconds()}, span.each()...)...), nil
}

func signal(n *parley.Node, s syscall.Signal) error { return n.Process.Cmd.Process.Signal(s) }
