package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When many clients have come and are silent, most of the memory is what it took to let them in: garbage that no collection is due for, as
// collections are paced by new garbage. tidy collects it when the server has become quiet, and gives it back to the system; and again a little
// later, as waiting connections are made smaller after a second.
const (
	tidyEvery = 500 * time.Millisecond
	quiet     = 256 << 10 // bytes of new garbage in that time, at most
	worth     = 4 << 20   // bytes of it since the last time, at least
)

// tidy runs until ctx ends.
func tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var last, tidied uint64
	for calm := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(allocated)
		now := allocated[0].Value.Uint64()
		switch {
		case now-last >= quiet:
			calm = 0
		case calm > 0 || now-tidied >= worth:
			calm++
		}
		last = now
		switch calm {
		case 1, 3, 10:
			debug.FreeOSMemory()
			tidied = now
		case 11:
			calm = 0
		}
	}
}
