package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"parley"
)

// adminLinkCommand makes a new one-time link, for when the administrator is lost. The server may be running.
func adminLinkCommand(file *configFile) *cli.Command {
	return &cli.Command{
		Name:  "admin-link",
		Usage: "print a new one-time link that makes its opener an administrator (older links become void)",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			s, err := load(cmd, file)
			if err != nil {
				return err
			}
			token, err := parley.NewAdminLink(ctx, s.parley)
			if err != nil {
				return err
			}
			url := s.parley.PublicURL
			if url == "" {
				url = "http://" + strings.Replace(s.addr, "0.0.0.0", "localhost", 1)
			}
			_, err = fmt.Fprintf(cmd.Root().Writer, "%s/admin#%s\n", url, token)
			return err
		},
	}
}

// recountCommand counts the ballots of votes anew and compares. The server may be running.
func recountCommand(file *configFile) *cli.Command {
	return &cli.Command{
		Name:      "recount",
		Usage:     "count the ballots of votes anew and compare with their tallies; exits with 1 if any differs",
		ArgsUsage: "[CODE ...] (default: all votes)",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			s, err := load(cmd, file)
			if err != nil {
				return err
			}
			counts, err := parley.Recount(ctx, s.parley, cmd.Args().Slice()...)
			if err != nil {
				return err
			}
			wrong := 0
			for _, c := range counts {
				verdict := "right"
				if !c.Right {
					verdict = "WRONG"
					wrong++
				}
				fmt.Fprintf(cmd.Root().Writer, "%s  %s  tally %v  ballots %v  voters %d/%d\n", c.Code, verdict, c.Tally, c.Ballots, c.Voters, c.BallotCount)
			}
			fmt.Fprintf(cmd.Root().Writer, "%d votes recounted, %d wrong\n", len(counts), wrong)
			if wrong > 0 {
				return fmt.Errorf("%d tallies differ from their ballots", wrong)
			}
			return nil
		},
	}
}
