package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/verify"
)

// TestKill kills the server with SIGKILL in a loop while people publish, vote and read on every transport, and then
// hears the oracle of parley verify: every acknowledged message is there once and in order, every reader ends with the same
// log, and the tally is the sum of the ballots. PARLEY_KILLS says how often (default 5; `make test-crash-long`: 50).
func TestKill(t *testing.T) {
	t.Parallel()
	kills := howManyKills(t, 5)
	s := startServer(t, unlimited...)
	stop := make(chan struct{})
	done := runVerify(t.Context(), t, verify.Options{URL: s.url, Stop: stop, Settle: 2 * time.Minute})
	for range kills {
		time.Sleep(300*time.Millisecond + rand.N(500*time.Millisecond))
		s.kill()
		s.start()
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	r := <-done
	if r == nil {
		return
	}
	for _, v := range r.Violations {
		t.Error(v)
	}
	for _, o := range r.Open {
		t.Error(o)
	}
	s.recount(t)
	t.Logf("%d kills: %+v", kills, r.Counts)
	// A voter whose answer is lost does not change their mind for two seconds: so ballots are fewer.
	if c := r.Counts; c.Acknowledged < int64(20*kills) || c.Ballots < int64(4*kills) {
		t.Errorf("too little happened to prove anything")
	}
}

func howManyKills(t *testing.T, byDefault int) int {
	s := os.Getenv("PARLEY_KILLS")
	if s == "" {
		return byDefault
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("PARLEY_KILLS=%q is not a number of kills", s)
	}
	return n
}

type wireVote struct {
	Voters  int
	Options []struct {
		Count *int
	}
}

func (v wireVote) counts() (counts []int) {
	for _, o := range v.Options {
		if o.Count != nil {
			counts = append(counts, *o.Count)
		}
	}
	return counts
}

// TestEveryBallotOnce: 200 people vote at once, each three times over: 200 ballots.
func TestEveryBallotOnce(t *testing.T) {
	s := startServer(t, unlimited...)
	owner := s.signIn("owner")
	var vote struct{ Code string }
	if err := owner.insist("POST", "/v1/votes", map[string]any{"question": "Which?", "options": []string{"A", "B"}}, &vote); err != nil {
		t.Fatal(err)
	}
	const people = 200
	clients := make([]client, people)
	for i := range clients {
		clients[i] = s.signIn(fmt.Sprintf("person %d", i))
	}
	var all sync.WaitGroup
	var answered atomic.Int64
	for i, c := range clients {
		for range 3 {
			all.Go(func() {
				if err := c.insist("PUT", "/v1/votes/"+vote.Code+"/ballot", map[string]any{"options": []int{1 + i%2}}, nil); err != nil {
					t.Error(err)
				}
				answered.Add(1)
			})
		}
	}
	all.Wait()
	var view wireVote
	if err := owner.insist("GET", "/v1/votes/"+vote.Code, nil, &view); err != nil {
		t.Fatal(err)
	}
	if counts := view.counts(); answered.Load() != 3*people || view.Voters != people || counts[0] != people/2 || counts[1] != people/2 {
		t.Errorf("%d requests were answered; the tally is %v of %d voters, want 100 and 100 of 200", answered.Load(), counts, view.Voters)
	}
	s.recount(t)
}

// recount runs the command that counts the ballots anew, beside the running server.
func (s *server) recount(t *testing.T) {
	t.Helper()
	out, err := s.command("recount")
	if err != nil || !strings.Contains(out, " 0 wrong") {
		t.Errorf("parley recount: %v\n%s", err, out)
	}
}
