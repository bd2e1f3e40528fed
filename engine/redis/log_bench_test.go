package redis

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"parley/channel"
	"parley/engine/redis/redistest"
)

// BenchmarkAppend appends by two nodes, each of which hears what both do, from many goroutines; what it costs Redis stands beside.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name     string
		channels int
		keyed    bool
	}{{"one channel", 1, true}, {"100 channels", 100, true}, {"1000 channels", 1000, true}, {"1000 channels, no keys", 1000, false}} {
		b.Run(c.name, func(b *testing.B) {
			server := redistest.Start(b)
			url := fresh(server)
			nodes := []*Engine{open(b, url, Options{}), open(b, url, Options{})}
			for _, e := range nodes {
				hub := channel.NewHub(e, channel.Options{})
				defer hub.Close()
			}
			scripts, commands := commandsOf(b, nodes[0])
			before := cpuOf(server)
			var n atomic.Int64
			b.SetParallelism(128)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					key := ""
					if c.keyed {
						key = fmt.Sprint("k", i)
					}
					d := say(channel.Name(fmt.Sprint("room:", i%int64(c.channels))), key, "what people say in a room, sixty-four bytes or so of it, mostly")
					if _, err := nodes[i%2].Append(context.Background(), d); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric((cpuOf(server)-before)*1e6/float64(b.N), "redis-µs/op")
			scriptsAfter, commandsAfter := commandsOf(b, nodes[0])
			b.ReportMetric(float64(scriptsAfter-scripts)/float64(b.N), "scripts/op")
			b.ReportMetric(float64(commandsAfter-commands)/float64(b.N), "commands/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
		})
	}
}

// cpuOf is how many seconds of a processor a server has used.
func cpuOf(s *redistest.Server) (sum float64) {
	info := s.Do("INFO", "cpu")
	for _, field := range []string{"used_cpu_sys", "used_cpu_user"} {
		n, _ := strconv.ParseFloat(infoField(info, field), 64)
		sum += n
	}
	return sum
}
