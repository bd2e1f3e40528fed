package main

import (
	"parley/bench/delivery/load"
	"parley/bench/side"
)

const (
	perDelivery = "µs"
	milli       = "ms"
)

// lines are what a row is judged by. The targets are the project's own.
func rows(b *bench) []row {
	must, aim := side.Must, side.Aim
	targets := func(t ...side.Target) []side.Target { return t }
	return []row{
		{Key: "fanout-ws", Run: b.fanout(load.WebSocket), Lines: []side.Line{
			{Title: "deliveries, 1 to 1,000 WebSockets", Unit: "/s", More: true, Targets: targets(must(4, "nchan"), aim(8, "nchan"))},
			{Title: "  CPU time of each", Unit: perDelivery},
		}},
		{Key: "fanout-sse", Run: b.fanout(load.SSE), Lines: []side.Line{
			{Title: "deliveries, 1 to 1,000 SSE streams", Unit: "/s", More: true, Targets: targets(must(3, "nchan"), aim(6, "nchan"))},
			{Title: "  CPU time of each", Unit: perDelivery},
		}},
		{Key: "latency", Run: b.latency, Lines: []side.Line{
			{Title: "50 messages/s to 1,000 WebSockets, p50", Unit: milli, Targets: targets(must(1, "nchan"), aim(0.7, "nchan"))},
			{Title: "50 messages/s to 1,000 WebSockets, p99", Unit: milli, Targets: targets(must(1, "nchan"), aim(0.7, "nchan"))},
		}},
		{Key: "longpoll-1000", Run: b.longPoll(1000), Lines: []side.Line{
			{Title: "long poll, 1,000 waiting, each release", Unit: perDelivery, Targets: targets(must(0.8, "nchan"), aim(0.5, "nchan"))},
		}},
		{Key: "longpoll-4000", Run: b.longPoll(4000), Lines: []side.Line{
			{Title: "long poll, 4,000 waiting, each release", Unit: perDelivery, Targets: targets(must(0.8, "nchan"), aim(0.5, "nchan"))},
		}},
		{Key: "silent-ws", Run: b.silent(load.WebSocket), Lines: silentLine("WebSocket")},
		{Key: "silent-sse", Run: b.silent(load.SSE), Lines: silentLine("SSE")},
		{Key: "silent-longpoll", Run: b.silent(load.LongPoll), Lines: silentLine("long poll")},
		{Key: "poll-304", Run: b.unchanged, Lines: []side.Line{
			{Title: "polls answered 304, 64 connections", Unit: "/s", More: true, Targets: targets(must(0.8, "empty"), aim(1, "empty"))},
			{Title: "  CPU time of each", Unit: perDelivery},
		}},
		{Key: "publish-http", Run: b.publishHTTP, Lines: publishLines("publishes over HTTP, 64 at once", must(15000, ""), aim(30000, ""))},
		{Key: "publish-ws", Run: b.publishWebSocket(1, 512), Lines: publishLines("publishes over one WebSocket, 512 in flight", must(30000, ""), aim(60000, ""))},
		{Key: "publish-ws-64", Run: b.publishWebSocket(64, 16), Lines: publishLines("publishes over 64 WebSockets, 16 in flight", must(30000, ""), aim(60000, ""))},
		{Key: "ballots", Run: b.ballots, Lines: append(publishLines("ballots, 64 at once, 1,000 watch the tally", must(10000, ""), aim(25000, "")),
			side.Line{Title: "  tallies to each who watches", Unit: "/s", More: true})},
		{Key: "channels", Run: b.channels, Lines: []side.Line{
			{Title: "10,000 channels, one reader each, 1,000 messages/s", Unit: perDelivery},
			{Title: "  one channel, one reader, 1,000 messages/s", Unit: perDelivery},
			{Title: "  10,000 channels against one", Unit: "×", Targets: targets(must(2, ""))},
		}},
		{Key: "readers", Run: b.growing, Lines: []side.Line{
			{Title: "delivery to 100 WebSocket readers, one at a time", Unit: perDelivery},
			{Title: "  to 1,000", Unit: perDelivery},
			{Title: "  to 15,000", Unit: perDelivery},
			{Title: "  how much dearer with more readers", Unit: "×", Targets: targets(must(1.3, ""))},
		}},
		{Key: "stalled", Run: b.stalled, Lines: []side.Line{
			{Title: "100,000 messages unread by one: memory grown by", Unit: "× unread", Targets: targets(must(0.1, ""))},
			{Title: "  the others' p99", Unit: milli},
			{Title: "  the others' p99, against before", Unit: "×", Targets: targets(must(1.2, ""))},
		}},
	}
}

func silentLine(what string) []side.Line {
	return []side.Line{{Title: "silent " + what + " reader, resident memory", Unit: "B", Targets: []side.Target{side.Must(4500, ""), side.Aim(2500, "")}}}
}

func publishLines(what string, targets ...side.Target) []side.Line {
	return []side.Line{
		{Title: what, Unit: "/s", More: true, Targets: targets},
		{Title: "  CPU time of each", Unit: perDelivery},
	}
}
