package enginetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/vote"
)

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
