package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/enginetest"
	"parley/vote"
)

func TestVote(t *testing.T) {
	enginetest.Vote(t, func(t *testing.T) enginetest.VoteEngine {
		return open(t, filepath.Join(t.TempDir(), "parley.db"), Options{})
	})
}

// 64 people at a time cast ballots in one vote.
func BenchmarkCast(b *testing.B) {
	e := open(b, filepath.Join(b.TempDir(), "parley.db"), Options{})
	v, err := e.CreateVote(b.Context(), vote.Vote{
		Code: "AAAAA", Question: "Tea?", Options: []vote.Option{{Text: "yes"}, {Text: "no"}}, Min: 1, Max: 1, Open: true, Results: vote.Always, Created: time.Now(),
	})
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				ballot := vote.Ballot{Code: v.Code, Voter: channel.Sender{ID: fmt.Sprintf("%x", i*0x9e3779b97f4a7c), Name: "Voter"}, Options: []int{int(i%2) + 1}, At: time.Now()}
				if _, err := e.Cast(b.Context(), ballot, func(vote.Vote, *vote.Ballot) error { return nil }); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ballots/s")
}
