package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	bench "parley/load"
)

// benchCommand loads a server and measures it.
func benchCommand() *cli.Command {
	var o bench.Options
	var report string
	return &cli.Command{
		Name:      "bench",
		Usage:     "load a server and measure throughput and latency",
		ArgsUsage: "URL [" + strings.Join(bench.Kinds, "|") + "]",
		Description: `parley bench http://127.0.0.1:8080                                    one publisher, 64 WebSocket readers
parley bench URL fanout --connections 1000 --transport sse --rate 50  50 messages a second to 1,000 readers
parley bench URL publish --in-flight 64                               durable publishes a second over HTTP
parley bench URL publish --transport websocket --connections 1        … pipelined over one WebSocket
parley bench URL longpoll --connections 4000                          long polls released
parley bench URL idle --connections 15000 --for 1m                    silent readers
parley bench URL ballots --connections 1000                           ballots, with 1,000 people watching the tally`,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "connections", Usage: "readers; of publish: publishers; of ballots: watchers of the tally", DefaultText: "64; ballots: 0", Destination: &o.Connections},
			&cli.StringFlag{Name: "transport", Usage: "of the readers, websocket, sse or longpoll; of publish, http or websocket", Destination: &o.Transport},
			&cli.FloatFlag{Name: "rate", Usage: "open loop: so many messages or ballots a second, answered or not", HideDefault: true, Destination: &o.Rate},
			&cli.IntFlag{Name: "in-flight", Usage: "closed loop: so many wait for their answers", DefaultText: "64; fanout and longpoll: 1", Destination: &o.InFlight},
			&cli.DurationFlag{Name: "for", Value: 10 * time.Second, Destination: &o.For},
			&cli.DurationFlag{Name: "warmup", Value: time.Second, Usage: "before measuring; -1s: none", Destination: &o.Warmup},
			&cli.IntFlag{Name: "size", Value: 128, Usage: "bytes of a message's data, from 64", Destination: &o.Size},
			&cli.IntFlag{Name: "people", Usage: "guests whom the connections belong to", DefaultText: "1; ballots: 256", Destination: &o.People},
			&cli.StringFlag{Name: "token", Usage: "session of who does everything (default: guests made for it)", Sources: cli.EnvVars("PARLEY_TOKEN"), Destination: &o.Token},
			&cli.StringFlag{Name: "json", Usage: "write the report to this `FILE`; - for the output", Destination: &report},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if n := cmd.Args().Len(); n < 1 || n > 2 {
				return cli.Exit("parley bench: which server? Try: parley bench http://127.0.0.1:8080 fanout", exitNoRun)
			}
			o.URL, o.Kind = cmd.Args().Get(0), cmd.Args().Get(1)
			progress := newProgressLine(os.Stderr)
			o.Progress = func(p bench.Progress) {
				progress.show(p.Done, fmt.Sprintf("%-10s  %d connected  %d sent/s  %d delivered/s  %d lost", p.Phase, p.Connected, p.Sent, p.Delivered, p.Lost))
			}
			r, err := bench.Run(ctx, o)
			progress.end()
			if err != nil {
				return cli.Exit("parley bench: "+explain(err), exitNoRun)
			}
			if err := writeReport(report, cmd.Root().Writer, r); err != nil {
				return cli.Exit("parley bench: "+err.Error(), exitNoRun)
			}
			if report != "-" {
				printBench(cmd.Root().Writer, r)
			}
			return nil
		},
	}
}

// explain says what can be done about what a measurement failed at.
func explain(err error) string {
	text := err.Error()
	var refused *bench.Refused
	switch {
	case errors.As(err, &refused) && refused.Limits():
		text += "\nThe server's limits are in the way. Start it with " + noLimits
	case strings.Contains(text, "too many open files"):
		text += "\nEach connection is an open file: raise the limit with ulimit -n, here and where the server is"
	case strings.Contains(text, "cannot assign requested address"):
		text += "\nThis machine has no free port for another connection to the server"
	}
	return text
}

// printBench prints the table.
func printBench(w io.Writer, r *bench.Report) {
	fmt.Fprintf(w, "%s over %s, %d connections, %d bytes, %.1f s, %s\n", r.Kind, r.Transport, r.Connections, r.Size, r.Seconds, r.Loop)
	if r.Kind != "idle" {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "\n\tcount\ta second\tp50\tp90\tp99\tp99.9\tmax\t")
		row(t, "acknowledged", r.Sent, r.SentPerSecond, r.SendLatency)
		if r.Delivered > 0 {
			row(t, "delivered", r.Delivered, r.DeliveredPerSecond, r.DeliveryLatency)
		}
		_ = t.Flush()
	}
	if r.ConnectPerSecond > 0 {
		fmt.Fprintf(w, "\n%.0f connections a second were opened, %d were lost\n", r.ConnectPerSecond, r.Lost)
	}
	if r.Missing > 0 {
		fmt.Fprintf(w, "%d deliveries had not come at the end\n", r.Missing)
	}
}

func row(w io.Writer, name string, n int64, rate float64, l bench.Latency) {
	fmt.Fprintf(w, "%s\t%d\t%.0f\t", name, n, rate)
	for _, ms := range []float64{l.P50, l.P90, l.P99, l.P999, l.Max} {
		if l.Max == 0 { // tallies do not say when they were due
			fmt.Fprint(w, "–\t")
		} else {
			fmt.Fprintf(w, "%.2f ms\t", ms)
		}
	}
	fmt.Fprintln(w)
}
