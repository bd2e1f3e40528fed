package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/identity"
	"parley/vote"
)

// VoteEngine is what the suite of votes needs of an engine.
type VoteEngine interface {
	vote.Store
	channel.Log
	identity.Store // for current names
	chat.Store     // for the votes of one's rooms
}

// Vote is what every engine must do as a vote.Store. open returns an empty engine, without any policy for the kind vote, and closes it
// when the test ends.
func Vote(t *testing.T, open func(t *testing.T) VoteEngine) {
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
		{"names", (*voteTest).names},
		{"whose votes", (*voteTest).list},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(&voteTest{strict{t}, open(t)}) })
	}
}

type voteTest struct {
	strict
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
	t.ok(err)
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

	host := channel.Sender{ID: "host", Name: "Host"}
	for _, who := range []channel.Sender{host, voter(2)} {
		if err := t.e.CreateUser(t.Context(), identity.User{ID: who.ID, Name: who.Name, Created: voteStart, Seen: voteStart}, who.Name); err != nil {
			t.Fatal(err)
		}
	}
	room := func(id string) {
		t.Helper()
		r := chat.Room{ID: id, Name: id, Owner: host, Created: voteStart}
		if err := t.e.CreateRoom(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		v := draftVote("ROOM"+id, 2)
		v.Room = id
		t.must(t.e.CreateVote(t.Context(), v))
	}
	room("x")
	room("y")
	if _, err := t.e.Join(t.Context(), "x", voter(2)); err != nil {
		t.Fatal(err)
	}
	list(voter(2).ID, 10, "ROOMx", "DDDDD", "AAAAA")
	if _, err := t.e.Leave(t.Context(), "x", voter(2).ID); err != nil {
		t.Fatal(err)
	}
	list(voter(2).ID, 10, "DDDDD", "AAAAA")
}
