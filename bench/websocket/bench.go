package main

import (
	"errors"
	"fmt"
	"io"
	"time"

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
	at, err := findPlaces()
	if err != nil {
		return err
	}
	b.peers, b.commands, b.missing = chosen, map[string][]string{}, map[string]string{}
	for _, p := range chosen {
		command, err := p.build(at)
		if err != nil {
			b.missing[p.key] = err.Error()
			fmt.Fprintf(b.log, "%s is not available: %v\n", p.title, err)
			continue
		}
		b.commands[p.key] = command
	}
	if len(b.commands) == 0 {
		return errors.New("no peer is available")
	}
	return nil
}

// measure makes all measurements, peers in turn, each round beginning with another one.
func (b *bench) measure() *results {
	all := &results{Begun: time.Now(), Rounds: b.rounds, Seconds: b.times.Measure.Seconds(), Machine: machine(), peers: b.peers, missing: b.missing}
	for _, w := range b.rows {
		var lines []*lineResult
		for _, l := range w.lines {
			lines = append(lines, &lineResult{line: l, Row: w.key, Title: l.title, Unit: l.unit, Values: map[string][]float64{}, Rates: map[string][]float64{}, Busy: map[string][]float64{}, Absent: map[string]string{}})
		}
		all.Lines = append(all.Lines, lines...)
		out := map[string]bool{}
		for key, why := range b.missing {
			out[key] = true
			for _, l := range lines {
				l.Absent[key] = why
			}
		}
		attempt := func(p peer, f func(*server) error) {
			if out[p.key] {
				return
			}
			err := b.with(p, w.deflate, f)
			if err == nil {
				return
			}
			out[p.key] = true
			fmt.Fprintf(b.log, "%-20s %-14s %v\n", w.key, p.title, err)
			for _, l := range lines {
				l.Absent[p.key] = err.Error()
				delete(l.Values, p.key)
			}
			if !errors.Is(err, load.ErrUnsupported) {
				all.failures = append(all.failures, fmt.Errorf("%s, %s: %w", w.key, p.title, err))
			}
		}
		if w.prepare != nil {
			for _, p := range b.peers {
				attempt(p, func(s *server) error { return w.prepare(b, s) })
			}
		}
		for round := range b.rounds {
			for i := range b.peers {
				p := b.peers[(round+i)%len(b.peers)]
				attempt(p, func(s *server) error {
					m, err := w.run(b, s)
					if err != nil {
						return err
					}
					for i, l := range lines {
						l.Values[p.key] = append(l.Values[p.key], m.values[i])
						l.Rates[p.key] = append(l.Rates[p.key], m.rate)
						l.Busy[p.key] = append(l.Busy[p.key], m.busy)
					}
					fmt.Fprintf(b.log, "%-20s %-14s round %d  %s %s", w.key, p.title, round+1, number(m.values[0]), w.lines[0].unit)
					if m.busy > 0 {
						fmt.Fprintf(b.log, ", the server busy for %.0f%% of the time", 100*m.busy)
					}
					fmt.Fprintln(b.log)
					return nil
				})
			}
		}
	}
	all.Took = time.Since(all.Begun).Round(time.Second).String()
	return all
}

// with runs f against a fresh process of the peer.
func (b *bench) with(p peer, deflate string, f func(*server) error) error {
	s, err := start(b.commands[p.key], deflate, b.serverCore)
	if err != nil {
		return err
	}
	defer s.stop()
	return f(s)
}
