package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When many clients have come and are silent, most of the memory is what it took to let them in: garbage that no collection is due for, as
// collections are paced by new garbage. While there is little of that, tidy collects it and gives it back to the system; and once more a little
// later, as connections that wait are made smaller after a second.
const (
	tidyEvery = 400 * time.Millisecond
	busy      = 2 << 20   // bytes of new garbage in that time: the pace is good then
	worth     = 512 << 10 // bytes of it since the last time, at least
	thrift    = 20        // how many times the processor time that it has taken it waits before the next time
)

// tidy runs until ctx ends.
func tidy(ctx context.Context) {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/cpu/classes/gc/total:cpu-seconds"}}
	read := func() (allocated uint64, collecting time.Duration) {
		metrics.Read(samples)
		return samples[0].Value.Uint64(), time.Duration(samples[1].Value.Float64() * float64(time.Second))
	}
	var last, tidied uint64
	for wait, again := tidyEvery, 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		now, collected := read()
		quiet := now-last < busy
		last, wait = now, tidyEvery
		if now-tidied >= worth {
			again = 3
		}
		if !quiet || again == 0 {
			continue
		}
		began := cpuTime()
		debug.FreeOSMemory()
		// A collection's time has in it when others had the processor, on a busy machine; the process's, what else it did meanwhile. The lesser is
		// nearer to what this has taken. Time that passes would be seconds where many come, and then nothing be tidied for minutes.
		_, collecting := read()
		wait = max(wait, thrift*min(cpuTime()-began, collecting-collected))
		tidied = now
		again--
	}
}
