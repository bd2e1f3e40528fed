package main

import (
	"io"
	"time"

	"parley/bench/side"
)

// row is one kind of work with a running server.
type row = side.Row[*server]

func rowKey(r row) string { return r.Key }

// bench is one run of the command.
type bench struct {
	rows    []row
	rounds  int
	warmup  time.Duration
	time    time.Duration // of a measurement
	shrink  int           // divides the numbers of readers and messages, for a test
	core    string        // the servers'
	binary  string        // a built parley, "" to build it
	install bool          // peers that are system packages may be installed
	log     io.Writer

	at       side.Places
	peers    []peer
	programs map[string]string // by peer
	missing  map[string]string // by peer: why it cannot take part
}

// size is how many there shall be of what a row wants n of.
func (b *bench) size(n int) int { return max(n/b.shrink, 4) }

// prepare builds the peers. One that cannot be had is told of, and the others go on.
func (b *bench) prepare(chosen []peer) (err error) {
	if b.at, err = side.FindPlaces("bench-delivery"); err != nil {
		return err
	}
	b.peers = chosen
	b.programs, b.missing, err = side.Build(chosen, b.log, func(p peer) (side.Peer, string, error) {
		program, err := p.build(b)
		return p.Peer, program, err
	})
	return err
}

// measure makes all measurements.
func (b *bench) measure() *side.Results {
	run := side.Run[*server]{
		Rows: b.rows, Missing: b.missing, Rounds: b.rounds, Seconds: b.time.Seconds(), Log: b.log,
		Legend: "µs: the server's CPU time for each. Each: median, (least–most), how many a second.",
	}
	starts := map[string]func(*bench, string) (*server, error){}
	for _, p := range b.peers {
		run.Peers = append(run.Peers, p.Peer)
		starts[p.Key] = p.start
	}
	run.With = func(p side.Peer, _ row, f func(*server) error) error {
		s, err := starts[p.Key](b, b.programs[p.Key])
		if err != nil {
			return err
		}
		defer s.stop()
		return f(s)
	}
	return run.Measure()
}
