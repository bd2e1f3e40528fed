package main

import (
	"strings"
	"testing"
	"time"

	"parley/bench/side"
	"parley/bench/side/sidetest"
	"parley/bench/websocket/load"
)

// TestRows runs every row for one tiny round. It judges no time: only that all that was sent came back, as the load
// checks, and that the numbers are such as a server can have.
func TestRows(t *testing.T) {
	chosen, err := side.Choose("peer", peers, peerKey, "parley,parley-events,gorilla")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		rows: workloads, rounds: 1, idle: 500,
		times: load.Times{Warmup: 20 * time.Millisecond, Measure: 100 * time.Millisecond},
		log:   t.Output(),
	}
	if err := b.prepare(chosen); err != nil {
		t.Fatal(err)
	}
	for _, p := range chosen {
		if why := b.missing[p.Key]; why != "" {
			t.Fatalf("%s: %s", p.Key, why)
		}
	}
	r := b.measure()
	if err := r.Failure(); err != nil {
		t.Fatal(err)
	}
	unsupported := map[string]bool{"deflate-takeover/gorilla": true}
	for _, l := range r.Lines {
		for _, p := range chosen {
			if unsupported[l.Row+"/"+p.Key] {
				if l.Values[p.Key] != nil {
					t.Errorf("%s, %s: %v, but it does not support that", l.Title, p.Key, l.Values[p.Key])
				}
				continue
			}
			if v := l.Values[p.Key]; len(v) != 1 || v[0] <= 0 || v[0] > 1e6 {
				t.Errorf("%s, %s: %v", l.Title, p.Key, v)
			}
		}
	}
	sidetest.Table(t, r)
}

// TestAPeerThatIsMissing must not keep the others from being measured.
func TestAPeerThatIsMissing(t *testing.T) {
	none := peer{side.Peer{Key: "none", Title: "none"}, "none"}
	rows, err := side.Choose("row", workloads, workloadKey, "echo-64")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	b := &bench{rows: rows, rounds: 1, times: load.Times{Warmup: time.Millisecond, Measure: 50 * time.Millisecond}, log: &log}
	if err := b.prepare([]peer{none, peers[2]}); err != nil {
		t.Fatal(err)
	}
	sidetest.NotAvailable(t, b.measure(), log.String(), "none is not available: it has no server program yet", "gorilla")
}
