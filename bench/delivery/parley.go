package main

import (
	"os"

	"parley/bench/delivery/load"
	"parley/bench/parley"
)

// ours is Parley, spoken to as the other peers are.
type ours struct{ *parley.Node }

// startParley starts the server; the log lies on the disk that this repository is on.
func startParley(b *bench, program string) (*server, error) {
	data, err := os.MkdirTemp(b.at.Cache, "data-")
	if err != nil {
		return nil, err
	}
	tidy := func() { _ = os.RemoveAll(data) }
	n, err := parley.Start(b.core, program, "--data", data)
	if err != nil {
		tidy()
		return nil, err
	}
	return &server{site: ours{n}, process: n.Process, pid: n.Process.PID(), addr: n.Addr, tidy: tidy}, nil
}

// Begin: a stream says where it begins before anything can be published that it must get; a long poll says nothing.
func (o ours) Begin(l *load.Load, channel string, how load.Transport) ([]byte, error) {
	if how != load.LongPoll {
		return nil, nil
	}
	return o.End(l, channel)
}

func (o ours) People(l *load.Load, n int) error               { return o.Enter(l, n) }
func (o ours) Channels(l *load.Load, n int) ([]string, error) { return o.Rooms(l, n) }

func (o ours) Publish(channel string, who int, data load.Data) request {
	bytes, in := o.Node.Publish(channel, who, data)
	return request{bytes, in}
}
