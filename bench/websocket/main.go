// Command websocket measures WebSocket servers side by side: this repository's library in both its forms, gorilla,
// coder, gobwas, gws, and uWebSockets through Bun. The same handlers for everyone; each server a process of its own on one
// core, the load on another; peers take turns, round by round. What counts is the server's own CPU time per message.
//
//	go run ./websocket -rows echo-64,idle -peers parley,gorilla -rounds 5 -seconds 1.2 -json result.json
//
// It runs on Linux, with two cores or more, and wants a machine that does nothing else.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

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
	flags := flag.NewFlagSet("websocket", flag.ContinueOnError)
	rowNames := flags.String("rows", "", "comma-separated rows, default all: "+strings.Join(names(workloads, func(w workload) string { return w.key }), ","))
	peerNames := flags.String("peers", "", "comma-separated peers, default all: "+strings.Join(names(peers, func(p peer) string { return p.key }), ","))
	rounds := flags.Int("rounds", 5, "how often each measurement is made")
	seconds := flags.Float64("seconds", 1.2, "how long each measurement lasts, after 0.4 s to warm up")
	idle := flags.Int("idle", 10000, "connections of the row idle")
	cores := flags.String("cores", "0,1", "the server's core and the load's, or none")
	jsonFile := flags.String("json", "", "file to write all values to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rows, err := choose("row", workloads, func(w workload) string { return w.key }, *rowNames)
	if err != nil {
		return err
	}
	chosen, err := choose("peer", peers, func(p peer) string { return p.key }, *peerNames)
	if err != nil {
		return err
	}
	if *rounds < 1 || *seconds <= 0 || *idle < 1 {
		return errors.New("-rounds, -seconds and -idle must be positive")
	}
	serverCore, err := pin(*cores)
	if err != nil {
		return err
	}

	b := &bench{
		rows: rows, rounds: *rounds, idle: *idle, serverCore: serverCore,
		times: load.Times{Warmup: 400 * time.Millisecond, Measure: time.Duration(*seconds * float64(time.Second))},
		log:   os.Stderr,
	}
	if err := b.prepare(chosen); err != nil {
		return err
	}
	results := b.measure()
	printTable(os.Stdout, results)
	printTargets(os.Stdout, results)
	if *jsonFile != "" {
		text, err := json.MarshalIndent(results, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*jsonFile, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return results.failure()
}

// pin keeps this process to the load's core and returns the server's, "" for any.
func pin(cores string) (string, error) {
	runtime.GOMAXPROCS(1)
	if cores == "none" {
		return "", nil
	}
	server, own, ok := strings.Cut(cores, ",")
	core, err := strconv.Atoi(own)
	if _, serr := strconv.Atoi(server); !ok || err != nil || serr != nil || server == own {
		return "", fmt.Errorf("-cores %s: two different numbers, or none", cores)
	}
	if err := load.Pin(core); err != nil {
		return "", fmt.Errorf("-cores %s: %w (the server and the load need a core each)", cores, err)
	}
	return server, nil
}

func names[T any](all []T, key func(T) string) []string {
	var keys []string
	for _, t := range all {
		keys = append(keys, key(t))
	}
	return keys
}

// choose picks by key, in the order of all.
func choose[T any](what string, all []T, key func(T) string, wanted string) ([]T, error) {
	if wanted == "" {
		return all, nil
	}
	want := map[string]bool{}
	for name := range strings.SplitSeq(wanted, ",") {
		want[name] = true
	}
	var chosen []T
	for _, t := range all {
		if want[key(t)] {
			chosen = append(chosen, t)
			delete(want, key(t))
		}
	}
	for name := range want {
		return nil, fmt.Errorf("no %s %q: there are %s", what, name, strings.Join(names(all, key), ", "))
	}
	return chosen, nil
}
