package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/vote"
)

// VoteEngine is what the suite of votes needs of an engine.
type VoteEngine interface {
	vote.Store
	channel.Log
}

// Votes is what every engine must do with votes. open returns an empty engine, without any policy for the kind vote, and closes it
// when the test ends.
func Votes(t *testing.T, open func(t *testing.T) VoteEngine) {
	for _, test := range []struct {
		name string
		run  func(*voteTest)
	}{
		{"a vote is kept as it was made", (*voteTest).kept},
		{"a taken code is refused", (*voteTest).codeTaken},
		{"vote and announcement are one", (*voteTest).announcement},
		{"what is absent", (*voteTest).absent},
		{"200 voters send each ballot three times at once", (*voteTest).oneBallotEach},
		{"ballots change all the time", (*voteTest).changing},
		{"the same ballot changes nothing", (*voteTest).sameBallot},
		{"a refused ballot leaves nothing, and harms nobody", (*voteTest).refused},
		{"an update changes what it says", (*voteTest).update},
		{"an update that changes nothing", (*voteTest).updateSame},
		{"updates race the first ballot", (*voteTest).lock},
		{"closing races ballots", (*voteTest).closing},
		{"the next deadline", (*voteTest).deadline},
		{"ballots by time", (*voteTest).ballots},
		{"whose votes", (*voteTest).list},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(&voteTest{t, open(t)}) })
	}
}

type voteTest struct {
	*testing.T
	e VoteEngine
}

var voteStart = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

func voter(i int) channel.Sender {
	return channel.Sender{ID: fmt.Sprintf("v%03d", i), Name: fmt.Sprintf("Voter %d", i)}
}

// make makes a vote of the given number of options, of which a ballot may have any.
func (t *voteTest) make(code string, options int) vote.Vote {
	t.Helper()
	return t.must(t.e.CreateVote(t.Context(), draftVote(code, options)))
}

func draftVote(code string, options int) vote.Vote {
	v := vote.Vote{Code: code, Question: "Which?", Min: 1, Max: options, Owner: voter(0), Change: true, Results: vote.Always, Open: true, Created: voteStart}
	for i := range options {
		v.Options = append(v.Options, vote.Option{ID: i + 1, Text: fmt.Sprint("option ", i+1)})
	}
	return v
}

