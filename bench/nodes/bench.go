package main

import (
	"io"
	"time"

	"parley/bench/parley"
	"parley/bench/side"
)

// row is one kind of work with a running site.
type row = side.Row[*site]

func rowKey(r row) string { return r.Key }

// bench is one run of the command.
type bench struct {
	rows   []row
	rounds int
	warmup time.Duration
	time   time.Duration // of a measurement
	shrink int           // divides the numbers of readers and messages, for a test
	binary string        // a built parley, "" to build it
	log    io.Writer

	at side.Places
}

// size is how many there shall be of what a row wants n of.
func (b *bench) size(n int) int { return max(n/b.shrink, 4) }

// The peers: two nodes, and Redis alone, spoken to as nodes can at best: with many commands in each write, or one by one.
const (
	nodes     = "nodes"
	plain     = "plain"
	pipelined = "plain-16"
)

var peers = []side.Peer{
	{Key: nodes, Title: "two nodes", Ours: true},
	{Key: plain, Title: "XADD + PUBLISH", Other: true},
	{Key: pipelined, Title: "XADD + PUBLISH, 16 in flight", Other: true},
}

// prepare builds the server.
func (b *bench) prepare() (err error) {
	if b.at, err = side.FindPlaces("bench-nodes"); err != nil {
		return err
	}
	b.binary, err = parley.Build(b.at, b.binary)
	return err
}

// measure makes all measurements.
func (b *bench) measure() *side.Results {
	return side.Run[*site]{
		Rows: b.rows, Peers: peers, Rounds: b.rounds, Seconds: b.time.Seconds(), Log: b.log,
		Legend: "Each: median, (least–most). µs: CPU time for each.",
		With: func(p side.Peer, r row, f func(*site) error) error {
			if p.Key != nodes && !comparable(r) {
				return side.ErrUnsupported
			}
			s, err := b.start(p.Key)
			if err != nil {
				return err
			}
			defer s.stop()
			return f(s)
		},
	}.Measure()
}

// comparable says whether a row has something that Redis does alone.
func comparable(r row) bool {
	for _, l := range r.Lines {
		for _, t := range l.Targets {
			if t.Of != "" {
				return true
			}
		}
	}
	return false
}
