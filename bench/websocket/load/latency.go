package load

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Latency is an open loop: messages are sent when they are due, whether or not earlier ones have come back, at
// random times of a given rate. A message's time is counted from when it was due, so that waiting to be sent counts.
type Latency struct {
	Echo
	Rate float64 // messages a second, over all connections
}

// Percentiles of the time to come back.
type Percentiles struct{ P50, P99, P999 time.Duration }

// Run measures the server. It keeps its own core busy, as a load that sleeps measures its own waking up.
func (p Latency) Run(s Server, t Times) (Percentiles, error) {
	p.InFlight = 1
	l, err := p.open(s)
	if err != nil {
		return Percentiles{}, err
	}
	defer l.Close()

	var (
		random = rand.New(rand.NewPCG(1, 2)) // the same times for every server
		gap    = float64(time.Second) / p.Rate
		begun  = time.Now()
		warm   = int64(t.Warmup)
		end    = int64(t.Warmup + t.Measure)
		due    = random.ExpFloat64() * gap
		turn   = 0
		open   = 0
		took   = make([]int64, 0, int(2*p.Rate*t.Measure.Seconds())+1000)
	)
	on := func(c *Conn, n int) error {
		now := int64(time.Since(begun))
		for _, sent := range c.sent[:n] {
			if sent >= warm {
				took = append(took, now-sent)
			}
		}
		c.sent = c.sent[:copy(c.sent, c.sent[n:])]
		open -= n
		return nil
	}
	for last := begun; ; {
		now := int64(time.Since(begun))
		for int64(due) <= now && int64(due) < end {
			c := l.conns[turn%len(l.conns)]
			c.sent = append(c.sent, int64(due))
			if err := l.send(c, 1); err != nil {
				return Percentiles{}, err
			}
			turn, open = turn+1, open+1
			due += random.ExpFloat64() * gap
		}
		if int64(due) >= end && open == 0 {
			break
		}
		events, err := l.poll(0, on)
		if err != nil {
			return Percentiles{}, err
		}
		if events > 0 || open == 0 {
			last = time.Now()
		} else if time.Since(last) > silence {
			return Percentiles{}, errSilent
		}
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return time.Duration(took[int(q*float64(len(took)-1))]) }
	if len(took) == 0 {
		return Percentiles{}, errSilent
	}
	return Percentiles{at(0.5), at(0.99), at(0.999)}, nil
}
