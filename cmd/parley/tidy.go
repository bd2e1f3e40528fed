package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When many clients have come and are silent, most of the memory is what it took to let them in: garbage that no collection is due for, as
// collections are paced by new garbage. tidy collects it once, when the server has become quiet, and gives it back to the system.
const (
	tidyEvery = 500 * time.Millisecond
	quiet     = 256 << 10 // bytes of new garbage in that time, at most
	worth     = 4 << 20   // bytes of garbage since the last time, at least
)

// tidy runs until ctx ends.
func tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	allocs := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var last, tidied uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(allocs)
		now := allocs[0].Value.Uint64()
		if now-last < quiet && now-tidied > worth {
			debug.FreeOSMemory()
			tidied = now
		}
		last = now
	}
}
