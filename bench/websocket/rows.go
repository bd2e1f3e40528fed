package main

import (
	"time"

	"parley/bench/side"
	"parley/bench/websocket/load"
)

// workload is one kind of work; it yields one or more lines of the table.
type workload struct {
	key     string
	deflate string // the server's mode
	lines   []side.Line
	prepare func(b *bench, s *server) error                     // once per peer, before the first round; may be nil
	run     func(b *bench, s *server) (side.Measurement, error) // once per peer and round
}

func workloadKey(w workload) string { return w.key }

const perMessage = "µs"

// json are 64 messages of 1 KiB: together longer than the window of deflate, as load.Compressed wants them.
var json1K = load.JSON(64, 1<<10)

var workloads = []workload{
	spanned("echo-64", "off", side.Line{Title: "echo 64 B, one at a time, 100 connections", Targets: []side.Target{side.Must(0.85, "gorilla"), side.Aim(1, "uwebsockets")}},
		load.Echo{Conns: 100, InFlight: 1, Opcode: load.Text, Payload: load.Words(64)}.Run),
	spanned("echo-64x32", "off", side.Line{Title: "echo 64 B, 32 in flight, 100 connections", Targets: []side.Target{side.Must(0.10, "gws"), side.Aim(0.75, "uwebsockets")}},
		load.Echo{Conns: 100, InFlight: 32, Opcode: load.Text, Payload: load.Words(64)}.Run),
	spanned("echo-16k", "off", side.Line{Title: "echo 16 KiB, 4 in flight, 32 connections", Targets: []side.Target{side.Must(0.9, "gws"), side.Aim(0.7, "gws")}},
		load.Echo{Conns: 32, InFlight: 4, Opcode: load.Binary, Payload: load.Words(16 << 10)}.Run),
	spanned("echo-1m", "off", side.Line{Title: "echo 1 MiB, 4 connections", Targets: []side.Target{side.Must(1, "best")}},
		load.Echo{Conns: 4, InFlight: 1, Opcode: load.Binary, Payload: load.Words(1 << 20)}.Run),
	compressed("deflate", "no-takeover", side.Line{Title: "echo 1 KiB JSON, deflate", Targets: []side.Target{side.Must(0.9, "best Go")}},
		load.Echo{Conns: 32, InFlight: 4, Messages: json1K, Offer: load.OfferNoTakeover}.Run),
	compressed("deflate-takeover", "takeover", side.Line{Title: "echo 1 KiB JSON, deflate with takeover", Targets: []side.Target{side.Must(0.9, "best Go")}},
		load.Echo{Conns: 32, InFlight: 4, Messages: json1K, Offer: load.OfferBrowser}.Run),
	spanned("broadcast", "off", side.Line{Title: "broadcast 128 B to 2,000, one at a time", Targets: []side.Target{side.Must(1, "best")}},
		load.Broadcast{Subscribers: 2000, Burst: 1, Payload: load.Words(128)}.Run),
	spanned("broadcast-bursts", "off", side.Line{Title: "broadcast 128 B to 1,000, bursts of 32", Targets: []side.Target{side.Must(0.15, "best Go"), side.Aim(1, "uwebsockets")}},
		load.Broadcast{Subscribers: 1000, Burst: 32, Payload: load.Words(128)}.Run),
	compressed("broadcast-deflate", "no-takeover", side.Line{Title: "broadcast 1 KiB to 1,000, compressed, one at a time", Targets: []side.Target{side.Must(0.5, "best Go")}},
		load.Broadcast{Subscribers: 1000, Burst: 1, Payload: json1K[0], Offer: load.OfferBrowser}.Run),
	compressed("broadcast-deflate-bursts", "no-takeover", side.Line{Title: "broadcast 1 KiB to 1,000, compressed, bursts of 32", Targets: []side.Target{side.Must(0.5, "best Go")}},
		load.Broadcast{Subscribers: 1000, Burst: 32, Payload: json1K[0], Offer: load.OfferBrowser}.Run),
	{
		key: "idle", deflate: "off", run: runIdle,
		lines: []side.Line{
			{Title: "idle connection, resident memory", Unit: "B", Targets: []side.Target{
				{Form: "parley-events", Factor: 2200}, {Form: "parley-events", Factor: 1200, Aim: true},
				{Form: "parley", Factor: 5500}, {Form: "parley", Factor: 4000, Aim: true},
			}},
			{Title: "idle connection, heap and stacks", Unit: "B"},
		},
	},
	{
		key: "handshakes", deflate: "off", run: runHandshakes,
		lines: []side.Line{{Title: "handshakes per second of CPU", Unit: "/s", More: true, Targets: []side.Target{side.Must(1, "best")}}},
	},
	{
		key: "latency", deflate: "off", prepare: prepareLatency, run: runLatency,
		lines: []side.Line{
			{Title: "latency at half load, p50", Unit: perMessage, Targets: []side.Target{side.Must(1, "best")}},
			{Title: "latency at half load, p99", Unit: perMessage, Targets: []side.Target{side.Must(1, "best")}},
			{Title: "latency at half load, p99.9", Unit: perMessage, Targets: []side.Target{side.Must(1, "best")}},
		},
	},
}

