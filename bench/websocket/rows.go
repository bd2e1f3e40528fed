package main

import (
	"time"

	"parley/bench/websocket/load"
)

// workload is one kind of work; it yields one or more lines of the table.
type workload struct {
	key     string
	deflate string // the server's mode
	lines   []line
	prepare func(b *bench, s *server) error                // once per peer, before the first round; may be nil
	run     func(b *bench, s *server) (measurement, error) // once per peer and round
}

// measurement has a value for each line of its workload.
type measurement struct {
	values []float64
	rate   float64 // messages a second, 0 if that says nothing
	busy   float64 // how much of the time the server computed, 1 for all of it; 0 if that says nothing
}

// line is a line of the table.
type line struct {
	title   string
	unit    string
	more    bool // more is better
	targets []target
}

// target compares one of our forms with a peer. It is reached if our value divided by the peer's is at most factor (at
// least, if more is better).
type target struct {
	form   string // "parley", "parley-events", or "" for both
	factor float64
	of     string // a peer, "best", "best Go", or "" for factor itself
	aim    bool   // else it must be reached
}

func must(factor float64, of string) target { return target{factor: factor, of: of} }
func aim(factor float64, of string) target  { return target{factor: factor, of: of, aim: true} }

const perMessage = "µs"

// json are 64 messages of 1 KiB: together longer than the window of deflate, as load.Compressed wants them.
var json1K = load.JSON(64, 1<<10)

var workloads = []workload{
	spanned("echo-64", "off", line{title: "echo 64 B, one at a time, 100 connections", targets: []target{must(0.85, "gorilla"), aim(1, "uwebsockets")}},
		load.Echo{Conns: 100, InFlight: 1, Opcode: load.Text, Payload: load.Words(64)}.Run),
	spanned("echo-64x32", "off", line{title: "echo 64 B, 32 in flight, 100 connections", targets: []target{must(0.10, "gws"), aim(0.75, "uwebsockets")}},
		load.Echo{Conns: 100, InFlight: 32, Opcode: load.Text, Payload: load.Words(64)}.Run),
	spanned("echo-16k", "off", line{title: "echo 16 KiB, 4 in flight, 32 connections", targets: []target{must(0.9, "gws"), aim(0.7, "gws")}},
		load.Echo{Conns: 32, InFlight: 4, Opcode: load.Binary, Payload: load.Words(16 << 10)}.Run),
	spanned("echo-1m", "off", line{title: "echo 1 MiB, 4 connections", targets: []target{must(1, "best")}},
		load.Echo{Conns: 4, InFlight: 1, Opcode: load.Binary, Payload: load.Words(1 << 20)}.Run),
	compressed("deflate", "no-takeover", line{title: "echo 1 KiB JSON, deflate", targets: []target{must(0.9, "best Go")}},
		load.Echo{Conns: 32, InFlight: 4, Messages: json1K, Offer: load.OfferNoTakeover}.Run),
	compressed("deflate-takeover", "takeover", line{title: "echo 1 KiB JSON, deflate with takeover", targets: []target{must(0.9, "best Go")}},
		load.Echo{Conns: 32, InFlight: 4, Messages: json1K, Offer: load.OfferBrowser}.Run),
	spanned("broadcast", "off", line{title: "broadcast 128 B to 2,000, one at a time", targets: []target{must(1, "best")}},
		load.Broadcast{Subscribers: 2000, Burst: 1, Payload: load.Words(128)}.Run),
	spanned("broadcast-bursts", "off", line{title: "broadcast 128 B to 1,000, bursts of 32", targets: []target{must(0.15, "best Go"), aim(1, "uwebsockets")}},
		load.Broadcast{Subscribers: 1000, Burst: 32, Payload: load.Words(128)}.Run),
	compressed("broadcast-deflate", "no-takeover", line{title: "broadcast 1 KiB to 1,000, compressed", targets: []target{must(0.5, "best Go")}},
		load.Broadcast{Subscribers: 1000, Burst: 1, Payload: json1K[0], Offer: load.OfferBrowser}.Run),
	{
		key: "idle", deflate: "off", run: runIdle,
		lines: []line{
			{title: "idle connection, resident memory", unit: "B", targets: []target{
				{form: "parley-events", factor: 2200}, {form: "parley-events", factor: 1200, aim: true},
				{form: "parley", factor: 5500}, {form: "parley", factor: 4000, aim: true},
			}},
			{title: "idle connection, heap and stacks", unit: "B"},
		},
	},
	{
		key: "handshakes", deflate: "off", run: runHandshakes,
		lines: []line{{title: "handshakes per second of CPU", unit: "/s", more: true, targets: []target{must(1, "best")}}},
	},
	{
		key: "latency", deflate: "off", prepare: prepareLatency, run: runLatency,
		lines: []line{
			{title: "latency at half load, p50", unit: perMessage, targets: []target{must(1, "best")}},
			{title: "latency at half load, p99", unit: perMessage, targets: []target{must(1, "best")}},
			{title: "latency at half load, p99.9", unit: perMessage, targets: []target{must(1, "best")}},
		},
	},
}

