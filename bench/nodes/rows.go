package main

import "parley/bench/side"

const (
	micro    = "µs"
	milli    = "ms"
	commands = "commands"
)

// rows are what is measured, with the lines that each is judged by. The targets are the project's own.
func rows(b *bench) []row {
	must, aim := side.Must, side.Aim
	targets := func(t ...side.Target) []side.Target { return t }
	return []row{
		{Key: "publish-http", Run: b.publishHTTP, Lines: rate("publishes over HTTP, 64 at once", must(0.35, plain))},
		{Key: "publish-ws", Run: b.publishWebSocket(true), Lines: rate("publishes over 64 WebSockets, 16 in flight", must(0.35, plain), aim(0.35, pipelined))},
		{Key: "publish-rooms", Run: b.publishWebSocket(false), Lines: rate("  the same, each to a room of its own", aim(0.35, plain))},
		{Key: "publish-one", Run: b.publishOne, Lines: []side.Line{
			{Title: "publishes over HTTP, one at a time, each taking", Unit: milli},
			{Title: "  CPU time of both nodes for each", Unit: micro},
			{Title: "  CPU time of Redis for each", Unit: micro},
			{Title: "  Redis commands for each", Unit: commands},
		}},
		{Key: "delivery", Run: b.latency, Lines: []side.Line{
			{Title: "1,000 messages/s, published on one node, read on the other, p50", Unit: milli},
			{Title: "  p99", Unit: milli},
			{Title: "  later than a reader on the publisher's node, p50", Unit: milli, Targets: targets(must(2, ""))},
			{Title: "  p99", Unit: milli, Targets: targets(must(10, ""))},
		}},
		{Key: "readers", Run: b.crowds, Lines: []side.Line{
			{Title: "a message to 1 reader on the other node, Redis commands", Unit: commands},
			{Title: "  to 100", Unit: commands},
			{Title: "  to 1,000", Unit: commands},
			{Title: "  to 1,000, against 1", Unit: "×", Targets: targets(must(1.1, ""))},
			{Title: "  CPU time of Redis, to 1", Unit: micro},
			{Title: "  to 100", Unit: micro},
			{Title: "  to 1,000", Unit: micro},
		}},
		{Key: "ballots", Run: b.ballots, Lines: rate("ballots, 64 at once", must(15000, ""))},
		{Key: "resync", Run: b.resync, Lines: []side.Line{
			{Title: "1,000 channels caught up after the hints were cut off", Unit: "s", Targets: targets(must(1, ""))},
			{Title: "  CPU time of both nodes for each channel", Unit: micro},
			{Title: "  CPU time of Redis for each channel", Unit: micro},
			{Title: "  Redis commands for each channel", Unit: commands},
		}},
	}
}

// rate are the lines of a row in which clients do something as fast as they can.
func rate(what string, targets ...side.Target) []side.Line {
	return []side.Line{
		{Title: what, Unit: "/s", More: true, Targets: targets},
		{Title: "  CPU time of both nodes for each", Unit: micro},
		{Title: "  CPU time of Redis for each", Unit: micro},
		{Title: "  Redis commands for each", Unit: commands},
	}
}
