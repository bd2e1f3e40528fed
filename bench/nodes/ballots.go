package main

import (
	"slices"

	"parley/bench/delivery/load"
	"parley/bench/parley"
	"parley/bench/side"
)

// ballots has people who change their minds as fast as they can, half of them on each node; on each somebody watches the tally. It may
// not go backwards, all must end with the last one, and it must count every voter once.
func (b *bench) ballots(s *site) (side.Measurement, error) {
	conns := b.size(flooding)
	l, err := s.load(conns * parley.VotersOfOne)
	if err != nil {
		return side.Measurement{}, err
	}
	defer l.Close()
	vote, err := s.nodes[0].NewVote(l)
	if err != nil {
		return side.Measurement{}, err
	}
	versions := make([]int64, len(s.nodes)) // that the one who watches there has seen
	for i, n := range s.nodes {
		l.Toward(n.Addr)
		if _, err := l.Readers(1, func(int) *load.Reader {
			return &load.Reader{Dialect: n, Transport: load.WebSocket, Channel: vote.Channel,
				Content: func(_ *load.Reader, batch []byte) (err error) {
					versions[i], err = parley.Newest(versions[i], batch)
					return err
				}}
		}); err != nil {
			return side.Measurement{}, err
		}
	}
	voters := parley.Voters{Load: l, Vote: vote}
	for i := range conns {
		if err := voters.Add(s.of(i)); err != nil {
			return side.Measurement{}, err
		}
	}
	span, err := b.measured(s, l, &voters.Answered)
	if err != nil {
		return side.Measurement{}, err
	}
	if err := voters.Finish(); err != nil {
		return side.Measurement{}, err
	}
	var last int64
	for _, n := range s.nodes {
		if last, err = n.Counted(l, vote, voters.People()); err != nil {
			return side.Measurement{}, err
		}
	}
	return span.rate(), l.Until(func() bool {
		return !slices.ContainsFunc(versions, func(v int64) bool { return v != last })
	})
}