func (t *voteTest) must(v vote.Vote, err error) vote.Vote {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ballot(code string, who channel.Sender, options ...int) vote.Ballot {
	return vote.Ballot{Code: code, Voter: who, Options: options, At: voteStart}
}

func anyBallot(vote.Vote, *vote.Ballot) error { return nil }

// tallies reads all messages of the vote's channel, and checks what is true of each alone.
func (t *voteTest) tallies(code string) []vote.Tally {
	t.Helper()
	var all []vote.Tally
	for after := (channel.Position{}); ; {
		b, err := t.e.Read(t.Context(), channel.Vote(code), after, 1000, 1<<20)
		if err != nil || b.Gap != nil {
			t.Fatal(err, b.Gap)
		}
		for _, m := range b.Messages {
			var tally vote.Tally
			if err := json.Unmarshal(m.Data, &tally); err != nil {
				t.Fatalf("message %d: %v in %s", m.Seq, err, m.Data)
			}
			if m.Type != vote.TallyType || m.From != channel.System {
				t.Errorf("message %d is a %s from %v", m.Seq, m.Type, m.From)
			}
			if tally.Version != m.Seq {
				t.Errorf("message %d has version %d", m.Seq, tally.Version)
			}
			all = append(all, tally)
		}
		if after = b.To; !b.More {
			return all
		}
	}
}

// consistent checks that vote, ballots, recount and channel agree, and returns the vote.
func (t *voteTest) consistent(code string) vote.Vote {
	t.Helper()
	v := t.must(t.e.Vote(t.Context(), code))
	recount := t.must(t.e.Recount(t.Context(), code))
	if !slices.Equal(v.Options, recount.Options) || v.Voters != recount.Voters {
		t.Errorf("the tally is %v of %d, the recount %v of %d", v.Options, v.Voters, recount.Options, recount.Voters)
	}
	all, err := t.e.Ballots(t.Context(), code, 0)
	if err != nil {
		t.Fatal(err)
	}
	sum, cast := 0, 0
	for _, o := range v.Options {
		sum += o.Count
	}
	for _, b := range all {
		cast += len(b.Options)
	}
	if sum != cast || v.Voters != len(all) {
		t.Errorf("the tally counts %d options by %d voters, the %d ballots have %d", sum, v.Voters, len(all), cast)
	}
	tail, err := t.e.Tail(t.Context(), channel.Vote(code))
	if err != nil {
		t.Fatal(err)
	}
	if v.Version != tail.Seq {
		t.Errorf("the vote is at version %d, its channel at %d", v.Version, tail.Seq)
	}
	tallies := t.tallies(code)
	if newest, _ := json.Marshal(tallies[len(tallies)-1]); string(newest) != string(vote.Event(v)) {
		t.Errorf("the newest tally is\n%s, the vote\n%s", newest, vote.Event(v))
	}
	return v
}

func (t *voteTest) kept() {
	made := vote.Vote{
		Code: "K7QM3", Question: "茶还是咖啡？ שלום עולם 👩‍👩‍👧‍👦 <b>\"'", Min: 2, Max: 3, Room: "tea", Owner: channel.Sender{ID: "o", Name: "Ōwner 王"},
		Named: true, Results: vote.Voted, Open: true, Closes: voteStart.Add(90061001 * time.Millisecond), Created: voteStart.Add(7 * time.Millisecond),
		Options: []vote.Option{{ID: 1, Text: "绿茶"}, {ID: 2, Text: "قهوة"}, {ID: 3, Text: "🍵"}, {ID: 4, Text: "a,b;\"c\""}},
	}
	got := t.must(t.e.CreateVote(t.Context(), made))
	made.Version = 1
	if string(vote.Event(got)) != string(vote.Event(made)) {
		t.Errorf("created\n%+v, got\n%+v", made, got)
	}
	read := t.consistent("K7QM3")
	if string(vote.Event(read)) != string(vote.Event(made)) || !read.Closes.Equal(made.Closes) {
		t.Errorf("created\n%+v, read\n%+v", made, read)
	}
	t.must(t.e.Cast(t.Context(), ballot("K7QM3", channel.Sender{ID: "x", Name: "李"}, 1, 3), anyBallot))
	b, err := t.e.BallotOf(t.Context(), "K7QM3", "x")
	if err != nil || b == nil || !slices.Equal(b.Options, []int{1, 3}) || b.Voter.Name != "李" || !b.At.Equal(voteStart) || b.Code != "K7QM3" {
		t.Errorf("the ballot is %+v, %v", b, err)
	}
	t.consistent("K7QM3")

	t.must(t.e.CreateVote(t.Context(), draftVote("MAX50", vote.MaxOptions)))
	all := make([]int, vote.MaxOptions)
	for i := range all {
		all[i] = i + 1
	}
	t.must(t.e.Cast(t.Context(), ballot("MAX50", voter(1), all...), anyBallot))
	if v := t.consistent("MAX50"); v.Options[vote.MaxOptions-1].Count != 1 {
		t.Errorf("the last option has %d", v.Options[vote.MaxOptions-1].Count)
	}
}

func (t *voteTest) codeTaken() {
	first := t.make("AAAAA", 2)
	other := draftVote("AAAAA", 3)
	_, err := t.e.CreateVote(t.Context(), other, channel.Draft{Channel: "room:r", Type: "vote", From: voter(0), Data: json.RawMessage(`{}`)})
	if !errors.Is(err, vote.ErrCodeTaken) {
		t.Errorf("the second has %v", err)
	}
	if v := t.consistent("AAAAA"); !v.Same(first) || v.Version != 1 {
		t.Errorf("the first is now %+v", v)
	}
	if tail, _ := t.e.Tail(t.Context(), "room:r"); tail.Seq != 0 {
		t.Error("a vote that was not made was announced")
	}
}

func (t *voteTest) announcement() {
	ctx := t.Context()
	announce := func(room channel.Name) channel.Draft {
		return channel.Draft{Channel: room, Type: "vote", From: voter(0), Data: json.RawMessage(`{"code":"AAAAA"}`)}
	}
	t.must(t.e.CreateVote(ctx, draftVote("AAAAA", 2), announce("room:a")))
	b, err := t.e.Read(ctx, "room:a", channel.Position{}, 10, 1<<20)
	if err != nil || len(b.Messages) != 1 || b.Messages[0].Type != "vote" || string(b.Messages[0].Data) != `{"code":"AAAAA"}` {
		t.Errorf("the room has %+v, %v", b, err)
	}

	if _, err := t.e.Append(ctx, channel.Draft{Channel: "room:gone", Type: "text", From: voter(0), Data: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	if err := t.e.Delete(ctx, "room:gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := t.e.CreateVote(ctx, draftVote("CCCCC", 2), announce("room:gone")); !errors.Is(err, channel.ErrDeleted) {
		t.Errorf("announcing in a deleted room: %v", err)
	}
	if _, err := t.e.Vote(ctx, "CCCCC"); !errors.Is(err, vote.ErrNoVote) {
		t.Errorf("a vote that could not be announced: %v", err)
	}
	if tail, _ := t.e.Tail(ctx, channel.Vote("CCCCC")); tail.Seq != 0 {
		t.Error("a vote that could not be announced has a tally")
	}
}

func (t *voteTest) absent() {
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Vote":    func() error { _, err := t.e.Vote(ctx, "AAAAA"); return err },
		"Recount": func() error { _, err := t.e.Recount(ctx, "AAAAA"); return err },
		"Cast":    func() error { _, err := t.e.Cast(ctx, ballot("AAAAA", voter(1), 1), anyBallot); return err },
		"Update": func() error {
			_, err := t.e.Update(ctx, "AAAAA", func(v vote.Vote) (vote.Vote, error) { return v, nil })
			return err
		},
	} {
		if err := call(); !errors.Is(err, vote.ErrNoVote) {
			t.Errorf("%s of no vote: %v", name, err)
		}
	}
	if b, err := t.e.BallotOf(ctx, "AAAAA", "v"); b != nil || err != nil {
		t.Errorf("a ballot in no vote: %v, %v", b, err)
	}
	if b, err := t.e.Ballots(ctx, "AAAAA", 0); len(b) != 0 || err != nil {
		t.Errorf("ballots in no vote: %v, %v", b, err)
	}
	if code, _, err := t.e.NextDeadline(ctx); code != "" || err != nil {
		t.Errorf("a deadline without votes: %q, %v", code, err)
	}
	t.make("AAAAA", 2)
	if b, err := t.e.BallotOf(ctx, "AAAAA", "v"); b != nil || err != nil {
		t.Errorf("a ballot of nobody: %v, %v", b, err)
	}
}

func (t *voteTest) oneBallotEach() {
	t.make("AAAAA", 2)
	var wg sync.WaitGroup
	for i := range 200 {
		for range 3 {
			wg.Go(func() {
				v, err := t.e.Cast(t.Context(), ballot("AAAAA", voter(i), i%2+1), anyBallot)
				if err != nil {
					t.Error(err)
				} else if v.Options[i%2].Count == 0 || v.Options[0].Count+v.Options[1].Count != v.Voters {
					t.Errorf("voter %d got %+v", i, v)
				}
			})
		}
	}
	wg.Wait()
	if v := t.consistent("AAAAA"); v.Voters != 200 || v.Options[0].Count != 100 || v.Options[1].Count != 100 {
		t.Errorf("200 voters made %+v", v)
	}
	before := vote.Tally{}
	for _, tally := range t.tallies("AAAAA") {
		if tally.Voters < before.Voters || tally.Version != before.Version+1 {
			t.Errorf("tally %d of %d voters follows %d of %d", tally.Version, tally.Voters, before.Version, before.Voters)
		}
		if sum := *tally.Options[0].Count + *tally.Options[1].Count; sum != tally.Voters {
			t.Errorf("tally %d counts %d of %d voters", tally.Version, sum, tally.Voters)
		}
		before = tally
	}
}

func (t *voteTest) changing() {
	const options, voters, changes = 7, 16, 25
	t.make("AAAAA", options)
	var seen atomic.Uint64 // a version that some answer had
	last := make([][]int, voters)
	var wg sync.WaitGroup
	for i := range voters {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range changes {
				choice := random.Perm(options)[:1+random.IntN(options)]
				slices.Sort(choice)
				for j := range choice {
					choice[j]++
				}
				least := seen.Load()
				v, err := t.e.Cast(t.Context(), ballot("AAAAA", voter(i), choice...), anyBallot)
				if err != nil {
					t.Error(err)
					return
				}
				if v.Version < least {
					t.Errorf("version %d was answered after %d", v.Version, least)
				}
				for old := seen.Load(); v.Version > old && !seen.CompareAndSwap(old, v.Version); old = seen.Load() {
				}
				last[i] = choice
			}
		})
	}
	wg.Wait()
	v := t.consistent("AAAAA")
	counts := make([]int, options)
	for i := range voters {
		b, err := t.e.BallotOf(t.Context(), "AAAAA", voter(i).ID)
		if err != nil || b == nil || !slices.Equal(b.Options, last[i]) {
			t.Errorf("voter %d cast %v last, and has %v, %v", i, last[i], b, err)
		}
		for _, id := range last[i] {
			counts[id-1]++
		}
	}
	for i, o := range v.Options {
		if o.Count != counts[i] {
			t.Errorf("option %d has %d, and %d ballots", o.ID, o.Count, counts[i])
		}
	}
}

