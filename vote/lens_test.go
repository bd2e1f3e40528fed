package vote_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"parley/channel"
	"parley/vote"
)

// parse reads the tally that a message carries.
func parse(t interface{ Fatal(...any) }, m channel.Message) (tally vote.Tally) {
	if err := json.Unmarshal(m.Data, &tally); err != nil {
		t.Fatal(err)
	}
	return tally
}

// counts reports whether a tally message shows counts, and fails if it is neither fully shown nor fully hidden.
func counts(t testing.TB, m channel.Message) bool {
	t.Helper()
	tally := parse(t, m)
	for _, o := range tally.Options {
		if (o.Count != nil) != tally.Visible || o.Who != nil {
			t.Fatalf("neither shown nor hidden: %s", m.Data)
		}
	}
	if tally.Version != m.Seq || strings.Contains(string(m.Data), "ballot") {
		t.Fatalf("not a tally: %s", m.Data)
	}
	return tally.Visible
}

func TestLensOfOldTallies(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{})
	early, err := s.MayRead(t.Context(), bob, v.Code) // a stream that began while all was public
	if err != nil {
		t.Fatal(err)
	}
	s.cast(t, cyd, v.Code, 1)
	all := func(lens channel.Lens, want bool) {
		t.Helper()
		for _, m := range s.log(t, channel.Vote(v.Code)) {
			if counts(t, see(lens, m)) != want {
				t.Errorf("tally %d: visible %t", m.Seq, !want)
			}
		}
	}
	all(early, true)
	s.update(t, v.Code, vote.Change{Results: new(vote.Voted)})
	late, err := s.MayRead(t.Context(), bob, v.Code)
	if err != nil {
		t.Fatal(err)
	}
	all(early, false)
	all(late, false)
	s.cast(t, bob, v.Code, 1)
	all(early, true)
	all(late, true)
	s.update(t, v.Code, vote.Change{Results: new(vote.Closed)})
	all(early, false)
	s.update(t, v.Code, vote.Change{Open: new(false)})
	all(late, true)
	s.update(t, v.Code, vote.Change{Open: new(true)})
	all(early, false)

	owner, err := s.MayRead(t.Context(), ann, v.Code)
	if owner != nil || err != nil {
		t.Errorf("the owner has a lens, %v", err)
	}
}

// Another node changes the vote, so this service hears of it only by the messages it reads.
func TestLensOfAnotherNode(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{})
	other := vote.New(s.engine, vote.Config{Now: s.clock.now})
	lens := other.Lens(t.Context(), bob, v)
	s.update(t, v.Code, vote.Change{Results: new(vote.Owner)})
	log := s.log(t, channel.Vote(v.Code))
	if counts(t, see(lens, log[1])) || counts(t, see(lens, log[0])) {
		t.Error("a message did not teach the lens that the results are hidden")
	}
	fresh, err := vote.New(s.engine, vote.Config{Now: s.clock.now}).MayRead(t.Context(), bob, v.Code)
	if err != nil || counts(t, see(fresh, log[0])) {
		t.Errorf("an old message was shown, %v", err)
	}
}

func TestLensShares(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{})
	m := s.log(t, channel.Vote(v.Code))[0]
	same := func(a, b json.RawMessage) bool { return unsafe.SliceData(a) == unsafe.SliceData(b) }

	if lens := s.Lens(t.Context(), bob, v); !same(see(lens, m).Data, m.Data) {
		t.Error("a visible tally was copied")
	}
	v = s.update(t, v.Code, vote.Change{Results: new(vote.Closed)})
	original := string(m.Data)
	one, two := s.Lens(t.Context(), bob, v), s.Lens(t.Context(), nobody, v)
	m = s.log(t, channel.Vote(v.Code))[1]
	if a, b := see(one, m), see(two, m); !same(a.Data, b.Data) {
		t.Error("a hidden tally was made twice")
	}
	if n := testing.AllocsPerRun(100, func() { see(one, m) }); n != 0 {
		t.Errorf("hiding a known tally allocates %v times", n)
	}
	if m := s.log(t, channel.Vote(v.Code))[0]; string(m.Data) != original {
		t.Error("a lens wrote into the message")
	}
	other := channel.Message{Channel: channel.Vote(v.Code), Seq: 9, Type: "other", Data: json.RawMessage(`{}`)}
	if got := see(one, other); string(got.Data) != `{}` {
		t.Errorf("a message of another type became %s", got.Data)
	}
	forged := channel.Message{Channel: channel.Vote(v.Code), Seq: 9, Mark: 1, Type: "tally", Data: json.RawMessage(`{"code":"OTHER","results":"always","options":[{"id":1,"count":3}]}`)}
	if got := see(one, forged); strings.Contains(string(got.Data), "count") {
		t.Errorf("a tally of another vote is shown: %s", got.Data)
	}
}

