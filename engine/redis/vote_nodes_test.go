package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/engine/enginetest"
	"parley/engine/redis/redistest"
	"parley/identity"
	"parley/problem"
	"parley/vote"
)

func TestVotesOnTwoNodes(t *testing.T) {
	t.Parallel()
	votesOnTwoNodes(t, redistest.Start(t))
}

// votesOnTwoNodes is what nodes must do together, wherever their votes are.
func votesOnTwoNodes(t *testing.T, redis addressed) {
	for name, test := range map[string]func(*testing.T, addressed){
		"ballots":                  ballotsFromTwoNodes,
		"closing":                  closingOnOneNodeStopsTheOther,
		"recount":                  recountUnderLoad,
		"deadline":                 deadlineOnTwoNodes,
		"lost connections":         ballotsWhileConnectionsAreLost,
		"changed meanwhile":        changedMeanwhile,
		"the newest votes of many": newestVotes,
	} {
		t.Run(name, func(t *testing.T) { test(t, redis) })
	}
}

// twoNodes opens two engines on one set of keys.
func twoNodes(t testing.TB, redis addressed) [2]*Engine {
	url := fresh(redis)
	return [2]*Engine{open(t, url, Options{}), open(t, url, Options{})}
}

func voterNamed(i int) channel.Sender {
	return channel.Sender{ID: fmt.Sprintf("v%04d", i), Name: fmt.Sprint("Voter ", i)}
}

