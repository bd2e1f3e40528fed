package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"parley/verify"
)

// What `parley verify` and `parley bench` exit with.
const (
	exitViolation = 1 // the server broke a promise
	exitNoRun     = 2 // it could not be found out
)

// verifyCommand proves a server's promises from outside.
func verifyCommand() *cli.Command {
	var o verify.Options
	var report, transports, mayLose string
	return &cli.Command{
		Name:      "verify",
		Usage:     "prove that a server loses nothing, repeats nothing and keeps the order",
		ArgsUsage: "URL [URL ...]",
		Description: `parley verify http://127.0.0.1:8080              half a minute, with 4 publishers, 8 readers and 8 voters
parley verify https://chat.example.com --for 1h  through your proxy; restart what you like meanwhile
parley verify http://a:8080 http://b:8080         nodes of one site: everybody goes from one to the other all the time
parley verify URL --may-lose memory              while you let Redis fail over: what is lost must be told
parley verify URL --json report.json             the report, for programs

Exit code: 0 all promises kept, 1 one was broken, 2 it could not be found out. docs/verify.md says what is demanded.`,
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "for", Usage: "how long to write", DefaultText: "30s, or until --messages", Destination: &o.For},
			&cli.IntFlag{Name: "messages", Usage: "write until so many are acknowledged", HideDefault: true, Destination: &o.Messages},
			&cli.IntFlag{Name: "publishers", Value: 4, Usage: "every other one over HTTP and over WebSocket", Destination: &o.Publishers},
			&cli.IntFlag{Name: "readers", Value: 8, Usage: "over all transports", Destination: &o.Readers},
			&cli.StringFlag{Name: "transports", Value: "poll,longpoll,sse,websocket", Usage: "to read by, and with websocket to publish by", Destination: &transports},
			&cli.IntFlag{Name: "voters", Value: 8, Destination: &o.Voters},
			&cli.StringFlag{Name: "may-lose", Usage: "levels of `DURABILITY` whose acknowledgements a failover or a restored backup may take back, if readers are told: memory, replicated, fsynced", DefaultText: "none", Destination: &mayLose},
			&cli.FloatFlag{Name: "rate", Value: 200, Usage: "messages a second of each publisher; -1: as many as are answered", Destination: &o.Rate},
			&cli.StringFlag{Name: "room", Usage: "id of a room to use (default: private ones, made for it and removed)", Destination: &o.Room},
			&cli.StringFlag{Name: "token", Usage: "session of who does everything (default: guests made for it)", Sources: cli.EnvVars("PARLEY_TOKEN"), Destination: &o.Token},
			&cli.Uint64Flag{Name: "seed", Usage: "of what is random", DefaultText: "a new one, which is printed", Destination: &o.Seed},
			&cli.DurationFlag{Name: "timeout", Value: 10 * time.Second, Usage: "of a request, before it is repeated", Destination: &o.Timeout},
			&cli.DurationFlag{Name: "settle", Value: time.Minute, Usage: "how long catching up may take", Destination: &o.Settle},
			&cli.BoolFlag{Name: "keep", Usage: "leave the rooms and guests on the server", Destination: &o.Keep},
			&cli.StringFlag{Name: "json", Usage: "write the report to this `FILE`; - for the output", Destination: &report},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return cli.Exit("parley verify: which server? Try: parley verify http://127.0.0.1:8080", exitNoRun)
			}
			o.URL, o.Nodes = cmd.Args().First(), cmd.Args().Tail()
			o.Transports = strings.Split(transports, ",")
			if mayLose != "" {
				o.MayLose = strings.Split(mayLose, ",")
			}
			out := cmd.Root().Writer
			if report == "-" {
				out = cmd.Root().ErrWriter
			}
			progress := newProgressLine(os.Stderr)
			hinted := false
			o.Progress = func(p verify.Progress) {
				if p.Refused > 0 && !hinted {
					hinted = true
					progress.say("The server's limits slow this down. For more, start it with " + noLimits + ".")
				}
				progress.show(p.Done, progressText(p))
			}
			r, err := verify.Run(ctx, o)
			progress.end()
			if r != nil {
				if err := writeReport(report, cmd.Root().Writer, r); err != nil {
					return cli.Exit("parley verify: "+err.Error(), exitNoRun)
				}
				if err == nil || r.Counts.Published > 0 {
					printVerdict(out, r, err)
				}
			}
			switch {
			case r != nil && r.Counts.Violations > 0:
				return cli.Exit("", exitViolation)
			case errors.Is(err, context.Canceled):
				return cli.Exit("parley verify: interrupted", exitNoRun)
			case errors.Is(err, verify.ErrNoWebSocket):
				return cli.Exit("parley verify: "+err.Error()+"\nPassing them on is worth it (docs/operations.md). To verify without: --transports poll,longpoll,sse", exitNoRun)
			case err != nil:
				return cli.Exit("parley verify: "+err.Error(), exitNoRun)
			case len(r.Open) > 0:
				return cli.Exit("", exitNoRun)
			}
			return nil
		},
	}
}