type runner func(load.Server, load.Times) (load.Span, error)

// spanned is a workload that is judged by the server's CPU time per message.
func spanned(key, deflate string, l line, run runner) workload {
	l.unit = perMessage
	return workload{key: key, deflate: deflate, lines: []line{l}, run: func(b *bench, s *server) (measurement, error) {
		span, err := run(s.Server, b.times)
		if err != nil {
			return measurement{}, err
		}
		return measurement{values: []float64{microseconds(span)}, rate: rate(span), busy: busy(span)}, nil
	}}
}

// compressed also tells how well: a compressor that does less is faster.
func compressed(key, deflate string, l line, run runner) workload {
	l.unit = perMessage
	size := line{title: "  bytes received per message", unit: "B"}
	return workload{key: key, deflate: deflate, lines: []line{l, size}, run: func(b *bench, s *server) (measurement, error) {
		span, err := run(s.Server, b.times)
		if err != nil {
			return measurement{}, err
		}
		return measurement{values: []float64{microseconds(span), float64(span.Bytes) / float64(span.Messages)}, rate: rate(span), busy: busy(span)}, nil
	}}
}

func microseconds(s load.Span) float64 { return float64(s.CPU) / float64(s.Messages) / 1e3 }
func rate(s load.Span) float64         { return float64(s.Messages) / s.Wall.Seconds() }
func busy(s load.Span) float64         { return float64(s.CPU) / float64(s.Wall) }

func runHandshakes(b *bench, s *server) (measurement, error) {
	span, err := load.Handshakes{}.Run(s.Server, b.times)
	if err != nil {
		return measurement{}, err
	}
	return measurement{values: []float64{float64(span.Messages) / span.CPU.Seconds()}, rate: rate(span), busy: busy(span)}, nil
}

// runIdle compares the server's memory before and after many connections. A few before them make it load its code.
func runIdle(b *bench, s *server) (measurement, error) {
	few, err := load.NewIdle(s.Addr, min(200, b.idle))
	if err != nil {
		return measurement{}, err
	}
	few.Close()
	time.Sleep(100 * time.Millisecond) // for the server to see that they are gone
	before, err := s.memory()
	if err != nil {
		return measurement{}, err
	}
	many, err := load.NewIdle(s.Addr, b.idle)
	if err != nil {
		return measurement{}, err
	}
	defer many.Close()
	after, err := s.memory()
	each := func(before, after int64) float64 { return float64(after-before) / float64(b.idle) }
	return measurement{values: []float64{each(before.resident, after.resident), each(before.used, after.used)}}, err
}

var latencyEcho = load.Echo{Conns: 100, Opcode: load.Text, Payload: load.Words(64)}

// prepareLatency finds the rate for all: half of what the slowest peer can do, one message at a time.
func prepareLatency(b *bench, s *server) error {
	closed := latencyEcho
	closed.InFlight = 1
	span, err := closed.Run(s.Server, b.times)
	if err == nil && (b.halfLoad == 0 || rate(span)/2 < b.halfLoad) {
		b.halfLoad = rate(span) / 2
	}
	return err
}

func runLatency(b *bench, s *server) (measurement, error) {
	p, err := load.Latency{Echo: latencyEcho, Rate: b.halfLoad}.Run(s.Server, b.times)
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	return measurement{values: []float64{us(p.P50), us(p.P99), us(p.P999)}, rate: b.halfLoad}, err
}
