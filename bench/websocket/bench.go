package main

import (
	"io"

	"parley/bench/side"
	"parley/bench/websocket/load"
)

// bench is one run of the command.
type bench struct {
	rows       []workload
	rounds     int
	times      load.Times
	idle       int
	serverCore string
	log        io.Writer

	peers    []peer
	commands map[string][]string // by peer
	missing  map[string]string   // by peer: why it cannot take part
	halfLoad float64             // messages a second for the latency
}

// prepare builds the peers. One that cannot be had is told of, and the others go on.
func (b *bench) prepare(chosen []peer) error {
	at, err := side.FindPlaces("bench-websocket")
	if err != nil {
		return err
	}
	b.peers = chosen
	b.commands, b.missing, err = side.Build(chosen, b.log, func(p peer) (side.Peer, []string, error) {
		command, err := p.build(at)
		return p.Peer, command, err
	})
	return err
}

// measure makes all measurements.
func (b *bench) measure() *side.Results {
	run := side.Run[*server]{
		Missing: b.missing, Rounds: b.rounds, Seconds: b.times.Measure.Seconds(), Log: b.log,
		Legend: "µs: the server's CPU time per message. Each: median, (least–most), messages a second.",
	}
	modes := map[string]string{}
	for _, p := range b.peers {
		run.Peers = append(run.Peers, p.Peer)
	}
	for _, w := range b.rows {
		modes[w.key] = w.deflate
		row := side.Row[*server]{Key: w.key, Lines: w.lines, Run: func(s *server) (side.Measurement, error) { return w.run(b, s) }}
		if w.prepare != nil {
			row.Prepare = func(s *server) error { return w.prepare(b, s) }
		}
		run.Rows = append(run.Rows, row)
	}
	run.With = func(p side.Peer, row side.Row[*server], f func(*server) error) error {
		s, err := start(b.commands[p.Key], modes[row.Key], b.serverCore)
		if err != nil {
			return err
		}
		defer s.Stop()
		return f(s)
	}
	return run.Measure()
}
