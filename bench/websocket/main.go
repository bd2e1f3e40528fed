// Command websocket measures WebSocket servers side by side: this repository's library in both its forms, gorilla,
// coder, gobwas, gws, and uWebSockets through Bun. The same handlers for everyone; each server a process of its own on one
// core, the load on another; peers take turns, round by round. What counts is the server's own CPU time per message.
//
//	go run ./websocket -rows echo-64,idle -peers parley,gorilla -rounds 5 -seconds 1.2 -json result.json
//
// It runs on Linux, with two cores or more, and wants a machine that does nothing else.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"parley/bench/side"
	"parley/bench/websocket/load"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench-websocket:", err)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	o := side.Options{Rounds: 5, Seconds: 1.2}
	flags := flag.NewFlagSet("websocket", flag.ContinueOnError)
	o.Flags(flags, side.Keys(workloads, workloadKey), side.Keys(peers, peerKey))
	idle := flags.Int("idle", 10000, "connections of the row idle")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rows, err := side.Choose("row", workloads, workloadKey, o.Rows)
	if err != nil {
		return err
	}
	chosen, err := side.Choose("peer", peers, peerKey, o.Peers)
	if err != nil {
		return err
	}
	if *idle < 1 {
		return errors.New("-idle must be positive")
	}
	serverCore, err := o.Pin()
	if err != nil {
		return err
	}
	b := &bench{
		rows: rows, rounds: o.Rounds, idle: *idle, serverCore: serverCore,
		times: load.Times{Warmup: 400 * time.Millisecond, Measure: o.Time()},
		log:   os.Stderr,
	}
	if err := b.prepare(chosen); err != nil {
		return err
	}
	return o.Report(os.Stdout, b.measure())
}
