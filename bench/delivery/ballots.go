package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/side"
)

// ballots has people who change their minds as fast as they can, and others who watch the tally. Nobody's tally may go
// backwards, all must end with the last one, and it must count every voter once.
func (b *bench) ballots(s *server) (side.Measurement, error) {
	site, ours := s.site.(*parley)
	if !ours {
		return side.Measurement{}, side.ErrUnsupported
	}
	const each = 4 // voters of a connection
	conns := b.size(64)
	c, err := gather(s, conns*each, 0)
	if err != nil {
		return side.Measurement{}, err
	}
	defer c.Close()
	bodies, err := c.Do(1, 201, func(int) []byte {
		return site.post("POST", "/v1/votes", 0, `{"question":"Which?","options":["one","other"]}`)
	})
	if err != nil {
		return side.Measurement{}, err
	}
	var vote struct{ Code, Channel string }
	if err := json.Unmarshal(bodies[0], &vote); err != nil {
		return side.Measurement{}, err
	}
	versions := make([]int64, b.size(1000)) // that each has seen
	var tallies int64
	_, err = c.Readers(len(versions), func(i int) *load.Reader {
		return &load.Reader{Dialect: s, Transport: load.WebSocket, Channel: vote.Channel, Who: i % c.people,
			Content: func(_ *load.Reader, batch []byte) (err error) {
				tallies++
				versions[i], err = newest(versions[i], batch)
				return err
			}}
	})
	if err != nil {
		return side.Measurement{}, err
	}

	var answered int64
	stopped, busy := false, conns
	for i := range conns {
		caller, err := c.Caller()
		if err != nil {
			return side.Measurement{}, err
		}
		turn := 0
		cast := func() error {
			who, option := i*each+turn%each, 1+turn/each%2
			turn++
			return caller.Call(site.post("PUT", "/v1/votes/"+vote.Code+"/ballot", who, `{"options":[`+strconv.Itoa(option)+`]}`))
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
	begun, had := time.Now(), tallies
	span, err := b.measured(s, c.Load, &answered)
	if err != nil {
		return side.Measurement{}, err
	}
	m := span.rate()
	m.Values = append(m.Values, float64(tallies-had)/float64(len(versions))/time.Since(begun).Seconds())
	stopped = true
	if err := c.Until(func() bool { return busy == 0 }); err != nil {
		return side.Measurement{}, err
	}
	last, err := site.counted(c.Load, vote.Code, c.people)
	if err != nil {
		return side.Measurement{}, err
	}
	return m, c.Until(func() bool {
		for _, v := range versions {
			if v != last {
				return false
			}
		}
		return true
	})
}

// newest is the version of the last tally in a batch, which must not be older than the one seen before.
func newest(seen int64, batch []byte) (int64, error) {
	for {
		i := bytes.Index(batch, []byte(`"version":`))
		if i < 0 {
			return seen, nil
		}
		batch = batch[i+len(`"version":`):]
		end := bytes.IndexAny(batch, ",}")
		v, err := strconv.ParseInt(string(batch[:max(end, 0)]), 10, 64)
		if err != nil || v < seen {
			return seen, fmt.Errorf("after the tally of version %d came %.40q", seen, batch)
		}
		seen = v
	}
}

// counted is the version of a vote, in which so many must have voted.
func (s *parley) counted(l *load.Load, code string, voters int) (int64, error) {
	bodies, err := l.Do(1, 200, func(int) []byte { return s.get("/v1/votes/"+code, 0, "") })
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
	if sum := v.Options[0].Count + v.Options[1].Count; sum != voters || v.Voters != voters {
		return 0, fmt.Errorf("%d people voted; %d voters and %d ballots are counted", voters, v.Voters, sum)
	}
	return v.Version, nil
}
