package main

import (
	"strings"
	"testing"
	"time"

	"parley/bench/side/sidetest"
)

// TestRows runs every row for one tiny round. It judges no time: only that what was published came to everybody, as the load
// checks, and that the numbers are such as a site can have.
func TestRows(t *testing.T) {
	b := &bench{rounds: 1, warmup: 20 * time.Millisecond, time: 100 * time.Millisecond, shrink: 100, log: t.Output()}
	b.rows = rows(b)
	if err := b.prepare(); err != nil {
		t.Fatal(err)
	}
	r := b.measure()
	if err := r.Failure(); err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Lines {
		for _, p := range peers {
			v := l.Values[p.Key]
			switch {
			case p.Key != nodes && !strings.HasPrefix(l.Row, "publish-"), p.Key != nodes && l.Row == "publish-one":
				if v != nil {
					t.Errorf("%s, %s: %v, but it does not do that", l.Title, p.Title, v)
				}
			case len(v) != 1 || v[0] < 0 && l.Row != "delivery" || v[0] > 1e9: // the other node may be the first
				t.Errorf("%s, %s: %v", l.Title, p.Title, v)
			}
		}
	}
	sidetest.Table(t, r)
}

// TestCommandsAreCounted: those of clients and those of scripts, and not what asks for them.
func TestCommandsAreCounted(t *testing.T) {
	r, err := startRedis(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	count := func() (all, scripts int64) {
		t.Helper()
		all, scripts, err := r.commands()
		if err != nil {
			t.Fatal(err)
		}
		return all, scripts
	}
	all, scripts := count()
	for _, command := range []string{"SET a 1", `EVAL "redis.call('GET','a') redis.call('DEL','a')" 0`} {
		if answer, err := r.do(command); err != nil {
			t.Fatal(answer, err)
		}
	}
	allAfter, scriptsAfter := count()
	if allAfter-all != 4 || scriptsAfter-scripts != 1 {
		t.Errorf("%d commands and %d scripts were counted, not 4 and 1", allAfter-all, scriptsAfter-scripts)
	}
}
