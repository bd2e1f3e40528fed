package main

import "parley/bench/side"

const (
	micro = "µs"
	milli = "ms"
)

// rows are what is measured, with the lines that each is judged by. The targets are the project's own.
func rows(b *bench) []row {
	must, aim := side.Must, side.Aim
	return []row{
		{Key: "publish-http", Run: b.publishHTTP, Lines: publishLines("publishes over HTTP, 64 at once", must(0.35, plain))},
		{Key: "publish-ws", Run: b.publishWebSocket(true), Lines: publishLines("publishes over 64 WebSockets, 16 in flight", must(0.35, plain), aim(0.35, pipelined))},
		{Key: "publish-rooms", Run: b.publishWebSocket(false), Lines: publishLines("the same, each to a room of its own", aim(0.35, plain))},
	}
}
