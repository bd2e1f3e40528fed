package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"parley/channel"
	"parley/vote"
)

// castTogether has ten ballots, and the extra operations, be one group of the writer, and returns the vote afterwards.
func castTogether(t *testing.T, extra ...func(*Engine)) vote.Vote {
	t.Helper()
	e, err := Open(filepath.Join(t.TempDir(), "parley.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	ctx := context.Background()
	_, err = e.CreateVote(ctx, vote.Vote{
		Code: "AAAAA", Question: "Tea?", Options: []vote.Option{{Text: "yes"}, {Text: "no"}}, Min: 1, Max: 1, Open: true, Results: vote.Always, Created: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}

	running, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = e.write(ctx, func(*tx) error { close(running); <-release; return nil })
	})
	<-running
	for i := range 10 {
		wg.Go(func() {
			b := vote.Ballot{Code: "AAAAA", Voter: channel.Sender{ID: fmt.Sprint("v", i)}, Options: []int{i%2 + 1}, At: time.Now()}
			v, err := e.Cast(ctx, b, func(vote.Vote, *vote.Ballot) error { return nil })
			if err != nil || v.Version < 2 || v.Voters < 1 {
				t.Errorf("voter %d: %+v, %v", i, v, err)
			}
		})
	}
	queued := func(n int) {
		for have := 0; have < n; runtime.Gosched() {
			e.writer.queue.mu.Lock()
			have = len(e.writer.queue.ops)
			e.writer.queue.mu.Unlock()
		}
	}
	queued(10)
	for i, fn := range extra { // behind the ballots
		wg.Go(func() { fn(e) })
		queued(11 + i)
	}
	close(release)
	wg.Wait()

	v, err := e.Vote(ctx, "AAAAA")
	if err != nil {
		t.Fatal(err)
	}
	recount, err := e.Recount(ctx, "AAAAA")
	if err != nil || v.Voters != 10 || v.Options[0].Count != 5 || v.Options[1].Count != 5 || recount.Voters != 10 || recount.Options[0] != v.Options[0] {
		t.Errorf("the vote is %+v, the recount %+v, %v", v, recount, err)
	}
	tail, err := e.Tail(ctx, channel.Vote("AAAAA"))
	if err != nil || tail.Seq != v.Version {
		t.Errorf("version %d, and the channel at %d, %v", v.Version, tail.Seq, err)
	}
	return v
}

func TestBallotsOfOneCommitShareATally(t *testing.T) {
	if v := castTogether(t); v.Version != 2 {
		t.Errorf("ten ballots in one commit made version %d", v.Version)
	}
	closing := func(e *Engine) {
		v, err := e.Update(context.Background(), "AAAAA", func(v vote.Vote) (vote.Vote, error) { v.Open = false; return v, nil })
		if err != nil || v.Open || v.Version != 2 {
			t.Errorf("closed: %+v, %v", v, err)
		}
	}
	if v := castTogether(t, closing); v.Version != 2 || v.Open {
		t.Errorf("with the closing: %+v", v)
	}
}

// A group that must be rolled back is run again one by one, and nothing of the first attempt is left in memory.
func TestBallotsSurviveARollback(t *testing.T) {
	broken := errors.New("broken")
	v := castTogether(t, func(e *Engine) {
		err := e.write(context.Background(), func(t *tx) error {
			if _, err := t.exec("UPDATE votes SET voters = 99"); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("the broken operation: %v", err)
		}
	})
	if v.Version != 11 {
		t.Errorf("ten ballots in ten commits made version %d", v.Version)
	}
}
