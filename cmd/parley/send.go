package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	sdk "parley/client"
)

// sendCommand says something: the arguments as one message, or each line of the standard input as one.
func sendCommand() *cli.Command {
	return remoteCommand("send", "say something in a room, or to somebody", "[TEXT ...]",
		`parley send hello, all                     to room:lobby
parley send --name Ann --to room:plans "it is June"
parley send --direct Bob "are you there?"
make 2>&1 | parley send --to builds         each line of the input is a message
parley send -- --help is my text            whatever follows -- is text`,
		[]cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "channel, or the id of a room", Value: "room:lobby"},
			&cli.StringFlag{Name: "direct", Usage: "name of the person to write to, in place of --to"},
		},
		func(ctx context.Context, cmd *cli.Command, r *remote) error {
			if cmd.IsSet("to") && cmd.IsSet("direct") {
				return wrongUsage(cmd, "--to and --direct exclude each other")
			}
			channel := channelOf(cmd.String("to"))
			if name := cmd.String("direct"); name != "" {
				limited, cancel := r.limit(ctx)
				defer cancel()
				direct, err := r.Direct(limited, name)
				if err != nil {
					return err
				}
				channel = direct.Channel
			}
			if cmd.Args().Present() {
				return r.say(ctx, channel, strings.Join(cmd.Args().Slice(), " "))
			}
			return r.sayLines(ctx, channel, cmd.Root().Reader)
		})
}

// say publishes a text; where that is too fast for the server, it waits as long as told, within the time limit.
func (r *remote) say(ctx context.Context, channel, text string) error {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	draft := sdk.Draft{Data: map[string]string{"text": text}, ID: strings.ToLower(rand.Text())}
	for {
		_, err := r.Publish(ctx, channel, draft)
		var e *sdk.Error
		if !errors.As(err, &e) || e.Code != "rate_limited" {
			return err
		}
		select {
		case <-time.After(max(e.RetryAfter, 100*time.Millisecond)):
		case <-ctx.Done():
			return err
		}
	}
}

func (r *remote) sayLines(ctx context.Context, channel string, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<10)
	n := 0
	for lines.Scan() {
		n++
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := r.say(ctx, channel, lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d of the input: %w", n+1, err)
	}
	return nil
}
