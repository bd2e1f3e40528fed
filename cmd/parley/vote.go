package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v3"

	sdk "parley/client"
)

func voteCommand() *cli.Command {
	// The library prints the help of a command that has commands by this alone; vote is the only one.
	cli.SubcommandHelpTemplate = remoteHelp
	return &cli.Command{
		Name: "vote", Usage: "make a vote, cast a ballot, look at the result", ArgsUsage: "create, cast or show",
		Description: `   parley vote create "Tea?" yes no
   parley vote cast K7QM3 2
   parley vote show --watch K7QM3`,
		CustomHelpTemplate: remoteHelp,
		HideHelpCommand:    true,
		OnUsageError: func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
			return wrongUsage(cmd, err.Error())
		},
		Commands: []*cli.Command{voteCreateCommand(), voteCastCommand(), voteShowCommand()},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.Args().Present() {
				return wrongUsage(cmd, fmt.Sprintf("there is no command vote %s", cmd.Args().First()))
			}
			return wrongUsage(cmd, "create, cast or show?")
		},
	}
}

func jsonFlag() cli.Flag { return &cli.BoolFlag{Name: "json", Usage: "print the vote as JSON"} }

func voteCreateCommand() *cli.Command {
	return remoteCommand("create", "make a vote; prints its code and its address", "QUESTION OPTION OPTION ...",
		`parley vote create "Tea?" yes no
parley vote create --max 2 --named "Which days?" Monday Tuesday Wednesday
parley vote create --room lobby --closes-in 10m "Lunch now?" yes "in an hour"`,
		[]cli.Flag{
			&cli.IntFlag{Name: "min", Usage: "options that a ballot has at least", Value: 1},
			&cli.IntFlag{Name: "max", Usage: "options that a ballot has at most", Value: 1},
			&cli.BoolFlag{Name: "named", Usage: "everybody sees who voted what"},
			&cli.BoolFlag{Name: "final", Usage: "ballots cannot be changed"},
			&cli.StringFlag{Name: "results", Usage: "who sees them when: always, voted, closed or owner", Value: "always"},
			&cli.DurationFlag{Name: "closes-in", Usage: "close it by itself after so long", HideDefault: true},
			&cli.StringFlag{Name: "room", Usage: "id of the room to announce it in"},
			jsonFlag(),
		},
		func(ctx context.Context, cmd *cli.Command, r *remote) error {
			args := cmd.Args().Slice()
			if len(args) < 3 {
				return wrongUsage(cmd, "a question and two options at least are needed")
			}
			change := !cmd.Bool("final")
			ctx, cancel := r.limit(ctx)
			defer cancel()
			vote, err := r.CreateVote(ctx, sdk.NewVote{
				Question: args[0], Options: args[1:], Min: cmd.Int("min"), Max: cmd.Int("max"), Named: cmd.Bool("named"), Change: &change,
				Results: cmd.String("results"), ClosesIn: int(cmd.Duration("closes-in") / time.Second), Room: strings.TrimPrefix(cmd.String("room"), "room:"),
			})
			if err != nil {
				return err
			}
			if cmd.Bool("json") {
				return json.NewEncoder(cmd.Root().Writer).Encode(vote)
			}
			_, err = fmt.Fprintf(cmd.Root().Writer, "%s  %s\n", vote.Code, vote.URL)
			return err
		})
}

func voteCastCommand() *cli.Command {
	return remoteCommand("cast", "cast a ballot, or change it; prints the result as far as one may see it", "CODE NUMBER ...",
		`parley vote cast K7QM3 2
parley vote cast K7QM3 1 3                  where several may be chosen`,
		[]cli.Flag{jsonFlag()},
		func(ctx context.Context, cmd *cli.Command, r *remote) error {
			args := cmd.Args().Slice()
			if len(args) < 2 {
				return wrongUsage(cmd, "a code and the number of an option are needed")
			}
			var options []int
			for _, arg := range args[1:] {
				n, err := strconv.Atoi(arg)
				if err != nil {
					return wrongUsage(cmd, fmt.Sprintf("%q is not the number of an option", arg))
				}
				options = append(options, n)
			}
			ctx, cancel := r.limit(ctx)
			defer cancel()
			if r.Token() == "" {
				// A ballot needs a person, and nobody has to think of a name for it.
				if _, err := r.SignIn(ctx, voterName()); err != nil {
					return err
				}
			}
			vote, err := r.Cast(ctx, args[0], options...)
			if err != nil {
				return err
			}
			return printVote(cmd, vote)
		})
}

