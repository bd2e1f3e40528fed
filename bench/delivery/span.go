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
	count int64
	cpu   time.Duration // of the server
	load  time.Duration // of CPU time, of ours
	wall  time.Duration
}

func (s span) each() float64   { return float64(s.cpu) / float64(s.count) / 1e3 }
func (s span) second() float64 { return float64(s.count) / s.wall.Seconds() }
func (s span) busy() float64   { return float64(s.cpu) / float64(s.wall) }

// measurement says how busy both sides were.
func (s span) measurement(values ...float64) side.Measurement {
	return side.Measurement{Values: values, Busy: s.busy(), Load: float64(s.load) / float64(s.wall)}
}

// rate is a measurement by how many a second, and the CPU time of each.
func (s span) rate() side.Measurement {
	return s.measurement(s.second(), s.each())
}

// during measures while f runs.
func during(s *server, count *int64, f func() error) (span, error) {
	had, begun := *count, time.Now()
	server, err := s.cpu()
	load, lerr := process.CPUTime(os.Getpid())
	if err := errors.Join(err, lerr); err != nil {
		return span{}, err
	}
	if err := f(); err != nil {
		return span{}, err
	}
	wall := time.Since(begun)
	serverAfter, err := s.cpu()
	loadAfter, lerr := process.CPUTime(os.Getpid())
	return span{*count - had, serverAfter - server, loadAfter - load, wall}, errors.Join(err, lerr)
}

// measured lets what has begun go on for a while, and then measures it.
func (b *bench) measured(s *server, l *load.Load, count *int64) (span, error) {
	if err := l.For(b.warmup); err != nil {
		return span{}, err
	}
	return during(s, count, func() error { return l.For(b.time) })
}

// calm waits until the server does nothing any more, two seconds at most: it uses no time, and wants none.
func calm(s *server, l *load.Load) error {
	last, err := s.cpu()
	for range 500 {
		if err != nil {
			return err
		}
		if err := l.For(4 * time.Millisecond); err != nil {
			return err
		}
		now, err := s.cpu()
		if err != nil || now-last < 200*time.Microsecond && !process.Runnable(s.pid) {
			return err
		}
		last = now
	}
	return nil
}
