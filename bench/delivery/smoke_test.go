package main

import (
	"strings"
	"testing"
	"time"

	"parley/bench/side"
	"parley/bench/side/sidetest"
)

// unsupported are the rows of which a peer can only say that it does not do that.
var unsupported = map[string]string{
	"nchan":      "poll-304,publish-ws,publish-ws-64,ballots,stalled",
	"centrifuge": "longpoll-1000,longpoll-4000,silent-longpoll,poll-304,publish-ws,publish-ws-64,ballots,stalled",
	"empty":      "fanout-ws,fanout-sse,latency,longpoll-1000,longpoll-4000,silent-ws,silent-sse,silent-longpoll,publish-http,publish-ws,publish-ws-64,ballots,channels,readers,stalled",
}

// TestRows runs every row for one tiny round. It judges no time: only that everything that was published came to
// everybody, as the load checks, and that the numbers are such as a server can have.
func TestRows(t *testing.T) {
	b := &bench{rounds: 1, warmup: 20 * time.Millisecond, time: 100 * time.Millisecond, shrink: 100, log: t.Output()}
	b.rows = rows(b)
	if err := b.prepare(peers); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if why := b.missing[p.Key]; why != "" {
			t.Fatalf("%s: %s", p.Key, why)
		}
	}
	r := b.measure()
	if err := r.Failure(); err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Lines {
		for _, p := range peers {
			none := strings.Contains(","+unsupported[p.Key]+",", ","+l.Row+",") || b.missing[p.Key] != ""
			v := l.Values[p.Key]
			switch {
			case none && v != nil:
				t.Errorf("%s, %s: %v, but it does not support that", l.Title, p.Key, v)
			case none:
			case len(v) != 1 || v[0] < 0 && l.Unit != "B" || v[0] > 1e9: // a process may give back more than so few readers cost
				t.Errorf("%s, %s: %v", l.Title, p.Key, v)
			}
		}
	}
	sidetest.Table(t, r)
}

// TestAPeerThatIsMissing must not keep the others from being measured.
func TestAPeerThatIsMissing(t *testing.T) {
	none := peer{side.Peer{Key: "none", Title: "none"}, buildOf("none"), startEmpty}
	var log strings.Builder
	b := &bench{rounds: 1, time: 50 * time.Millisecond, shrink: 16, log: &log}
	var err error
	if b.rows, err = side.Choose("row", rows(b), rowKey, "poll-304"); err != nil {
		t.Fatal(err)
	}
	if err := b.prepare([]peer{none, peers[3]}); err != nil {
		t.Fatal(err)
	}
	sidetest.NotAvailable(t, b.measure(), log.String(), "none is not available: ", "empty")
}
