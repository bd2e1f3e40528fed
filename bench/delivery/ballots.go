package main

import (
	"slices"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/parley"
	"parley/bench/side"
)

// ballots has people who change their minds as fast as they can, and others who watch the tally. Nobody's tally may go
// backwards, all must end with the last one, and it must count every voter once.
func (b *bench) ballots(s *server) (side.Measurement, error) {
	site, is := s.site.(ours)
	if !is {
		return side.Measurement{}, side.ErrUnsupported
	}
	conns := b.size(64)
	c, err := gather(s, conns*parley.VotersOfOne, 0)
	if err != nil {
		return side.Measurement{}, err
	}
	defer c.Close()
	vote, err := site.NewVote(c.Load)
	if err != nil {
		return side.Measurement{}, err
	}
	versions := make([]int64, b.size(1000)) // that each has seen
	var tallies int64
	_, err = c.Readers(len(versions), func(i int) *load.Reader {
		return &load.Reader{Dialect: s, Transport: load.WebSocket, Channel: vote.Channel, Who: i % c.people,
			Content: func(_ *load.Reader, batch []byte) (err error) {
				tallies++
				versions[i], err = parley.Newest(versions[i], batch)
				return err
			}}
	})
	if err != nil {
		return side.Measurement{}, err
	}
	voters := parley.Voters{Load: c.Load, Vote: vote}
	for range conns {
		if err := voters.Add(site.Node); err != nil {
			return side.Measurement{}, err
		}
	}
	begun, had := time.Now(), tallies
	span, err := b.measured(s, c.Load, &voters.Answered)
	if err != nil {
		return side.Measurement{}, err
	}
	m := span.rate()
	m.Values = append(m.Values, float64(tallies-had)/float64(len(versions))/time.Since(begun).Seconds())
	if err := voters.Finish(); err != nil {
		return side.Measurement{}, err
	}
	last, err := site.Counted(c.Load, vote, voters.People())
	if err != nil {
		return side.Measurement{}, err
	}
	return m, c.Until(func() bool {
		return !slices.ContainsFunc(versions, func(v int64) bool { return v != last })
	})
}
