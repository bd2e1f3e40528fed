package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"parley/bench/delivery/load"
	"parley/bench/side"
)

// ballots has people who change their minds as fast as they can, half of them on each node; on each somebody watches the tally. It may
// not go backwards, all must end with the last one, and it must count every voter once.
func (b *bench) ballots(s *site) (side.Measurement, error) {
	const each = 4 // voters of a connection
	conns := b.size(flooding)
	l, err := s.load(conns * each)
	if err != nil {
		return side.Measurement{}, err
	}
	defer l.Close()
	bodies, err := l.Do(1, 201, func(int) []byte {
		return s.nodes[0].post("POST", "/v1/votes", 0, `{"question":"Which?","options":["one","other"]}`)
	})
	if err != nil {
		return side.Measurement{}, err
	}
	var vote struct{ Code, Channel string }
	if err := json.Unmarshal(bodies[0], &vote); err != nil {
		return side.Measurement{}, err
	}
	versions := make([]int64, len(s.nodes)) // that the one who watches there has seen
	for i, n := range s.nodes {
		l.Toward(n.addr)
		if _, err := l.Readers(1, func(int) *load.Reader {
			return &load.Reader{Dialect: n, Transport: load.WebSocket, Channel: vote.Channel,
				Content: func(_ *load.Reader, batch []byte) (err error) {
					versions[i], err = newest(versions[i], batch)
					return err
				}}
		}); err != nil {
			return side.Measurement{}, err
		}
	}
	var answered int64
	stopped, busy := false, conns
	for i := range conns {
		n := s.of(i)
		l.Toward(n.addr)
		caller, err := l.Caller()
		if err != nil {
			return side.Measurement{}, err
		}
		turn := 0
		cast := func() error {
			who, option := i*each+turn%each, 1+turn/each%2
			turn++
			return caller.Call(n.post("PUT", "/v1/votes/"+vote.Code+"/ballot", who, `{"options":[`+strconv.Itoa(option)+`]}`))
		}
		caller.Answer = func(h *load.Head, body []byte) error {
			if h.Status != 200 {
				return fmt.Errorf("a ballot was answered %d: %s", h.Status, body)
			}
			answered++
			if stopped && turn >= each {
				busy--
				return nil
			}
			return cast()
		}
		if err := cast(); err != nil {
			return side.Measurement{}, err
		}
	}
	span, err := b.measured(s, l, &answered)
	if err != nil {
		return side.Measurement{}, err
	}
	stopped = true
	if err := l.Until(func() bool { return busy == 0 }); err != nil {
		return side.Measurement{}, err
	}
	var last int64
	for _, n := range s.nodes {
		if last, err = n.counted(l, vote.Code, conns*each); err != nil {
			return side.Measurement{}, err
		}
	}
	return span.measurement(append([]float64{span.second()}, span.each()...)...), l.Until(func() bool {
		return !slices.ContainsFunc(versions, func(v int64) bool { return v != last })
	})
}

// newest is the version of the last tally in a batch, which must not be older than the one seen before.
func newest(seen int64, batch []byte) (int64, error) {
	for {
		_, rest, ok := bytes.Cut(batch, []byte(`"version":`))
		if !ok {
			return seen, nil
		}
		end := max(bytes.IndexAny(rest, ",}"), 0)
		v, err := strconv.ParseInt(string(rest[:end]), 10, 64)
		if err != nil || v < seen {
			return seen, fmt.Errorf("after the tally of version %d came %.40q", seen, rest)
		}
		seen, batch = v, rest
	}
}

// counted is the version of a vote, in which so many must have voted.
func (n *node) counted(l *load.Load, code string, voters int) (int64, error) {
	l.Toward(n.addr)
	bodies, err := l.Do(1, 200, func(int) []byte { return n.get("/v1/votes/"+code, 0, "") })
	if err != nil {
		return 0, err
	}
	var v struct {
		Version int64
		Voters  int
		Options []struct{ Count int }
	}
	if err := json.Unmarshal(bodies[0], &v); err != nil {
		return 0, err
	}
	sum := 0
	for _, o := range v.Options {
		sum += o.Count
	}
	if sum != voters || v.Voters != voters {
		return 0, fmt.Errorf("%d people voted; %d voters and %d ballots are counted", voters, v.Voters, sum)
	}
	return v.Version, nil
}
