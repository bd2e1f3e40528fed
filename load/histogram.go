package load

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in buckets of a fixed relative width: 32 to each power of two, so a value read from it is at most
// 1/32 (3 %) above the true one. Its size does not depend on what is counted: 8 KiB. It may be used concurrently.
type histogram struct {
	buckets [60 * perPower]atomic.Uint32
	largest atomic.Int64
}

const perPower = 32

func (h *histogram) add(d time.Duration) {
	v := max(int64(d), 0)
	h.buckets[bucketOf(uint64(v))].Add(1)
	for {
		largest := h.largest.Load()
		if v <= largest || h.largest.CompareAndSwap(largest, v) {
			return
		}
	}
}

// bucketOf: values below 32 have a bucket each; above, the five bits behind the first one tell.
func bucketOf(v uint64) int {
	power := bits.Len64(v) - 6
	if power < 0 {
		return int(v)
	}
	return power*perPower + int(v>>power)
}

// upperEnd is the largest value of a bucket.
func upperEnd(bucket int) uint64 {
	if bucket < 2*perPower {
		return uint64(bucket)
	}
	power := bucket/perPower - 1
	return uint64(bucket-power*perPower+1)<<power - 1
}

// Latency are percentiles, in milliseconds.
type Latency struct {
	P50  float64 `json:"p50_ms"`
	P90  float64 `json:"p90_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p999_ms"`
	Max  float64 `json:"max_ms"`
}

func (h *histogram) percentiles() Latency {
	var all uint64
	for i := range h.buckets {
		all += uint64(h.buckets[i].Load())
	}
	largest := h.largest.Load()
	at := func(part float64) float64 {
		var seen uint64
		for i := range h.buckets {
			seen += uint64(h.buckets[i].Load())
			if seen > 0 && float64(seen) >= part*float64(all) {
				return milliseconds(min(int64(upperEnd(i)), largest))
			}
		}
		return 0
	}
	return Latency{at(0.5), at(0.9), at(0.99), at(0.999), milliseconds(largest)}
}

func milliseconds(ns int64) float64 { return float64(ns) / 1e6 }

func (h *histogram) merge(other *histogram) {
	for i := range h.buckets {
		h.buckets[i].Add(other.buckets[i].Load())
	}
	h.largest.Store(max(h.largest.Load(), other.largest.Load()))
}
