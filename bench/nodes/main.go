package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"parley/bench/side"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench-nodes:", err)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	o := side.Options{Rounds: 3, Seconds: 2}
	flags := flag.NewFlagSet("nodes", flag.ContinueOnError)
	flags.StringVar(&o.Rows, "rows", "", "comma-separated rows, default all: "+strings.Join(side.Keys(rows(nil), rowKey), ","))
	flags.IntVar(&o.Rounds, "rounds", o.Rounds, "how often each measurement is made")
	flags.Float64Var(&o.Seconds, "seconds", o.Seconds, "how long each measurement lasts, after 0.4 s to warm up")
	flags.StringVar(&o.JSON, "json", "", "file to write all values to")
	binary := flags.String("parley", "", "a built parley to measure, default the tree's")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.Rounds < 1 || o.Seconds <= 0 {
		return errors.New("-rounds and -seconds must be positive")
	}
	runtime.GOMAXPROCS(1) // the load is one thread beside the others
	b := &bench{warmup: 400 * time.Millisecond, time: o.Time(), shrink: 1, rounds: o.Rounds, binary: *binary, log: os.Stderr}
	var err error
	if b.rows, err = side.Choose("row", rows(b), rowKey, o.Rows); err != nil {
		return err
	}
	if err := b.prepare(); err != nil {
		return err
	}
	return o.Report(os.Stdout, b.measure())
}
