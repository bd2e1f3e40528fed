package load

import (
	"slices"
	"time"
)

// Latencies are how long messages took from when they were due to a reader.
type Latencies struct{ took []int64 }

func (l *Latencies) add(nanoseconds int64) { l.took = append(l.took, nanoseconds) }

// At is a quantile, 0 to 1.
func (l *Latencies) At(q float64) time.Duration {
	if len(l.took) == 0 {
		return 0
	}
	slices.Sort(l.took)
	return time.Duration(l.took[int(q*float64(len(l.took)-1))])
}
