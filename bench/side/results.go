package side

import (
	"errors"
	"slices"
	"time"
)

// Results are all values of a run, as -json writes them.
type Results struct {
	Begun   time.Time     `json:"begun"`
	Took    string        `json:"took"`
	Machine string        `json:"machine"`
	Rounds  int           `json:"rounds"`
	Seconds float64       `json:"seconds"`
	Lines   []*LineResult `json:"lines"`

	legend   string
	peers    []Peer
	missing  map[string]string
	failures []error
}

// Failure is what could not be measured, nil if all was.
func (r *Results) Failure() error { return errors.Join(r.failures...) }

// LineResult has a line's values by peer, one for each round.
type LineResult struct {
	line    Line
	Row     string               `json:"row"`
	Title   string               `json:"title"`
	Unit    string               `json:"unit"`
	Values  map[string][]float64 `json:"values"`
	Rates   map[string][]float64 `json:"messages_per_second"`
	Busy    map[string][]float64 `json:"busy"`   // the part of the time that the server computed
	Absent  map[string]string    `json:"absent"` // why a peer has no values
	Targets []Verdict            `json:"targets"`
}

func linesOf(row string, lines []Line) []*LineResult {
	var all []*LineResult
	for _, l := range lines {
		all = append(all, &LineResult{line: l, Row: row, Title: l.Title, Unit: l.Unit, Values: map[string][]float64{},
			Rates: map[string][]float64{}, Busy: map[string][]float64{}, Absent: map[string]string{}})
	}
	return all
}

// Verdict is a target beside what was measured.
type Verdict struct {
	Form   string  `json:"form"`
	Of     string  `json:"of"` // the peer compared with, "" for none
	Best   string  `json:"best,omitempty"`
	Target float64 `json:"target"`
	Aim    bool    `json:"aim"`
	Is     Spread  `json:"is"`
	Judged bool    `json:"judged"` // false: something was not measured
	Held   bool    `json:"held"`
}

// Spread is what several rounds say.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(values []float64) Spread {
	v := slices.Sorted(slices.Values(values))
	median := v[len(v)/2]
	if len(v)%2 == 0 {
		median = (v[len(v)/2-1] + median) / 2
	}
	return Spread{median, v[0], v[len(v)-1]}
}

// judge compares the forms of ours that were measured with the line's targets.
func (l *LineResult) judge(all []Peer) []Verdict {
	var verdicts []Verdict
	for _, p := range all {
		for _, t := range l.line.Targets {
			if p.Ours && (t.Form == "" || t.Form == p.Key) {
				verdicts = append(verdicts, l.verdict(p, t, all))
			}
		}
	}
	return verdicts
}

func (l *LineResult) verdict(p Peer, t Target, all []Peer) Verdict {
	v := Verdict{Form: p.Key, Of: t.Of, Target: t.Factor, Aim: t.Aim}
	ours, reference := l.Values[p.Key], l.Values[t.Of]
	if t.Of == "best" || t.Of == "best Go" {
		v.Best = l.best(all, t.Of == "best")
		reference = l.Values[v.Best]
	}
	if len(ours) == 0 || t.Of != "" && len(reference) == 0 {
		return v
	}
	ratios := slices.Clone(ours)
	if t.Of != "" {
		for i := range ratios { // within a round, so that what disturbed a round disturbs both
			ratios[i] /= reference[i]
		}
	}
	v.Judged, v.Is = true, spreadOf(ratios)
	v.Held = v.Is.Median <= t.Factor
	if l.line.More {
		v.Held = v.Is.Median >= t.Factor
	}
	return v
}

// best names the peer, not one of ours, with the best median.
func (l *LineResult) best(all []Peer, any bool) string {
	best, median := "", 0.0
	for _, p := range all {
		values := l.Values[p.Key]
		if len(values) == 0 || p.Ours || p.Other && !any {
			continue
		}
		if m := spreadOf(values).Median; best == "" || (l.line.More && m > median) || (!l.line.More && m < median) {
			best, median = p.Key, m
		}
	}
	return best
}
