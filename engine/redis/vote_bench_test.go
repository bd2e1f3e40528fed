package redis

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/redis/redistest"
	"parley/vote"
)

// People cast ballots in one vote, all at a time, through one node or two, or as the service of votes does it. What Redis does for one ballot
// is measured beside: scripts, and commands by nodes and scripts.
func BenchmarkCast(b *testing.B) {
	for _, nodes := range []int{1, 2} {
		for _, people := range []int{1, 64} {
			b.Run(fmt.Sprintf("nodes=%d/people=%d", nodes, people), func(b *testing.B) { benchmarkCast(b, nodes, people, false) })
		}
		b.Run(fmt.Sprintf("nodes=%d/people=64/service", nodes), func(b *testing.B) { benchmarkCast(b, nodes, 64, true) })
	}
}

func benchmarkCast(b *testing.B, nodes, people int, service bool) {
	server := redistest.Start(b)
	url := fresh(server)
	var engines []*Engine
	var services []*vote.Service
	for range nodes {
		e := open(b, url, Options{})
		engines, services = append(engines, e), append(services, vote.New(e, vote.Config{}))
	}
	makeVote(b, engines[0], "AAAAA", 2)
	var next atomic.Int64
	var wg sync.WaitGroup
	scripts, commands := commandsOf(b, engines[0])
	cpu := cpuOf(server)
	b.ResetTimer()
	for p := range people {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				who, options := channel.Sender{ID: fmt.Sprintf("%x", i*0x9e3779b97f4a7c), Name: "Voter"}, []int{int(i%2) + 1}
				var err error
				if service {
					_, err = services[p%nodes].Cast(b.Context(), who, "AAAAA", options)
				} else {
					_, err = engines[p%nodes].Cast(b.Context(), vote.Ballot{Code: "AAAAA", Voter: who, Options: options, At: time.Now()}, mayVote)
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ballots/s")
	scriptsAfter, commandsAfter := commandsOf(b, engines[0])
	b.ReportMetric(1e9*(cpuOf(server)-cpu)/float64(b.N), "redis-cpu-ns/ballot")
	b.ReportMetric(float64(scriptsAfter-scripts)/float64(b.N), "scripts/ballot")
	b.ReportMetric(float64(commandsAfter-commands)/float64(b.N), "commands/ballot")
	v, err := engines[0].Vote(b.Context(), "AAAAA")
	if err != nil || v.Voters != b.N {
		b.Errorf("%d ballots of %d, %v", v.Voters, b.N, err)
	}
	b.ReportMetric(float64(b.N)/float64(v.Version-1), "ballots/event")
}

// commandsOf returns how many scripts a Redis has run, and how many commands, also by scripts.
func commandsOf(t testing.TB, e *Engine) (scripts, commands int) {
	t.Helper()
	info, err := e.client.Do(t.Context(), e.client.B().Info().Section("commandstats").Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		name, rest, ok := strings.Cut(line, ":calls=")
		if !ok {
			continue
		}
		n, _ := strconv.Atoi(rest[:strings.IndexByte(rest, ',')])
		commands += n
		if strings.HasPrefix(name, "cmdstat_evalsha") {
			scripts += n
		}
	}
	return scripts, commands
}
