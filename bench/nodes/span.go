package main

import (
	"errors"
	"os"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/process"
	"parley/bench/side"
)

// span is what happened in a stretch of time.
type span struct {
	count             int64
	nodes, redis, own time.Duration // of CPU time
	commands, scripts int64
	wall              time.Duration
}

func (s span) second() float64 { return float64(s.count) / s.wall.Seconds() }

// per divides by how many there were.
func (s span) per(d time.Duration) float64 { return float64(d) / 1e3 / float64(s.count) }

// each says what one took: CPU time of the nodes and of Redis in µs, and commands.
func (s span) each() []float64 {
	return []float64{s.per(s.nodes), s.per(s.redis), float64(s.commands) / float64(s.count)}
}

// measurement says how busy the nodes and Redis were together, and the load.
func (s span) measurement(values ...float64) side.Measurement {
	return side.Measurement{Values: values, Busy: float64(s.nodes+s.redis) / float64(s.wall), Load: float64(s.own) / float64(s.wall)}
}

// rate is a measurement by how many a second, and what each took.
func (s span) rate() side.Measurement {
	return s.measurement(append([]float64{s.second()}, s.each()...)...)
}

// used is what the clocks and counters say.
func (s *site) used() (u span, err error) {
	var errs [4]error
	u.commands, u.scripts, errs[0] = s.redis.commands()
	u.nodes, errs[1] = s.cpu()
	u.redis, errs[2] = s.redis.cpu()
	u.own, errs[3] = process.CPUTime(os.Getpid())
	return u, errors.Join(errs[:]...)
}

// during measures while f runs. What it takes to ask Redis before and after is a part of it: a hundred µs.
func (s *site) during(count *int64, f func() error) (span, error) {
	before, err := s.used()
	if err != nil {
		return span{}, err
	}
	had, begun := *count, time.Now()
	if err := f(); err != nil {
		return span{}, err
	}
	n, wall := *count-had, time.Since(begun)
	after, err := s.used()
	return span{n, after.nodes - before.nodes, after.redis - before.redis, after.own - before.own,
		after.commands - before.commands, after.scripts - before.scripts, wall}, err
}

// measured lets what has begun go on for a while, and then measures it.
func (b *bench) measured(s *site, l *load.Load, count *int64) (span, error) {
	if err := l.For(b.warmup); err != nil {
		return span{}, err
	}
	return s.during(count, func() error { return l.For(b.time) })
}
