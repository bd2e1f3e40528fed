package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"parley/bench/side"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench-delivery:", err)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	o := side.Options{Rounds: 3, Seconds: 1.2}
	flags := flag.NewFlagSet("delivery", flag.ContinueOnError)
	o.Flags(flags, side.Keys(rows(nil), rowKey), side.Keys(peers, peerKey))
	binary := flags.String("parley", "", "a built parley to measure, default the tree's")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b := &bench{warmup: 400 * time.Millisecond, time: o.Time(), shrink: 1, rounds: o.Rounds, binary: *binary, install: true, log: os.Stderr}
	var err error
	if b.rows, err = side.Choose("row", rows(b), rowKey, o.Rows); err != nil {
		return err
	}
	chosen, err := side.Choose("peer", peers, peerKey, o.Peers)
	if err != nil {
		return err
	}
	if b.core, err = o.Pin(); err != nil {
		return err
	}
	if err := b.prepare(chosen); err != nil {
		return err
	}
	return o.Report(os.Stdout, b.measure())
}
