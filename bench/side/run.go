package side

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Run is what to measure.
type Run[S any] struct {
	Rows    []Row[S]
	Peers   []Peer
	Missing map[string]string // by peer: why it cannot take part
	Rounds  int
	Seconds float64                                 // that a measurement takes, to be told
	Legend  string                                  // what the table's cells say
	With    func(Peer, Row[S], func(S) error) error // runs a function against a fresh process of the peer
	Log     io.Writer
}

// Measure makes all measurements, peers in turn. What fails is told at once, does not keep others from being measured, and is in
// Results.Failure.
func (r Run[S]) Measure() *Results {
	all := &Results{Begun: time.Now(), Rounds: r.Rounds, Seconds: r.Seconds, Machine: machine(), peers: r.Peers, missing: r.Missing, legend: r.Legend}
	for _, row := range r.Rows {
		lines := linesOf(row.Key, row.Lines)
		all.Lines = append(all.Lines, lines...)
		turn := &turns[S]{Run: r, row: row, lines: lines, out: map[string]bool{}, all: all}
		for key, why := range r.Missing {
			turn.out[key] = true
			for _, l := range lines {
				l.Absent[key] = why
			}
		}
		if row.Prepare != nil {
			for _, p := range r.Peers {
				turn.attempt(p, row.Prepare)
			}
		}
		for round := range r.Rounds {
			for i := range r.Peers {
				p := r.Peers[(round+i)%len(r.Peers)]
				turn.attempt(p, func(s S) error { return turn.measure(p, round, s) })
			}
		}
	}
	all.Took = time.Since(all.Begun).Round(time.Second).String()
	return all
}

// turns are the measurements of one row.
type turns[S any] struct {
	Run[S]
	row   Row[S]
	lines []*LineResult
	out   map[string]bool // peers that have failed
	all   *Results
}

func (t *turns[S]) attempt(p Peer, f func(S) error) {
	if t.out[p.Key] {
		return
	}
	err := t.With(p, t.row, f)
	if err == nil {
		return
	}
	t.out[p.Key] = true
	fmt.Fprintf(t.Log, "%-20s %-14s %v\n", t.row.Key, p.Title, err)
	for _, l := range t.lines {
		l.Absent[p.Key] = err.Error()
		delete(l.Values, p.Key)
	}
	if !errors.Is(err, ErrUnsupported) {
		t.all.failures = append(t.all.failures, fmt.Errorf("%s, %s: %w", t.row.Key, p.Title, err))
	}
}

func (t *turns[S]) measure(p Peer, round int, s S) error {
	m, err := t.row.Run(s)
	if err != nil {
		return err
	}
	for i, l := range t.lines {
		l.Values[p.Key] = append(l.Values[p.Key], m.Values[i])
		l.Rates[p.Key] = append(l.Rates[p.Key], m.Rate)
		l.Busy[p.Key] = append(l.Busy[p.Key], m.Busy)
	}
	fmt.Fprintf(t.Log, "%-20s %-14s round %d  %s %s", t.row.Key, p.Title, round+1, number(m.Values[0]), t.lines[0].Unit)
	if m.Busy > 0 {
		fmt.Fprintf(t.Log, ", the server busy for %.0f%% of the time", 100*m.Busy)
	}
	if m.Load > 0 {
		fmt.Fprintf(t.Log, ", the load for %.0f%%", 100*m.Load)
	}
	fmt.Fprintln(t.Log)
	return nil
}
