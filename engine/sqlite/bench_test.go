//go:build unix

package sqlite

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"parley/channel"
)

// BenchmarkAppend measures durable appends, with a key each as pages send them, by callers that wait for each.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			e := open(b, filepath.Join(b.TempDir(), "parley.db"), Options{})
			e.Follow(nullSink{})
			var n atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			cpu := cpuTime()
			done := make(chan error)
			for c := range callers {
				go func() {
					from := channel.Sender{ID: fmt.Sprint("user", c), Name: "Somebody"}
					name := channel.Name(fmt.Sprint("room:", c%10))
					data := []byte(`{"text":"a message of an ordinary length, as people write them"}`)
					for {
						i := n.Add(1)
						if i > int64(b.N) {
							done <- nil
							return
						}
						if _, err := e.Append(b.Context(), channel.Draft{Channel: name, Key: fmt.Sprint("key-", i), Type: "text", From: from, Data: data}); err != nil {
							done <- err
							return
						}
					}
				}()
			}
			for range callers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "cpu-µs/op") // steady, whatever else the machine does
		})
	}
}

// BenchmarkRead measures reading the newest 100 messages, as somebody who comes does.
func BenchmarkRead(b *testing.B) {
	e := open(b, filepath.Join(b.TempDir(), "parley.db"), Options{})
	drafts := make([]channel.Draft, 1000)
	for i := range drafts {
		drafts[i] = channel.Draft{Channel: "room:a", Type: "text", From: channel.Sender{ID: "u", Name: "Somebody"}, Data: []byte(`{"text":"a message of an ordinary length, as people write them"}`)}
	}
	if _, err := e.Append(b.Context(), drafts...); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		batch, err := e.Before(b.Context(), "room:a", channel.End, 100, 1<<20)
		if err != nil || len(batch.Messages) != 100 {
			b.Fatal(len(batch.Messages), err)
		}
	}
}
