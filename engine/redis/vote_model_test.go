package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/channel"
	"parley/engine/redis/redistest"
	"parley/vote"
)

// voteModel is a vote as it should be, said as simply as possible, beside the vote on two nodes.
type voteModel struct {
	nodes   [2]*Engine
	code    string
	options int
	open    bool
	closes  time.Time
	results vote.Results
	ballots map[string][]int
	events  int
}

// TestVoteModel does at random what people do, each time on one of two nodes, and compares the other one with the model.
func TestVoteModel(t *testing.T) {
	t.Parallel()
	nodes := twoNodes(t, redistest.Start(t))
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		made++
		x := &voteModel{nodes: nodes, code: fmt.Sprintf("M%05d", made), options: rapid.IntRange(2, 50).Draw(t, "options"), open: true, results: vote.Always, ballots: map[string][]int{}, events: 1}
		if _, err := x.node(t).CreateVote(context.Background(), draftedVote(x.code, x.options)); err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){"cast": x.cast, "together": x.together, "update": x.update, "": x.check})
	})
}

func (x *voteModel) node(t *rapid.T) *Engine { return x.nodes[rapid.IntRange(0, 1).Draw(t, "node")] }

func (x *voteModel) drawBallot(t *rapid.T) vote.Ballot {
	ids := make([]int, x.options)
	for i := range ids {
		ids[i] = i + 1
	}
	chosen := rapid.Permutation(ids).Draw(t, "options")[:rapid.IntRange(1, x.options).Draw(t, "how many")]
	slices.Sort(chosen)
	return vote.Ballot{Code: x.code, Voter: voterNamed(rapid.IntRange(0, 5).Draw(t, "voter")), Options: chosen, At: time.UnixMilli(rapid.Int64Range(0, 1e12).Draw(t, "at")).UTC()}
}

func (x *voteModel) cast(t *rapid.T) {
	b := x.drawBallot(t)
	earlier := x.ballots[b.Voter.ID]
	v, err := x.node(t).Cast(context.Background(), b, func(v vote.Vote, was *vote.Ballot) error {
		if (was == nil) != (earlier == nil) || was != nil && !slices.Equal(was.Options, earlier) || v.Open != x.open || v.Voters != len(x.ballots) {
			t.Fatalf("the check was shown %+v and %+v; the model is %+v", v, was, x)
		}
		return mayVote(v, was)
	})
	if !x.open {
		if !errors.Is(err, vote.ErrVoteClosed) {
			t.Fatalf("a ballot in a closed vote: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(earlier, b.Options) {
		x.ballots[b.Voter.ID] = b.Options
		x.events++
	}
	if v.Version != uint64(x.events) || v.Voters != len(x.ballots) {
		t.Fatalf("cast to %+v; the model is %+v", v, x)
	}
}

// together casts ballots of everybody on both nodes at once.
func (x *voteModel) together(t *rapid.T) {
	type answer struct {
		voter string
		v     vote.Vote
		err   error
	}
	answers := make(chan answer)
	ballots := map[string]vote.Ballot{}
	for range rapid.IntRange(2, 10).Draw(t, "ballots") {
		b := x.drawBallot(t)
		ballots[b.Voter.ID] = b
	}
	for i, id := range slices.Sorted(maps.Keys(ballots)) {
		go func() {
			v, err := x.nodes[i%2].Cast(context.Background(), ballots[id], mayVote)
			answers <- answer{id, v, err}
		}()
	}
	newest := 0
	for range ballots {
		a := <-answers
		switch {
		case x.open && a.err != nil, !x.open && !errors.Is(a.err, vote.ErrVoteClosed):
			t.Fatalf("%s cast: %v; the model is %+v", a.voter, a.err, x)
		case x.open:
			x.ballots[a.voter] = ballots[a.voter].Options
			newest = max(newest, int(a.v.Version))
		}
	}
	if x.open {
		if newest < x.events || newest > x.events+len(ballots) {
			t.Fatalf("%d ballots made version %d of %d", len(ballots), newest, x.events)
		}
		x.events = newest
	}
}

func (x *voteModel) update(t *rapid.T) {
	open := rapid.Bool().Draw(t, "open")
	results := rapid.SampledFrom([]vote.Results{vote.Always, vote.Owner}).Draw(t, "results")
	var closes time.Time
	if rapid.Bool().Draw(t, "deadline") {
		closes = time.UnixMilli(rapid.Int64Range(1, 1e13).Draw(t, "closes")).UTC()
	}
	options := rapid.IntRange(2, 50).Draw(t, "options")
	refuse := rapid.IntRange(0, 4).Draw(t, "refuse") == 0
	no := errors.New("no")
	_, err := x.node(t).Update(context.Background(), x.code, func(v vote.Vote) (vote.Vote, error) {
		v.Open, v.Results, v.Closes, v.Options = open, results, closes, draftedVote(x.code, options).Options
		if refuse {
			return v, no
		}
		return v, nil
	})
	if refuse {
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(x.ballots) > 0 {
		if options != x.options && x.open == open && x.results == results && x.closes.Equal(closes) {
			x.events++ // the change asks for more than may be, and so is one; what may be is done
		}
		options = x.options
	}
	if options != x.options || x.open != open || x.results != results || !x.closes.Equal(closes) {
		x.events++
	}
	x.options, x.open, x.results, x.closes = options, open, results, closes
}

// check compares what a node says with the model.
func (x *voteModel) check(t *rapid.T) {
	ctx, e := context.Background(), x.node(t)
	v, err1 := e.Vote(ctx, x.code)
	recount, err2 := e.Recount(ctx, x.code)
	ballots, err3 := e.Ballots(ctx, x.code, 0)
	newest, err4 := e.Before(ctx, channel.Vote(x.code), channel.End, 1, 1<<20)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if v.Open != x.open || v.Results != x.results || !v.Closes.Equal(x.closes) || len(v.Options) != x.options || v.Voters != len(x.ballots) || v.Version != uint64(x.events) {
		t.Fatalf("the vote is %+v; the model is %+v", v, x)
	}
	counts := make([]int, x.options)
	for _, options := range x.ballots {
		for _, id := range options {
			counts[id-1]++
		}
	}
	for i, o := range v.Options {
		if o.Count != counts[i] {
			t.Fatalf("option %d has %d, and should have %v", o.ID, o.Count, counts)
		}
	}
	if len(ballots) != len(x.ballots) || !slices.IsSortedFunc(ballots, func(a, b vote.Ballot) int { return a.At.Compare(b.At) }) {
		t.Fatalf("the ballots are %+v; the model is %+v", ballots, x)
	}
	for _, b := range ballots {
		if !slices.Equal(b.Options, x.ballots[b.Voter.ID]) {
			t.Fatalf("the ballot of %s is %v; the model is %+v", b.Voter.ID, b.Options, x)
		}
	}
	event, _ := json.Marshal(vote.Event(v))
	if again, _ := json.Marshal(vote.Event(recount)); string(again) != string(event) || string(newest.Messages[0].Data) != string(event) {
		t.Fatalf("the vote is\n%s, the recount\n%s, the newest event\n%s", event, again, newest.Messages[0].Data)
	}
}
