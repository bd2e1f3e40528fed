package side

import (
	"math"
	"testing"
)

var peers = []Peer{{Key: "parley", Ours: true}, {Key: "parley-events", Ours: true}, {Key: "gorilla"}, {Key: "gws"}, {Key: "uwebsockets", Other: true}}

func result(more bool, targets ...Target) *LineResult {
	return &LineResult{
		line: Line{More: more, Targets: targets},
		Values: map[string][]float64{
			"parley":      {4, 5, 6},
			"gorilla":     {8, 20, 10},
			"gws":         {10, 10, 10},
			"uwebsockets": {5, 4, 5},
		},
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name   string
		more   bool
		target Target
		median float64
		best   string
		held   bool
	}{
		{"a peer, ratios within each round", false, Must(0.5, "gorilla"), 0.5, "", true},
		{"a peer, missed", false, Must(0.49, "gorilla"), 0.5, "", false},
		{"the best of all", false, Must(1.2, "best"), 1.2, "uwebsockets", true},
		{"the best in Go", false, Must(0.4, "best Go"), 0.5, "gorilla", false},
		{"a number", false, Target{Factor: 5}, 5, "", true},
		{"more is better", true, Must(0.6, "best"), 0.5, "gorilla", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := result(c.more, c.target).judge(peers)
			if len(all) != 2 || all[1].Form != "parley-events" || all[1].Judged {
				t.Fatalf("the form that was not measured is judged: %+v", all)
			}
			v := all[0]
			if !v.Judged || v.Held != c.held || v.Best != c.best || math.Abs(v.Is.Median-c.median) > 1e-9 {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 0.0123: "0.012", 0.4: "0.400", -0.0123: "-0.012", 6.314: "6.31", 15.96: "16.0", 721.4: "721", 14972.3: "14,972", 1792220: "1,792,220"} {
		if got := number(f); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}
