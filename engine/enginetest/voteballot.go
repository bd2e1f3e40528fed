package enginetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/channel"
	"parley/identity"
	"parley/vote"
)

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

// names: whoever is renamed is shown by the new name, whoever is forgotten by the one they had.
func (t *voteTest) names() {
	ctx := t.Context()
	for i, name := range []string{"Ann", "Bob", "Cyd"} {
		u := identity.User{ID: voter(i).ID, Name: name, Created: voteStart, Seen: voteStart}
		if err := t.e.CreateUser(ctx, u, name); err != nil {
			t.Fatal(err)
		}
	}
	v := draftVote("AAAAA", 2)
	v.Owner.Name = "Ann"
	t.must(t.e.CreateVote(ctx, v))
	t.must(t.e.Cast(ctx, ballot("AAAAA", channel.Sender{ID: voter(1).ID, Name: "Bob"}, 1), anyBallot))
	t.must(t.e.Cast(ctx, ballot("AAAAA", channel.Sender{ID: voter(2).ID, Name: "Cyd"}, 2), anyBallot))
	if err := errors.Join(t.e.RenameUser(ctx, voter(0).ID, "Anna", "anna"), t.e.RenameUser(ctx, voter(1).ID, "Bert", "bert"), t.e.DeleteUser(ctx, voter(2).ID)); err != nil {
		t.Fatal(err)
	}
	all, err := t.e.Ballots(ctx, "AAAAA", 0)
	if err != nil || len(all) != 2 || all[0].Voter.Name != "Bert" || all[1].Voter.Name != "Cyd" {
		t.Errorf("the ballots are %+v, %v", all, err)
	}
	if b, err := t.e.BallotOf(ctx, "AAAAA", voter(1).ID); err != nil || b.Voter.Name != "Bert" {
		t.Errorf("the ballot is %+v, %v", b, err)
	}
	if v := t.must(t.e.Vote(ctx, "AAAAA")); v.Owner.Name != "Anna" || v.Voters != 2 {
		t.Errorf("the vote is %+v", v)
	}
	if err := t.e.DeleteUser(ctx, voter(0).ID); err != nil {
		t.Fatal(err)
	}
	if v := t.must(t.e.Vote(ctx, "AAAAA")); v.Owner != (channel.Sender{ID: voter(0).ID, Name: "Ann"}) {
		t.Errorf("the vote of one who is forgotten is %+v", v)
	}
}