func makeVote(t testing.TB, e *Engine, code string, options int) vote.Vote {
	t.Helper()
	v, err := e.CreateVote(t.Context(), draftedVote(code, options))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func draftedVote(code string, options int) vote.Vote {
	v := vote.Vote{Code: code, Question: "Which?", Min: 1, Max: options, Owner: voterNamed(0), Change: true, Results: vote.Always, Open: true, Created: time.Now()}
	for i := range options {
		v.Options = append(v.Options, vote.Option{Text: fmt.Sprint("option ", i+1)})
	}
	return v
}

func ballotOf(code string, voter int, options ...int) vote.Ballot {
	return vote.Ballot{Code: code, Voter: voterNamed(voter), Options: options, At: time.Now()}
}

func mayVote(v vote.Vote, _ *vote.Ballot) error {
	if !v.Open {
		return vote.ErrVoteClosed
	}
	return nil
}

// tallies reads every event of a vote.
func tallies(t testing.TB, e *Engine, code string) (all []vote.Tally) {
	t.Helper()
	for after := (channel.Position{}); ; {
		b, err := e.Read(t.Context(), channel.Vote(code), after, 1000, 1<<20)
		if err != nil || b.Gap != nil {
			t.Fatal(err, b.Gap)
		}
		for _, m := range b.Messages {
			all = append(all, parseTally(t, m))
		}
		if after = b.To; !b.More {
			return all
		}
	}
}

func parseTally(t testing.TB, m channel.Message) (tally vote.Tally) {
	t.Helper()
	if err := json.Unmarshal(m.Data, &tally); err != nil || tally.Version != m.Seq {
		t.Fatalf("message %d is %s: %v", m.Seq, m.Data, err)
	}
	return tally
}

// agree checks that both nodes say the same of a vote, which is what its ballots say and its newest event.
func agree(t testing.TB, nodes [2]*Engine, code string) vote.Vote {
	t.Helper()
	var said [6]string
	for i, e := range nodes {
		v, err1 := e.Vote(t.Context(), code)
		recount, err2 := e.Recount(t.Context(), code)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		newest := tallies(t, e, code)
		event, _ := json.Marshal(newest[len(newest)-1])
		said[3*i], said[3*i+1], said[3*i+2] = string(vote.Event(v)), string(vote.Event(recount)), string(event)
	}
	for _, s := range said {
		if s != said[0] {
			t.Errorf("the nodes' votes, recounts and newest events differ:\n%s\n%s", s, said[0])
		}
	}
	v, err := nodes[0].Vote(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Everybody casts on both nodes at once, again and again, and changes their mind.
func ballotsFromTwoNodes(t *testing.T, redis addressed) {
	nodes := twoNodes(t, redis)
	var heard [2]enginetest.Recorder
	for i, e := range nodes {
		e.Follow(&heard[i])
	}
	const voters, options, times = 60, 4, 8
	makeVote(t, nodes[0], "AAAAA", options)
	var wg sync.WaitGroup
	for i := range voters {
		for n, e := range nodes {
			wg.Go(func() {
				for k := range times {
					b := ballotOf("AAAAA", i, 1+(i+n*k)%options)
					v, err := e.Cast(t.Context(), b, mayVote)
					if err != nil {
						t.Error(err)
						return
					}
					sum := 0
					for _, o := range v.Options {
						sum += o.Count
					}
					if sum != v.Voters {
						t.Errorf("an answer counts %d options of %d voters with one each", sum, v.Voters)
					}
				}
			})
		}
	}
	wg.Wait()
	v := agree(t, nodes, "AAAAA")
	if v.Voters != voters {
		t.Errorf("%d voters of %d", v.Voters, voters)
	}
	before := 0
	for _, tally := range tallies(t, nodes[1], "AAAAA") {
		sum := 0
		for _, o := range tally.Options {
			sum += *o.Count
		}
		if sum != tally.Voters || tally.Voters < before {
			t.Errorf("version %d counts %d options of %d voters after %d", tally.Version, sum, tally.Voters, before)
		}
		before = tally.Voters
	}
	for i := range nodes {
		redistest.Eventually(t, "a node hears every tally", func() bool { return len(heard[i].Messages(channel.Vote("AAAAA"))) >= int(v.Version) })
		for j, m := range heard[i].Messages(channel.Vote("AAAAA")) {
			if tally := parseTally(t, m); tally.Version != uint64(j+1) {
				t.Fatalf("node %d heard version %d as number %d", i, tally.Version, j+1)
			}
		}
	}
}

// Once a vote is closed by one node, no ballot of the other counts.
func closingOnOneNodeStopsTheOther(t *testing.T, redis addressed) {
	nodes := twoNodes(t, redis)
	for round := range 5 {
		code := fmt.Sprint("AAAA", round)
		makeVote(t, nodes[0], code, 2)
		var accepted, refused atomic.Int64
		var wg sync.WaitGroup
		half := make(chan struct{})
		for i := range 200 {
			wg.Go(func() {
				_, err := nodes[1].Cast(t.Context(), ballotOf(code, i, 1+i%2), mayVote)
				switch {
				case err == nil:
					if accepted.Add(1) == 50 {
						close(half)
					}
				case errors.Is(err, vote.ErrVoteClosed):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
			if i%20 == 19 {
				time.Sleep(time.Millisecond) // so that there are several groups
			}
		}
		<-half
		closed, err := nodes[0].Update(t.Context(), code, func(v vote.Vote) (vote.Vote, error) { v.Open = false; return v, nil })
		if err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		v := agree(t, nodes, code)
		if v.Open || v.Version != closed.Version || v.Voters != closed.Voters || int64(v.Voters) != accepted.Load() || accepted.Load()+refused.Load() != 200 {
			t.Errorf("closed at version %d with %d voters; now %d with %d; %d accepted, %d refused", closed.Version, closed.Voters, v.Version, v.Voters, accepted.Load(), refused.Load())
		}
	}
}

// A recount is of one moment, however many ballots come.
func recountUnderLoad(t *testing.T, redis addressed) {
	nodes := twoNodes(t, redis)
	makeVote(t, nodes[0], "AAAAA", 3)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				if _, err := nodes[i%2].Cast(t.Context(), ballotOf("AAAAA", i, 1+(i+k)%3), mayVote); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 50 {
		v, err := nodes[i%2].Recount(t.Context(), "AAAAA")
		if err != nil {
			t.Fatal(err)
		}
		m, err := nodes[i%2].Message(t.Context(), channel.Vote("AAAAA"), v.Version)
		if err != nil || string(m.Data) != string(vote.Event(v)) {
			t.Fatalf("the recount is\n%s, the event of its version\n%s, %v", vote.Event(v), m.Data, err)
		}
	}
	stop()
	wg.Wait()
	agree(t, nodes, "AAAAA")
}

// A deadline is written once, whichever node does.
func deadlineOnTwoNodes(t *testing.T, redis addressed) {
	nodes := twoNodes(t, redis)
	var services [2]*vote.Service
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i, e := range nodes {
		services[i] = vote.New(e, vote.Config{})
		wg.Go(func() { _ = services[i].Run(ctx) })
	}
	var codes []string
	for i := range 20 {
		v, err := services[i%2].Create(t.Context(), voterNamed(0), vote.Spec{Question: "?", Options: []string{"a", "b"}, ClosesIn: time.Second + time.Duration(i)*time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := services[1-i%2].Cast(t.Context(), voterNamed(i), v.Code, []int{1}); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, v.Code)
	}
	// Those who ask for a vote that is due close it as well.
	redistest.Eventually(t, "all votes are closed", func() bool {
		return !slices.ContainsFunc(codes, func(code string) bool {
			v, err := services[0].Get(t.Context(), voterNamed(1), code)
			return err != nil || v.Open
		})
	})
	stop()
	wg.Wait()
	for _, code := range codes {
		if v := agree(t, nodes, code); v.Version != 3 || v.Voters != 1 || v.Open {
			t.Errorf("%s is %+v", code, v)
		}
	}
	if code, _, err := nodes[1].NextDeadline(t.Context()); code != "" || err != nil {
		t.Errorf("there is a deadline of %q still, %v", code, err)
	}
}

// Whoever was told that their ballot counts, it does; whoever was not told repeats it, and it counts once: however often connections are lost.
func ballotsWhileConnectionsAreLost(t *testing.T, redis addressed) {
	url := fresh(redis)
	nodes := [2]*Engine{open(t, url, Options{}), open(t, url, Options{})}
	makeVote(t, nodes[0], "AAAAA", 3)
	stop := make(chan struct{})
	var killer, wg sync.WaitGroup
	admin := open(t, url, Options{})
	killer.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				_ = admin.client.Do(context.Background(), admin.client.B().Arbitrary("CLIENT", "KILL", "TYPE", "normal").Build()).Error()
			}
		}
	})
	const voters = 300
	for i := range voters {
		wg.Go(func() {
			b := ballotOf("AAAAA", i, 1+i%3)
			for n := range 50 {
				if _, err := nodes[(i+n)%2].Cast(t.Context(), b, mayVote); err == nil {
					return
				}
			}
			t.Errorf("the ballot of voter %d never went through", i)
		})
		if i%10 == 9 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	wg.Wait()
	close(stop)
	killer.Wait()
	if v := agree(t, nodes, "AAAAA"); v.Voters != voters || v.Options[0].Count != voters/3 {
		t.Errorf("%d voters made %+v", voters, v)
	}
}

// What is changed on another node between the check and the script is checked again.
func changedMeanwhile(t *testing.T, redis addressed) {
	nodes := twoNodes(t, redis)
	// cast casts on one node, and lets something happen after the first check. It returns what the checks saw.
	cast := func(b vote.Ballot, meanwhile func()) (seen []string, v vote.Vote, err error) {
		v, err = nodes[0].Cast(t.Context(), b, func(v vote.Vote, earlier *vote.Ballot) error {
			saw := fmt.Sprintf("open %t, %d options", v.Open, len(v.Options))
			if earlier != nil {
				saw += fmt.Sprint(", earlier ", earlier.Options)
			}
			if seen = append(seen, saw); len(seen) == 1 {
				meanwhile()
			}
			return mayVote(v, earlier)
		})
		return seen, v, err
	}
	update := func(code string, change func(*vote.Vote)) {
		t.Helper()
		if _, err := nodes[1].Update(t.Context(), code, func(v vote.Vote) (vote.Vote, error) { change(&v); return v, nil }); err != nil {
			t.Error(err)
		}
	}
	elsewhere := func(b vote.Ballot) {
		t.Helper()
		if _, err := nodes[1].Cast(t.Context(), b, mayVote); err != nil {
			t.Error(err)
		}
	}

	makeVote(t, nodes[0], "AAAAA", 2)
	seen, v, err := cast(ballotOf("AAAAA", 1, 1), func() {
		update("AAAAA", func(v *vote.Vote) { v.Options = append(v.Options, vote.Option{Text: "third"}) })
	})
	if err != nil || !slices.Equal(seen, []string{"open true, 2 options", "open true, 3 options"}) || v.Voters != 1 || len(v.Options) != 3 {
		t.Errorf("with another option: saw %q, %+v, %v", seen, v, err)
	}
	seen, v, err = cast(ballotOf("AAAAA", 2, 1), func() { elsewhere(ballotOf("AAAAA", 2, 2)) })
	if err != nil || !slices.Equal(seen, []string{"open true, 3 options", "open true, 3 options, earlier [2]"}) || v.Voters != 2 || v.Options[0].Count != 2 {
		t.Errorf("with another ballot of the same voter: saw %q, %+v, %v", seen, v, err)
	}
	seen, v, err = cast(ballotOf("AAAAA", 3, 1), func() { elsewhere(ballotOf("AAAAA", 4, 2)) })
	if err != nil || len(seen) != 1 || v.Voters != 4 {
		t.Errorf("with a ballot of somebody else: saw %q, %+v, %v", seen, v, err)
	}
	seen, _, err = cast(ballotOf("AAAAA", 5, 1), func() { update("AAAAA", func(v *vote.Vote) { v.Open = false }) })
	if !errors.Is(err, vote.ErrVoteClosed) || len(seen) != 2 {
		t.Errorf("with closing: saw %q, %v", seen, err)
	}
	agree(t, nodes, "AAAAA")

	makeVote(t, nodes[0], "DDDDD", 2)
	calls := 0
	v, err = nodes[0].Update(t.Context(), "DDDDD", func(v vote.Vote) (vote.Vote, error) {
		if calls++; calls == 1 {
			update("DDDDD", func(v *vote.Vote) { v.Results = vote.Owner })
		}
		v.Open = false
		return v, nil
	})
	if err != nil || v.Open || v.Results != vote.Owner || calls != 2 {
		t.Errorf("with another update: %d calls, %+v, %v", calls, v, err)
	}
	agree(t, nodes, "DDDDD")

	makeVote(t, nodes[0], "CCCCC", 2)
	var voters []int
	locked := errors.New("locked")
	_, err = nodes[0].Update(t.Context(), "CCCCC", func(v vote.Vote) (vote.Vote, error) {
		if voters = append(voters, v.Voters); len(voters) == 1 {
			elsewhere(ballotOf("CCCCC", 1, 2))
		}
		if v.Voters > 0 {
			return v, locked
		}
		v.Options = v.Options[:1]
		return v, nil
	})
	if !errors.Is(err, locked) || !slices.Equal(voters, []int{0, 1}) {
		t.Errorf("an update with the first ballot saw voters %v, %v", voters, err)
	}
	agree(t, nodes, "CCCCC")
}

// The newest votes are found in whatever partitions they are.
func newestVotes(t *testing.T, redis addressed) {
	nodes := twoNodes(t, redis)
	if err := nodes[0].CreateUser(t.Context(), identity.User{ID: voterNamed(0).ID, Name: "Ann", Created: time.Now(), Seen: time.Now()}, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := nodes[0].CreateRoom(t.Context(), chat.Room{ID: "tea", Name: "Tea", Owner: voterNamed(0), Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := nodes[0].Join(t.Context(), "tea", voterNamed(0)); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 150 {
		v := draftedVote(fmt.Sprintf("A%04d", i), 2)
		if i%2 == 0 {
			v.Room = "tea"
		}
		if _, err := nodes[i%2].CreateVote(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		code := v.Code
		want = append(want, code)
		if i%3 == 0 { // listed once, for all reasons
			if _, err := nodes[1-i%2].Cast(t.Context(), ballotOf(code, 0, 1), mayVote); err != nil {
				t.Fatal(err)
			}
		}
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 5, 100, 1000} {
		votes, err := nodes[0].Votes(t.Context(), voterNamed(0).ID, limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range votes {
			got = append(got, v.Code)
		}
		if !slices.Equal(got, want[:min(limit, len(want))]) {
			t.Errorf("the newest %d are %v", limit, got)
		}
	}
}

// While Redis is away ballots are refused, all that wait at once; when it is back they count, and none twice.
func TestVotesWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	url := fresh(server)
	nodes := [2]*Engine{open(t, url, Options{Patience: 200 * time.Millisecond}), open(t, url, Options{})}
	makeVote(t, nodes[0], "AAAAA", 2)
	const voters = 3 * groupBallots
	castAll := func() (refused int) {
		var n atomic.Int64
		var wg sync.WaitGroup
		for i := range voters {
			wg.Go(func() {
				_, err := nodes[0].Cast(t.Context(), ballotOf("AAAAA", i, 1), mayVote)
				if errors.Is(err, problem.Unavailable) {
					n.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return int(n.Load())
	}
	server.Kill()
	if refused := castAll(); refused != voters {
		t.Errorf("%d ballots of %d were refused", refused, voters)
	}
	server.Restart()
	redistest.Eventually(t, "ballots count again", func() bool { return castAll() == 0 })
	if v := agree(t, nodes, "AAAAA"); v.Voters != voters || v.Options[0].Count != voters {
		t.Errorf("%d voters made %+v", voters, v)
	}
}