// blind is a store that cannot say who voted.
type blind struct{ vote.Store }

func (blind) BallotOf(context.Context, string, string) (*vote.Ballot, error) {
	return nil, errors.New("the disk is on fire")
}

func TestLensFailsClosed(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{Results: vote.Voted})
	s.cast(t, bob, v.Code, 1)
	m := s.log(t, channel.Vote(v.Code))[1]
	if counts(t, see(vote.New(blind{s.engine}, vote.Config{}).Lens(t.Context(), bob, v), m)) {
		t.Error("shown to one who may not have voted")
	}
	if !counts(t, see(s.Lens(t.Context(), bob, v), m)) {
		t.Error("hidden from one who has voted")
	}
	ended, end := context.WithCancel(t.Context())
	lens := s.Lens(ended, bob, v)
	end()
	if !counts(t, see(lens, m)) {
		t.Error("the lens does not outlive the request it was made for")
	}
}

// counting is a store that counts how often it is asked who voted.
type counting struct {
	vote.Store
	n int
}

func (c *counting) BallotOf(ctx context.Context, code, voter string) (*vote.Ballot, error) {
	c.n++
	return c.Store.BallotOf(ctx, code, voter)
}

func TestLensAsksOnceForEachVersion(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{Results: vote.Voted})
	store := &counting{Store: s.engine}
	lens := vote.New(store, vote.Config{}).Lens(t.Context(), bob, v)
	for i := range 4 {
		s.cast(t, cyd, v.Code, i%2+1)
	}
	log := s.log(t, channel.Vote(v.Code))
	for range 3 {
		see(lens, log[0])
	}
	if store.n != 1 {
		t.Errorf("asked %d times for one version", store.n)
	}
	for range 3 {
		for _, m := range log {
			see(lens, m)
		}
	}
	if store.n != len(log) {
		t.Errorf("asked %d times for %d versions", store.n, len(log))
	}
	s.cast(t, bob, v.Code, 1)
	for _, m := range s.log(t, channel.Vote(v.Code))[len(log):] {
		if !counts(t, see(lens, m)) || store.n != len(log)+1 {
			t.Errorf("one who has voted: asked %d times", store.n)
		}
	}
	see(lens, log[0])
	if !counts(t, see(lens, log[0])) || store.n != len(log)+1 {
		t.Errorf("one who has voted, later: asked %d times", store.n)
	}
}

// Who may not wait is told what need not be asked for.
func TestLensThatMayNotWait(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{Results: vote.Voted})
	store := &counting{Store: s.engine}
	lens := vote.New(store, vote.Config{}).Lens(t.Context(), bob, v)
	newest := func() channel.Message { log := s.log(t, channel.Vote(v.Code)); return log[len(log)-1] }
	glance := func(m channel.Message, known, shown bool) {
		t.Helper()
		if seen, ok := lens(m, false); ok != known || known && counts(t, seen) != shown {
			t.Errorf("tally %d: known %t, want %t; shown %t, want %t", m.Seq, ok, known, counts(t, seen), shown)
		}
	}
	s.cast(t, cyd, v.Code, 1)
	glance(newest(), false, false)
	if store.n != 0 {
		t.Error("the store was asked")
	}
	see(lens, newest())
	glance(newest(), true, false)
	s.cast(t, bob, v.Code, 1)
	glance(newest(), false, false)
	see(lens, newest())
	glance(newest(), true, true)
	s.cast(t, cyd, v.Code, 2)
	glance(newest(), true, true)
	s.update(t, v.Code, vote.Change{Results: new(vote.Owner)})
	glance(newest(), true, false)
	s.update(t, v.Code, vote.Change{Results: new(vote.Always)})
	glance(newest(), true, true)
	if store.n != 2 {
		t.Errorf("the store was asked %d times", store.n)
	}
}

func TestLensConcurrently(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{Results: vote.Voted})
	lens := s.Lens(t.Context(), bob, v)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20 {
			s.cast(t, cyd, v.Code, i%2+1)
		}
		s.cast(t, bob, v.Code, 1)
	})
	for range 3 {
		wg.Go(func() {
			for range 20 {
				for _, m := range s.log(t, channel.Vote(v.Code)) {
					counts(t, see(lens, m))
				}
			}
		})
	}
	wg.Wait()
	for _, m := range s.log(t, channel.Vote(v.Code)) {
		if !counts(t, see(lens, m)) {
			t.Errorf("tally %d is hidden from one who voted", m.Seq)
		}
	}
}

// see looks through a lens that may take its time.
func see(lens channel.Lens, m channel.Message) channel.Message {
	m, _ = lens(m, true)
	return m
}
