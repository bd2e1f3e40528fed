package vote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/sqlite"
	"parley/identity"
	"parley/problem"
	"parley/vote"
)

var (
	ann    = channel.Sender{ID: "ann", Name: "Ann"}
	bob    = channel.Sender{ID: "bob", Name: "Bob"}
	cyd    = channel.Sender{ID: "cyd", Name: "Cyd"}
	nobody = channel.Sender{}
)

// site is an engine with a service over it, and a clock that stands until it is moved.
type site struct {
	*vote.Service
	engine *sqlite.Engine
	hub    *channel.Hub
	clock  *clock
}

type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time       { return time.UnixMilli(c.ms.Load()) }
func (c *clock) move(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func newSite(t testing.TB, c vote.Config) *site {
	t.Helper()
	e, err := sqlite.Open(filepath.Join(t.TempDir(), "parley.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{engine: e, hub: channel.NewHub(e, channel.Options{}), clock: &clock{}}
	t.Cleanup(func() {
		s.hub.Close()
		_ = e.Close()
	})
	s.clock.ms.Store(time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC).UnixMilli())
	if c.Now == nil {
		c.Now = s.clock.now
	}
	s.Service = vote.New(e, c)
	return s
}

func (s *site) create(t testing.TB, spec vote.Spec) vote.Vote {
	t.Helper()
	if spec.Question == "" {
		spec.Question = "Tea?"
	}
	if spec.Options == nil {
		spec.Options = []string{"yes", "no", "maybe"}
	}
	v, err := s.Create(t.Context(), ann, spec)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (s *site) update(t testing.TB, code string, c vote.Change) vote.Vote {
	t.Helper()
	v, err := s.Update(t.Context(), ann, false, code, c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (s *site) cast(t testing.TB, who channel.Sender, code string, options ...int) vote.Vote {
	t.Helper()
	v, err := s.Cast(t.Context(), who, code, options)
	if err != nil {
		t.Fatalf("%s casting %v: %v", who.Name, options, err)
	}
	return v
}

// log is what the channel holds, without any lens.
func (s *site) log(t testing.TB, name channel.Name) []channel.Message {
	t.Helper()
	b, err := s.engine.Read(t.Context(), name, channel.Position{}, 10_000, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return b.Messages
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestLife(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{Max: 2, ClosesIn: time.Hour})
	code := strings.ToLower(v.Code)

	_, err := s.Cast(t.Context(), nobody, code, []int{1})
	wantErr(t, "casting as nobody", err, identity.ErrNoSession)
	for _, bad := range [][]int{{}, {0}, {-1}, {4}, {1, 1}, {1, 2, 3}, make([]int, 51)} {
		_, err := s.Cast(t.Context(), bob, code, bad)
		wantErr(t, fmt.Sprint("casting ", bad), err, vote.ErrBadOptions)
	}
	if v := s.cast(t, bob, code, 3, 1); v.Voters != 1 || v.Options[0].Count != 1 || v.Options[2].Count != 1 || v.Version != 2 {
		t.Errorf("after a ballot: %+v", v)
	}
	if v := s.cast(t, bob, code, 1, 3); v.Version != 2 {
		t.Errorf("after the same ballot in another order: version %d", v.Version)
	}
	if v := s.cast(t, bob, code, 2); v.Voters != 1 || v.Options[0].Count != 0 || v.Options[1].Count != 1 {
		t.Errorf("after changing it: %+v", v)
	}

	question, yes, two := "Coffee?", true, 2
	for name, c := range map[string]vote.Change{
		"question": {Question: &question}, "options": {Options: []string{"a", "b"}}, "named": {Named: &yes}, "min": {Min: &two},
	} {
		_, err := s.Update(t.Context(), ann, false, code, c)
		wantErr(t, "changing "+name+" after the first ballot", err, vote.ErrVoteLocked)
	}
	same := v.Question
	if v := s.update(t, code, vote.Change{Question: &same, Options: []string{"yes", "no", "maybe"}, Max: &two, Change: &yes}); v.Version != 3 {
		t.Errorf("giving locked fields as they are made version %d", v.Version)
	}
	_, err = s.Update(t.Context(), bob, false, code, vote.Change{})
	wantErr(t, "another's vote", err, problem.NotOwner)
	_, err = s.Update(t.Context(), nobody, false, code, vote.Change{})
	wantErr(t, "updating as nobody", err, identity.ErrNoSession)
	if _, err = s.Update(t.Context(), bob, true, code, vote.Change{Results: new(vote.Closed)}); err != nil {
		t.Errorf("as administrator: %v", err)
	}
	recount, err := s.Recount(t.Context(), v.Code)
	if err != nil || recount.Options[1].Count != 1 || recount.Voters != 1 {
		t.Errorf("the recount is %+v, %v", recount, err)
	}
	_, err = s.Get(t.Context(), bob, "AAAAA")
	wantErr(t, "an absent vote", err, vote.ErrNoVote)
}

func TestNoChange(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{Change: new(false)})
	s.cast(t, bob, v.Code, 1)
	s.cast(t, bob, v.Code, 1)
	_, err := s.Cast(t.Context(), bob, v.Code, []int{2})
	wantErr(t, "another ballot", err, vote.ErrAlreadyVoted)
	s.update(t, v.Code, vote.Change{Open: new(false)})
	s.cast(t, bob, v.Code, 1) // the first answer was lost
	_, err = s.Cast(t.Context(), cyd, v.Code, []int{1})
	wantErr(t, "a ballot after closing", err, vote.ErrVoteClosed)
}

// A ballot is judged by the clock even while the closing is not written.
func TestDeadlineInTheTransaction(t *testing.T) {
	s := newSite(t, vote.Config{})
	v := s.create(t, vote.Spec{ClosesIn: time.Minute})
	s.clock.move(time.Minute - time.Millisecond)
	s.cast(t, bob, v.Code, 1)
	s.clock.move(time.Millisecond)
	_, err := s.Cast(t.Context(), cyd, v.Code, []int{1})
	wantErr(t, "a ballot at the deadline", err, vote.ErrVoteClosed)
	s.cast(t, bob, v.Code, 1)
	if n := len(s.log(t, channel.Vote(v.Code))); n != 2 {
		t.Fatalf("%d tallies: the closing was written before the test was over", n)
	}

	// Whoever asks gets it written.
	if v, err := s.Get(t.Context(), bob, v.Code); err != nil || v.Open || v.Version != 3 {
		t.Errorf("after the deadline: %+v, %v", v, err)
	}
}

func TestReopening(t *testing.T) {
	s := newSite(t, vote.Config{})
	open := vote.Change{Open: new(true)}
	v := s.create(t, vote.Spec{ClosesIn: time.Minute})

	s.update(t, v.Code, vote.Change{Open: new(false)})
	if v := s.update(t, v.Code, open); !v.Open || v.Closes.IsZero() {
		t.Errorf("opened before the deadline: %+v", v)
	}
	s.clock.move(2 * time.Minute)
	later := s.clock.now().Add(time.Minute)
	if v := s.update(t, v.Code, vote.Change{Closes: &later}); v.Open {
		t.Errorf("a new deadline opened the vote: %+v", v)
	}
	s.clock.move(2 * time.Minute)
	if v := s.update(t, v.Code, open); !v.Open || !v.Closes.IsZero() {
		t.Errorf("opened after the deadline: %+v", v)
	}
	s.update(t, v.Code, vote.Change{Open: new(false)})
	later = s.clock.now().Add(time.Minute)
	if v := s.update(t, v.Code, vote.Change{Open: new(true), Closes: &later}); !v.Open || !v.Closes.Equal(later) {
		t.Errorf("opened with a new deadline: %+v", v)
	}
	past := s.clock.now()
	_, err := s.Update(t.Context(), ann, false, v.Code, vote.Change{Closes: &past})
	wantErr(t, "a deadline in the past", err, problem.BadRequest)
	if v := s.update(t, v.Code, vote.Change{Closes: new(time.Time{})}); !v.Closes.IsZero() || !v.Open {
		t.Errorf("without deadline: %+v", v)
	}
}

// rooms lets people into rooms.
type rooms map[string][]channel.Sender

func (r rooms) MayPost(ctx context.Context, who channel.Sender, room string) error {
	return r.MayRead(ctx, who, room)
}

func (r rooms) MayRead(_ context.Context, who channel.Sender, room string) error {
	if slices.Contains(r[room], who) {
		return nil
	}
	return problem.Forbidden.Detail("not a member of %s", room)
}

func TestRooms(t *testing.T) {
	in := rooms{"tea": {ann, bob}}
	s := newSite(t, vote.Config{Rooms: in})
	v := s.create(t, vote.Spec{Question: "茶 & <b>?", Room: "tea"})
	messages := s.log(t, "room:tea")
	if len(messages) != 1 || messages[0].Type != "vote" || messages[0].From != ann {
		t.Fatalf("the room has %+v", messages)
	}
	var data map[string]string
	if err := json.Unmarshal(messages[0].Data, &data); err != nil || len(data) != 2 || data["code"] != v.Code || data["question"] != "茶 & <b>?" {
		t.Errorf("the announcement is %s", messages[0].Data)
	}
	for what, call := range map[string]func(channel.Sender) error{
		"get":    func(who channel.Sender) error { _, err := s.Get(t.Context(), who, v.Code); return err },
		"read":   func(who channel.Sender) error { _, err := s.MayRead(t.Context(), who, v.Code); return err },
		"cast":   func(who channel.Sender) error { _, err := s.Cast(t.Context(), who, v.Code, []int{1}); return err },
		"export": func(who channel.Sender) error { _, err := s.Export(t.Context(), who, v.Code); return err },
	} {
		wantErr(t, what+" from outside", call(cyd), problem.Forbidden)
		if err := call(bob); err != nil {
			t.Errorf("%s from inside: %v", what, err)
		}
	}
	_, err := s.Update(t.Context(), cyd, false, v.Code, vote.Change{Open: new(false)})
	wantErr(t, "update from outside", err, problem.Forbidden)
	_, err = s.Create(t.Context(), cyd, vote.Spec{Question: "?", Options: []string{"a", "b"}, Room: "tea"})
	wantErr(t, "create from outside", err, problem.Forbidden)
	if n := len(s.log(t, "room:tea")); n != 1 {
		t.Errorf("the room has %d messages", n)
	}

	own := s.create(t, vote.Spec{})
	if list, err := s.List(t.Context(), ann); err != nil || len(list) != 2 || list[0].Code != own.Code {
		t.Errorf("the list is %v, %v", list, err)
	}
	in["tea"] = nil
	if list, err := s.List(t.Context(), ann); err != nil || len(list) != 1 {
		t.Errorf("the list outside the room is %v, %v", list, err)
	}
	_, err = s.Update(t.Context(), ann, false, v.Code, vote.Change{Open: new(false)})
	wantErr(t, "the owner outside", err, problem.Forbidden)
}

func TestCodes(t *testing.T) {
	random := bytes.NewReader([]byte("\x00\x00\x00\x00\x00.....\x00\x00\x00\x00\x00.....\x01\x01\x01\x01\x01....."))
	s := newSite(t, vote.Config{Rand: random})
	if v := s.create(t, vote.Spec{}); v.Code != "AAAAA" {
		t.Errorf("the first code is %s", v.Code)
	}
	if v := s.create(t, vote.Spec{}); v.Code != "CCCCC" {
		t.Errorf("the second code is %s", v.Code)
	}
	_, err := s.Create(t.Context(), ann, vote.Spec{Question: "?", Options: []string{"a", "b"}})
	wantErr(t, "without randomness", err, io.EOF)

	stuck := newSite(t, vote.Config{Rand: zeros{}})
	stuck.create(t, vote.Spec{})
	_, err = stuck.Create(t.Context(), ann, vote.Spec{Question: "?", Options: []string{"a", "b"}})
	wantErr(t, "when every code is taken", err, problem.Unavailable)

	if _, err := s.MayRead(t.Context(), bob, "aaaaa"); !errors.Is(err, vote.ErrNoVote) {
		t.Errorf("a channel in lower case: %v", err)
	}
	if _, err := s.MayRead(t.Context(), bob, "AAAAA"); err != nil {
		t.Errorf("the channel: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestNames(t *testing.T) {
	s := newSite(t, vote.Config{})
	for _, named := range []bool{true, false} {
		v := s.create(t, vote.Spec{Named: named, Results: vote.Voted, Max: 2})
		many := 10
		if named {
			many = 1000 // as many as a view reads at first
		}
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				if _, err := s.Cast(context.Background(), channel.Sender{ID: fmt.Sprint("v", i), Name: fmt.Sprint("V", i)}, v.Code, []int{1}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s.clock.move(time.Second)
		s.cast(t, bob, v.Code, 1, 3)
		shown := func(who channel.Sender) (vote.View, vote.View) {
			v, err := s.Get(t.Context(), who, v.Code)
			if err != nil {
				t.Fatal(err)
			}
			view, err := s.Show(t.Context(), who, v)
			if err != nil {
				t.Fatal(err)
			}
			export, err := s.Export(t.Context(), who, v.Code)
			if err != nil {
				t.Fatal(err)
			}
			return view, export
		}
		count := func(view vote.View) (n [3]int) {
			for i, o := range view.Options {
				if n[i] = len(o.Who); o.Who == nil {
					n[i] = -1
				}
			}
			return n
		}
		view, export := shown(bob)
		wantView, wantExport := [3]int{100, 0, 1}, [3]int{many + 1, 0, 1}
		if !named {
			wantView, wantExport = [3]int{-1, -1, -1}, [3]int{-1, -1, -1}
		}
		if count(view) != wantView || count(export) != wantExport {
			t.Errorf("named %t: names %v in the view, %v in the export", named, count(view), count(export))
		}
		if view, export := shown(cyd); view.Visible || export.Visible || count(view) != [3]int{-1, -1, -1} || count(export) != [3]int{-1, -1, -1} {
			t.Errorf("hidden: %+v, %+v", view, export)
		}
	}
}