func (t *voteTest) sameBallot() {
	t.make("AAAAA", 3)
	first := t.must(t.e.Cast(t.Context(), ballot("AAAAA", voter(1), 1, 3), anyBallot))
	again := ballot("AAAAA", voter(1), 1, 3)
	again.At = again.At.Add(time.Hour)
	called := false
	second := t.must(t.e.Cast(t.Context(), again, func(v vote.Vote, earlier *vote.Ballot) error {
		called = earlier != nil && slices.Equal(earlier.Options, []int{1, 3}) && earlier.Voter.ID == voter(1).ID && v.Voters == 1
		return nil
	}))
	if !called {
		t.Error("the check was not shown the earlier ballot")
	}
	if string(vote.Event(first)) != string(vote.Event(second)) {
		t.Errorf("the same ballot made\n%+v of\n%+v", second, first)
	}
	if v := t.consistent("AAAAA"); v.Version != 2 {
		t.Errorf("version %d", v.Version)
	}
}

func (t *voteTest) refused() {
	t.make("AAAAA", 2)
	no := errors.New("no")
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			_, err := t.e.Cast(t.Context(), ballot("AAAAA", voter(i), 1), func(v vote.Vote, _ *vote.Ballot) error {
				v.Options[0].Count, v.Open = 1000, false // what a check does to its copy stays there
				if i%3 == 0 {
					return no
				}
				return nil
			})
			if refused := i%3 == 0; errors.Is(err, no) != refused || err != nil && !refused {
				t.Errorf("voter %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if v := t.consistent("AAAAA"); v.Voters != 40 || !v.Open {
		t.Errorf("40 voters made %+v", v)
	}
}

func (t *voteTest) update() {
	t.make("AAAAA", 2)
	deadline := voteStart.Add(time.Hour)
	v := t.must(t.e.Update(t.Context(), "AAAAA", func(v vote.Vote) (vote.Vote, error) {
		v.Question, v.Min, v.Max, v.Change, v.Named = "新问题", 2, 3, false, true
		v.Results, v.Open, v.Closes = vote.Owner, false, deadline
		v.Options = []vote.Option{{ID: 1, Text: "x"}, {ID: 2, Text: "y"}, {ID: 3, Text: "z", Count: 9}}
		v.Code, v.Version, v.Voters, v.Owner, v.Room = "OTHER", 77, 5, voter(9), "r" // not for an update to change
		return v, nil
	}))
	if v.Code != "AAAAA" || v.Version != 2 || v.Question != "新问题" || v.Min != 2 || v.Max != 3 || v.Change || !v.Named || v.Results != vote.Owner || v.Open ||
		!v.Closes.Equal(deadline) || len(v.Options) != 3 || v.Options[2].Text != "z" || v.Options[2].Count != 0 || v.Voters != 0 || v.Owner != voter(0) || v.Room != "" {
		t.Errorf("updated to %+v", v)
	}
	if read := t.consistent("AAAAA"); string(vote.Event(read)) != string(vote.Event(v)) {
		t.Errorf("updated to\n%+v, read\n%+v", v, read)
	}
	v = t.must(t.e.Update(t.Context(), "AAAAA", func(v vote.Vote) (vote.Vote, error) {
		v.Closes, v.Open = time.Time{}, true
		return v, nil
	}))
	if !v.Closes.IsZero() || !v.Open || v.Question != "新问题" {
		t.Errorf("updated to %+v", v)
	}
	t.must(t.e.Cast(t.Context(), ballot("AAAAA", voter(1), 2, 3), anyBallot))
	t.must(t.e.Update(t.Context(), "AAAAA", func(v vote.Vote) (vote.Vote, error) { v.Results = vote.Always; return v, nil }))
	if v := t.consistent("AAAAA"); v.Voters != 1 || v.Options[2].Count != 1 || v.Results != vote.Always || v.Version != 5 {
		t.Errorf("updated to %+v", v)
	}
}

func (t *voteTest) updateSame() {
	t.make("AAAAA", 2)
	v := t.must(t.e.Update(t.Context(), "AAAAA", func(v vote.Vote) (vote.Vote, error) { return v, nil }))
	if v.Version != 1 {
		t.Errorf("nothing changed, and the version is %d", v.Version)
	}
	no := errors.New("no")
	if _, err := t.e.Update(t.Context(), "AAAAA", func(v vote.Vote) (vote.Vote, error) { v.Open = false; return v, no }); !errors.Is(err, no) {
		t.Errorf("a refused update: %v", err)
	}
	if v := t.consistent("AAAAA"); v.Version != 1 || !v.Open {
		t.Errorf("a refused update made %+v", v)
	}
}

// lock: whoever updates sees whether there is a ballot, and whoever casts sees the options that the ballot will be counted in.
func (t *voteTest) lock() {
	locked := errors.New("locked")
	for round := range 20 {
		code := fmt.Sprintf("AAA%02d", round)
		t.make(code, 2)
		var wg sync.WaitGroup
		for n := 3; n < 9; n++ {
			wg.Go(func() {
				v, err := t.e.Update(t.Context(), code, func(v vote.Vote) (vote.Vote, error) {
					if v.Voters > 0 {
						return v, locked
					}
					v.Options = draftVote(code, n).Options
					return v, nil
				})
				if err != nil && !errors.Is(err, locked) {
					t.Error(err)
				}
				if err == nil && len(v.Options) < 3 {
					t.Errorf("updated to %d options", len(v.Options))
				}
			})
			wg.Go(func() {
				_, err := t.e.Cast(t.Context(), ballot(code, voter(n), n), func(v vote.Vote, _ *vote.Ballot) error {
					if n > len(v.Options) {
						return vote.ErrBadOptions
					}
					return nil
				})
				if err != nil && !errors.Is(err, vote.ErrBadOptions) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		t.consistent(code)
		options := 0
		for _, tally := range t.tallies(code) {
			if tally.Voters > 0 && options > 0 && len(tally.Options) != options {
				t.Errorf("the options changed from %d to %d with ballots", options, len(tally.Options))
			}
			if options = 0; tally.Voters > 0 {
				options = len(tally.Options)
			}
		}
	}
}

func (t *voteTest) closing() {
	t.make("AAAAA", 2)
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if i == 50 {
				t.must(t.e.Update(t.Context(), "AAAAA", func(v vote.Vote) (vote.Vote, error) { v.Open = false; return v, nil }))
				return
			}
			_, err := t.e.Cast(t.Context(), ballot("AAAAA", voter(i), 1), func(v vote.Vote, _ *vote.Ballot) error {
				if !v.Open {
					return vote.ErrVoteClosed
				}
				return nil
			})
			if err == nil {
				accepted.Add(1)
			} else if !errors.Is(err, vote.ErrVoteClosed) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if v := t.consistent("AAAAA"); v.Voters != int(accepted.Load()) || v.Open {
		t.Errorf("%d ballots were accepted, and there are %d", accepted.Load(), v.Voters)
	}
	voters := -1
	for _, tally := range t.tallies("AAAAA") {
		if !tally.Open && voters >= 0 && tally.Voters != voters {
			t.Error("a ballot was counted after closing")
		}
		if !tally.Open {
			voters = tally.Voters
		}
	}
}

func (t *voteTest) deadline() {
	ctx := t.Context()
	expect := func(code string, at time.Time) {
		t.Helper()
		gotCode, gotAt, err := t.e.NextDeadline(ctx)
		if err != nil || gotCode != code || !gotAt.Equal(at) {
			t.Errorf("the next deadline is %q at %v (%v), not %q at %v", gotCode, gotAt, err, code, at)
		}
	}
	for i, code := range []string{"CCCCC", "AAAAA", "DDDDD"} {
		v := draftVote(code, 2)
		v.Closes = voteStart.Add([]time.Duration{2, 1, 3}[i] * time.Minute)
		t.must(t.e.CreateVote(ctx, v))
	}
	t.make("EEEEE", 2)
	expect("AAAAA", voteStart.Add(time.Minute))
	t.must(t.e.Update(ctx, "AAAAA", func(v vote.Vote) (vote.Vote, error) { v.Open = false; return v, nil }))
	expect("CCCCC", voteStart.Add(2*time.Minute))
	t.must(t.e.Update(ctx, "DDDDD", func(v vote.Vote) (vote.Vote, error) { v.Closes = voteStart.Add(1500 * time.Millisecond); return v, nil }))
	expect("DDDDD", voteStart.Add(1500*time.Millisecond))
	t.must(t.e.Update(ctx, "DDDDD", func(v vote.Vote) (vote.Vote, error) { v.Closes = time.Time{}; return v, nil }))
	t.must(t.e.Update(ctx, "CCCCC", func(v vote.Vote) (vote.Vote, error) { v.Closes = time.Time{}; return v, nil }))
	expect("", time.Time{})
	t.must(t.e.Update(ctx, "AAAAA", func(v vote.Vote) (vote.Vote, error) { v.Open = true; return v, nil }))
	expect("AAAAA", voteStart.Add(time.Minute))
}

func (t *voteTest) ballots() {
	t.make("AAAAA", 3)
	t.make("CCCCC", 3)
	for i, at := range []time.Duration{5, 1, 3} {
		b := ballot("AAAAA", voter(i), i+1)
		b.At = voteStart.Add(at * time.Second)
		t.must(t.e.Cast(t.Context(), b, anyBallot))
	}
	t.must(t.e.Cast(t.Context(), ballot("CCCCC", voter(0), 1), anyBallot))
	order := func(limit int, want ...string) {
		t.Helper()
		all, err := t.e.Ballots(t.Context(), "AAAAA", limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range all {
			got = append(got, b.Voter.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v, not %v", limit, got, want)
		}
	}
	order(0, "v001", "v002", "v000")
	order(2, "v001", "v002")
	order(9, "v001", "v002", "v000")
	changed := ballot("AAAAA", voter(1), 2, 3)
	changed.At = voteStart.Add(time.Minute)
	t.must(t.e.Cast(t.Context(), changed, anyBallot))
	order(0, "v002", "v000", "v001")
}

func (t *voteTest) list() {
	for i, code := range []string{"AAAAA", "CCCCC", "DDDDD", "EEEEE"} {
		v := draftVote(code, 2)
		v.Owner, v.Created = voter(i), voteStart.Add(time.Duration(i)*time.Second)
		t.must(t.e.CreateVote(context.Background(), v))
	}
	t.must(t.e.Cast(t.Context(), ballot("AAAAA", voter(2), 1), anyBallot))
	t.must(t.e.Cast(t.Context(), ballot("DDDDD", voter(2), 1), anyBallot))
	list := func(user string, limit int, want ...string) {
		t.Helper()
		votes, err := t.e.Votes(t.Context(), user, limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range votes {
			got = append(got, v.Code)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the votes of %s are %v, not %v", user, got, want)
		}
	}
	list(voter(2).ID, 10, "DDDDD", "AAAAA")
	list(voter(2).ID, 1, "DDDDD")
	list(voter(1).ID, 10, "CCCCC")
	list("nobody", 10)
	list("", 10)
}