type runner func(load.Server, load.Times) (load.Span, error)

// spanned is a workload that is judged by the server's CPU time per message.
func spanned(key, deflate string, l side.Line, run runner) workload {
	l.Unit = perMessage
	return workload{key: key, deflate: deflate, lines: []side.Line{l}, run: func(b *bench, s *server) (side.Measurement, error) {
		span, err := run(s.Server, b.times)
		if err != nil {
			return side.Measurement{}, err
		}
		return side.Measurement{Values: []float64{microseconds(span)}, Rate: rate(span), Busy: busy(span)}, nil
	}}
}

// compressed also tells how well: a compressor that does less is faster.
func compressed(key, deflate string, l side.Line, run runner) workload {
	l.Unit = perMessage
	size := side.Line{Title: "  bytes received per message", Unit: "B"}
	return workload{key: key, deflate: deflate, lines: []side.Line{l, size}, run: func(b *bench, s *server) (side.Measurement, error) {
		span, err := run(s.Server, b.times)
		if err != nil {
			return side.Measurement{}, err
		}
		return side.Measurement{Values: []float64{microseconds(span), float64(span.Bytes) / float64(span.Messages)}, Rate: rate(span), Busy: busy(span)}, nil
	}}
}

func microseconds(s load.Span) float64 { return float64(s.CPU) / float64(s.Messages) / 1e3 }
func rate(s load.Span) float64         { return float64(s.Messages) / s.Wall.Seconds() }
func busy(s load.Span) float64         { return float64(s.CPU) / float64(s.Wall) }

func runHandshakes(b *bench, s *server) (side.Measurement, error) {
	span, err := load.Handshakes{}.Run(s.Server, b.times)
	if err != nil {
		return side.Measurement{}, err
	}
	return side.Measurement{Values: []float64{float64(span.Messages) / span.CPU.Seconds()}, Rate: rate(span), Busy: busy(span)}, nil
}

// runIdle compares the server's memory before and after many connections. A few before them make it load its code.
func runIdle(b *bench, s *server) (side.Measurement, error) {
	few, err := load.NewIdle(s.Addr, min(200, b.idle))
	if err != nil {
		return side.Measurement{}, err
	}
	few.Close()
	time.Sleep(100 * time.Millisecond) // for the server to see that they are gone
	before, err := s.memory()
	if err != nil {
		return side.Measurement{}, err
	}
	many, err := load.NewIdle(s.Addr, b.idle)
	if err != nil {
		return side.Measurement{}, err
	}
	defer many.Close()
	after, err := s.memory()
	each := func(before, after int64) float64 { return float64(after-before) / float64(b.idle) }
	return side.Measurement{Values: []float64{each(before.resident, after.resident), each(before.used, after.used)}}, err
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

func runLatency(b *bench, s *server) (side.Measurement, error) {
	p, err := load.Latency{Echo: latencyEcho, Rate: b.halfLoad}.Run(s.Server, b.times)
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	return side.Measurement{Values: []float64{us(p.P50), us(p.P99), us(p.P999)}, Rate: b.halfLoad}, err
}