// noLimits are the flags of a server that is to be loaded by one machine.
const noLimits = "--rate-publish off --rate-ballot off --rate-guest off --rate-address off --rate-read off --streams-per-address 0"

// progressText is what matters of a progress, in the order in which it does, as the end is cut off where the terminal ends.
func progressText(p verify.Progress) string {
	text := fmt.Sprintf("%s %s  violations %d  acknowledged %d of %d  delivered %d  ballots %d",
		p.Phase, p.Elapsed.Round(time.Second), p.Violations, p.Acknowledged, p.Published, p.Delivered, p.Ballots)
	for _, rare := range []struct {
		name string
		n    int64
	}{{"gaps", p.Gaps}, {"broken", p.Broken}, {"refused", p.Refused}} {
		if rare.n > 0 {
			text += fmt.Sprintf("  %s %d", rare.name, rare.n)
		}
	}
	return text
}

// printVerdict says what was found, the first violations in full.
func printVerdict(w io.Writer, r *verify.Report, failure error) {
	c := r.Counts
	fmt.Fprintf(w, "%s: %d messages published, %d acknowledged, %d repeated on purpose or for want of an answer, %d ballots\n", strings.Join(append([]string{r.URL}, r.Nodes...), " "), c.Published, c.Acknowledged, c.Repeated, c.Ballots)
	fmt.Fprintf(w, "%d messages delivered over %d connections; %d connections and requests broke; %d gaps; %d refusals by limits; seed %d; %.1f s\n",
		c.Delivered, c.Connections, c.Broken, c.Gaps, c.Refused, r.Seed, r.Seconds)
	if n := c.Published - c.Acknowledged; n > 0 && len(r.Open) == 0 && failure == nil {
		fmt.Fprintf(w, "%d were refused by limits, or failed in the server, and given up so that the order stays\n", n)
	}
	if c.Lost+c.LostBallots > 0 {
		fmt.Fprintf(w, "%d acknowledged messages and %d ballots were lost by rollbacks, under gaps\n", c.Lost, c.LostBallots)
	}
	const shown = 10
	for i, v := range r.Violations[:min(shown, len(r.Violations))] {
		fmt.Fprintf(w, "\n%d. %s\n   where     %s seq %d\n   who       %s\n   expected  %s\n   came      %s\n", i+1, strings.ToUpper(v.Rule), v.Channel, v.Seq, v.Who, v.Expected, v.Came)
	}
	if c.Violations > shown {
		fmt.Fprintf(w, "\n… and %d more (up to %d of them in the report: --json FILE)\n", c.Violations-shown, verify.MaxViolations)
	}
	for _, o := range r.Open[:min(shown, len(r.Open))] {
		fmt.Fprintln(w, "undecided:", o)
	}
	switch {
	case c.Violations > 0:
		fmt.Fprintf(w, "\nVIOLATED: %d promises broken. The rooms %v and the vote %s are left on the server to be looked at.\n", c.Violations, r.Rooms, r.Vote)
	case failure != nil || len(r.Open) > 0:
		fmt.Fprintf(w, "\nUNDECIDED: no violation was seen, but the run did not come to its end.\n")
	case c.Lost+c.LostBallots > 0:
		fmt.Fprintf(w, "\nKEPT: nothing lost but what was told, nothing twice, one order for all.\n")
	default:
		fmt.Fprintf(w, "\nKEPT: nothing lost, nothing twice, one order for all, acknowledged = present, every ballot counted.\n")
	}
}

// writeReport writes a report as JSON to a file, or to out if that is "-".
func writeReport(path string, out io.Writer, report any) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if path == "-" {
		_, err = out.Write(data)
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
