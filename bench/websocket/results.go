package main

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results are all values of a run, as -json writes them.
type results struct {
	Begun   time.Time     `json:"begun"`
	Took    string        `json:"took"`
	Machine string        `json:"machine"`
	Rounds  int           `json:"rounds"`
	Seconds float64       `json:"seconds"`
	Lines   []*lineResult `json:"lines"`

	peers    []peer
	missing  map[string]string
	failures []error
}

func (r *results) failure() error { return errors.Join(r.failures...) }

// lineResult has a line's values by peer, one for each round.
type lineResult struct {
	line    line
	Row     string               `json:"row"`
	Title   string               `json:"title"`
	Unit    string               `json:"unit"`
	Values  map[string][]float64 `json:"values"`
	Rates   map[string][]float64 `json:"messages_per_second"`
	Busy    map[string][]float64 `json:"busy"`   // the part of the time that the server computed
	Absent  map[string]string    `json:"absent"` // why a peer has no values
	Targets []verdict            `json:"targets"`
}

// verdict is a target beside what was measured.
type verdict struct {
	Form   string  `json:"form"`
	Of     string  `json:"of"` // the peer compared with, "" for none
	Best   string  `json:"best,omitempty"`
	Target float64 `json:"target"`
	Aim    bool    `json:"aim"`
	Is     spread  `json:"is"`
	Judged bool    `json:"judged"` // false: something was not measured
	Held   bool    `json:"held"`
}

// spread is what several rounds say.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(values []float64) spread {
	v := slices.Sorted(slices.Values(values))
	median := v[len(v)/2]
	if len(v)%2 == 0 {
		median = (v[len(v)/2-1] + median) / 2
	}
	return spread{median, v[0], v[len(v)-1]}
}

// judge compares the forms of ours that were measured with the line's targets.
func (l *lineResult) judge(all []peer) []verdict {
	var verdicts []verdict
	for _, p := range all {
		for _, t := range l.line.targets {
			if p.ours && (t.form == "" || t.form == p.key) {
				verdicts = append(verdicts, l.verdict(p, t, all))
			}
		}
	}
	return verdicts
}

func (l *lineResult) verdict(p peer, t target, all []peer) verdict {
	v := verdict{Form: p.key, Of: t.of, Target: t.factor, Aim: t.aim}
	ours, reference := l.Values[p.key], l.Values[t.of]
	if t.of == "best" || t.of == "best Go" {
		v.Best = l.best(all, t.of == "best")
		reference = l.Values[v.Best]
	}
	if len(ours) == 0 || t.of != "" && len(reference) == 0 {
		return v
	}
	ratios := slices.Clone(ours)
	if t.of != "" {
		for i := range ratios { // within a round, so that what disturbed a round disturbs both
			ratios[i] /= reference[i]
		}
	}
	v.Judged, v.Is = true, spreadOf(ratios)
	v.Held = v.Is.Median <= t.factor
	if l.line.more {
		v.Held = v.Is.Median >= t.factor
	}
	return v
}

// best names the peer, not one of ours, with the best median.
func (l *lineResult) best(all []peer, any bool) string {
	best, median := "", 0.0
	for _, p := range all {
		values := l.Values[p.key]
		if len(values) == 0 || p.ours || p.other && !any {
			continue
		}
		if m := spreadOf(values).Median; best == "" || (l.line.more && m > median) || (!l.line.more && m < median) {
			best, median = p.key, m
		}
	}
	return best
}

// machine describes where this runs.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	load, _ := os.ReadFile("/proc/loadavg")
	before, _, _ := strings.Cut(string(load), " ")
	return model + ", Linux " + strings.TrimSpace(string(kernel)) + ", " + runtime.Version() + ", load average before " + before
}
