package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// voter changes their mind again and again, and knows which ballot was acknowledged last.
type voter struct {
	*person
	oracle *oracle
	random *rand.Rand
	name   string
	code   string

	option  int  // of the last acknowledged ballot; 0: none yet
	chosen  int  // of the ballot being cast
	open    bool // it is not answered
	version uint64

	sent time.Time         // when the last ballot was first sent
	seen time.Time         // when version was answered
	ever [options + 1]bool // which options were chosen, at any time
}

// lateBallot is how long a ballot whose answer was lost may still be on its way. A ballot is its own key, so an older one that
// arrives after a newer one counts: until then the voter does not change their mind.
const lateBallot = 2 * time.Second

// vote casts ballots until writing ends; ctx lasts longer, for the last one.
func (v *voter) vote(ctx, writing context.Context) error {
	for writing.Err() == nil {
		v.chosen = 1 + v.random.IntN(options)
		for times := 1 + v.random.IntN(6)/5; times > 0; times-- {
			sure, err := v.cast(ctx)
			if err != nil {
				return err
			}
			if !sure {
				pause(writing, lateBallot)
			}
		}
		if !pause(writing, time.Duration(v.random.IntN(40))*time.Millisecond) {
			return nil
		}
	}
	return nil
}

// cast casts the ballot until it is answered. It is sure if no attempt can be on its way.
func (v *voter) cast(ctx context.Context) (sure bool, err error) {
	if !v.open {
		v.sent = time.Now()
	}
	sure, v.open, v.ever[v.chosen] = true, true, true
	for {
		var t tally
		err := v.do(ctx, "PUT", "/v1/votes/"+v.code+"/ballot", map[string][]int{"options": {v.chosen}}, &t)
		if err == nil {
			v.answered(&t)
			return sure, nil
		}
		var why *refusal
		sure = sure && errors.As(err, &why) && why.Status < 500
		if ctx.Err() != nil {
			return false, nil
		}
		if !v.patience(ctx, err) {
			if why != nil {
				return false, fmt.Errorf("voting: %w", err)
			}
			return false, nil
		}
	}
}

func (v *voter) answered(t *tally) {
	if !slices.Equal(t.Ballot, []int{v.chosen}) {
		v.bad(t, fmt.Sprintf("the ballot [%d], just cast", v.chosen), fmt.Sprint(t.Ballot))
	}
	switch {
	case t.Version >= v.version:
		v.seen = time.Now()
	case v.oracle.mayGoBack(): // if readers are told
		v.oracle.lowers("vote:"+v.code, lowered{v.name, v.version, t.Version, v.seen})
		v.version, v.seen = 0, time.Now()
	default:
		v.bad(t, fmt.Sprintf("a version from %d on", v.version), fmt.Sprint(t.Version))
	}
	if n := sum(t.counts()); n != t.Voters {
		v.bad(t, fmt.Sprintf("%d ballots of %d voters", t.Voters, t.Voters), fmt.Sprintf("the counts %v", t.counts()))
	}
	v.version = max(v.version, t.Version)
	v.option, v.open = v.chosen, false
	v.counts.ballots.Add(1)
}

func (v *voter) bad(t *tally, expected, came string) {
	v.oracle.violate(Violation{Rule: "tally", Channel: "vote:" + v.code, Seq: t.Version, Who: v.name, Expected: expected, Came: came})
}

// judgeTally demands that the counts are those of the last acknowledged ballots, for who asks and on every reader's screen.
func judgeTally(ctx context.Context, st *stage, o *oracle, voters []*voter, readers []*reader) error {
	want, cast := make([]int, options), 0
	for _, v := range voters {
		if o.mayGoBack() {
			if err := v.look(ctx); err != nil {
				return err
			}
		}
		if v.option > 0 {
			want[v.option-1]++
			cast++
		}
	}
	var t tally
	if err := st.owner.insist(ctx, "GET", "/v1/votes/"+st.vote, nil, &t); err != nil {
		return err
	}
	expected := fmt.Sprintf("%v of %d voters, the ballots acknowledged last", want, cast)
	bad := func(who string, version uint64, counts []int, voters int) {
		if voters != cast || !slices.Equal(counts, want) {
			o.violate(Violation{Rule: "tally", Channel: "vote:" + st.vote, Seq: version, Who: who, Expected: expected, Came: fmt.Sprintf("%v of %d", counts, voters)})
		}
	}
	bad("the owner asked", t.Version, t.counts(), t.Voters)
	for _, r := range readers {
		if s := r.screen; s != nil && cast > 0 {
			bad(r.name, s.Version, s.counts(), s.Voters)
		}
	}
	return nil
}

// look asks for the ballot that counts, where the last acknowledged one may be lost: then an earlier one of the voter's counts, or none, and
// the vote's readers were told.
func (v *voter) look(ctx context.Context) error {
	var t tally
	if err := v.insist(ctx, "GET", "/v1/votes/"+v.code, nil, &t); err != nil {
		return err
	}
	counts := 0
	if len(t.Ballot) > 0 {
		counts = t.Ballot[0]
	}
	if counts == v.option {
		return nil
	}
	v.counts.lostBallots.Add(1)
	if len(t.Ballot) > 1 || counts < 0 || counts > options || counts > 0 && !v.ever[counts] || !v.oracle.wentBack("vote:"+v.code, v.sent) {
		v.bad(&t, fmt.Sprintf("the ballot [%d], acknowledged last, or an earlier one and readers who were told", v.option), fmt.Sprint(t.Ballot))
	}
	v.option = counts
	return nil
}