func voteShowCommand() *cli.Command {
	return remoteCommand("show", "print a vote's result", "CODE",
		`parley vote show K7QM3
parley vote show --watch K7QM3              live, until it is closed or Ctrl-C
parley vote show --json K7QM3`,
		[]cli.Flag{&cli.BoolFlag{Name: "watch", Usage: "go on showing it as it changes"}, jsonFlag()},
		func(ctx context.Context, cmd *cli.Command, r *remote) error {
			if cmd.Args().Len() != 1 {
				return wrongUsage(cmd, "the code of one vote is needed")
			}
			limited, cancel := r.limit(ctx)
			defer cancel()
			vote, err := r.Vote(limited, cmd.Args().First())
			if err != nil {
				return err
			}
			if err := printVote(cmd, vote); err != nil || !cmd.Bool("watch") || !vote.Open {
				return err
			}
			return r.watch(ctx, cmd, vote)
		})
}

// watch prints a vote anew with each tally, over the last one where that is on a terminal.
func (r *remote) watch(ctx context.Context, cmd *cli.Command, vote sdk.Vote) error {
	for m, err := range r.Subscribe(ctx, vote.Channel, sdk.FromStart()).Messages() {
		if ctx.Err() != nil {
			return nil // Ctrl-C is how it ends
		}
		if _, missed := err.(*sdk.Gap); missed {
			continue // only the newest tally matters
		}
		if err != nil {
			return err
		}
		var tally sdk.Vote
		if m.Type != "tally" || json.Unmarshal(m.Data, &tally) != nil || tally.Version <= vote.Version {
			continue
		}
		tally.Ballot, tally.Mine = vote.Ballot, vote.Mine // a tally is the same for all who ask
		if !cmd.Bool("json") && isTerminal(cmd.Root().Writer) {
			fmt.Fprintf(cmd.Root().Writer, "\x1b[%dA\x1b[J", strings.Count(bars(vote), "\n"))
		}
		vote = tally
		if err := printVote(cmd, vote); err != nil || !vote.Open {
			return err
		}
	}
	return nil
}

func printVote(cmd *cli.Command, vote sdk.Vote) error {
	if cmd.Bool("json") {
		return json.NewEncoder(cmd.Root().Writer).Encode(vote)
	}
	_, err := io.WriteString(cmd.Root().Writer, bars(vote))
	return err
}

// bars draws a vote, one line an option.
func bars(vote sdk.Vote) string {
	const length = 24
	var b strings.Builder
	state := "open"
	if !vote.Open {
		state = "closed"
	}
	voters := "voters"
	if vote.Voters == 1 {
		voters = "voter"
	}
	fmt.Fprintf(&b, "%s  (%s, %s, %d %s)\n", oneLine(vote.Question), vote.Code, state, vote.Voters, voters)
	width := 0
	for _, o := range vote.Options {
		width = max(width, utf8.RuneCountInString(oneLine(o.Text)))
	}
	for _, o := range vote.Options {
		mine := " "
		for _, id := range vote.Ballot {
			if id == o.ID {
				mine = "*"
			}
		}
		fmt.Fprintf(&b, "%s%2d  %-*s", mine, o.ID, width, oneLine(o.Text))
		if vote.Visible {
			full := 0
			if vote.Voters > 0 {
				full = (o.Count*length + vote.Voters/2) / vote.Voters
			}
			fmt.Fprintf(&b, "  %s%s  %d", strings.Repeat("█", min(full, length)), strings.Repeat("░", length-min(full, length)), o.Count)
		}
		b.WriteByte('\n')
	}
	if !vote.Visible {
		b.WriteString("    the results are hidden for now\n")
	}
	return b.String()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
