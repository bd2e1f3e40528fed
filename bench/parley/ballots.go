package parley

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"parley/bench/delivery/load"
)

// Vote is a vote with two options, whose tally may not go backwards.
type Vote struct{ Code, Channel string }

// NewVote asks a question.
func (n *Node) NewVote(l *load.Load) (v Vote, err error) {
	l.Toward(n.Addr)
	bodies, err := l.Do(1, 201, func(int) []byte {
		return n.Post("POST", "/v1/votes", 0, `{"question":"Which?","options":["one","other"]}`)
	})
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(bodies[0], &v)
}

// VotersOfOne is how many people vote over one connection, in turn.
const VotersOfOne = 4

// Voters change their minds as fast as they are answered.
type Voters struct {
	Load     *load.Load
	Vote     Vote
	Answered int64

	conns   int
	busy    int
	stopped bool
}

// People is how many they are.
func (v *Voters) People() int { return v.conns * VotersOfOne }

// Add opens a connection to a node, and casts the first ballot: those who vote over it are the next of the people.
func (v *Voters) Add(n *Node) error {
	v.Load.Toward(n.Addr)
	caller, err := v.Load.Caller()
	if err != nil {
		return err
	}
	first, turn := v.People(), 0
	v.conns++
	v.busy++
	cast := func() error {
		who, option := first+turn%VotersOfOne, 1+turn/VotersOfOne%2
		turn++
		return caller.Call(n.Post("PUT", "/v1/votes/"+v.Vote.Code+"/ballot", who, `{"options":[`+strconv.Itoa(option)+`]}`))
	}
	caller.Answer = func(h *load.Head, body []byte) error {
		if h.Status != 200 {
			return fmt.Errorf("a ballot was answered %d: %s", h.Status, body)
		}
		v.Answered++
		if v.stopped && turn >= VotersOfOne {
			v.busy--
			return nil
		}
		return cast()
	}
	return cast()
}

// Finish waits until everybody has voted, and nobody does any more.
func (v *Voters) Finish() error {
	v.stopped = true
	return v.Load.Until(func() bool { return v.busy == 0 })
}

// Newest is the version of the last tally in a batch, which must not be older than the one seen before.
func Newest(seen int64, batch []byte) (int64, error) {
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

// Counted is the version of a vote, in which so many must have voted, each once.
func (n *Node) Counted(l *load.Load, v Vote, voters int) (version int64, err error) {
	l.Toward(n.Addr)
	bodies, err := l.Do(1, 200, func(int) []byte { return n.Get("/v1/votes/"+v.Code, 0, "") })
	if err != nil {
		return 0, err
	}
	var tally struct {
		Version int64
		Voters  int
		Options []struct{ Count int }
	}
	if err := json.Unmarshal(bodies[0], &tally); err != nil {
		return 0, err
	}
	sum := 0
	for _, o := range tally.Options {
		sum += o.Count
	}
	if sum != voters || tally.Voters != voters {
		return 0, fmt.Errorf("%d people voted; %d voters and %d ballots are counted", voters, tally.Voters, sum)
	}
	return tally.Version, nil
}
