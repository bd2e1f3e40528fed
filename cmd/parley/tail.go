package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/urfave/cli/v3"

	sdk "parley/client"
)

// tailCommand prints what comes in channels, until it is interrupted.
func tailCommand() *cli.Command {
	return remoteCommand("tail", "print the messages of channels as they come, until Ctrl-C", "CHANNEL ...",
		`parley tail lobby                           from now on
parley tail --after 0 room:lobby            from the first message on
parley tail --json lobby vote:K7QM3         one JSON object a line, of two channels
parley tail --after 42-k3x9q0zr --json lobby   go on behind a "position" of such a line
parley tail --transport sse lobby           websocket, sse, longpoll or poll`,
		[]cli.Flag{
			&cli.StringFlag{Name: "after", Usage: "position to begin behind; 0: everything, end: from now on", Value: sdk.End},
			&cli.BoolFlag{Name: "json", Usage: "print JSON lines"},
			&cli.StringFlag{Name: "transport", Usage: "how to read: auto, websocket, sse, longpoll or poll", Value: "auto"},
		},
		func(ctx context.Context, cmd *cli.Command, r *remote) error {
			channels := cmd.Args().Slice()
			if len(channels) == 0 {
				return wrongUsage(cmd, "which channel is to be read?")
			}
			if err := r.proveReachable(ctx); err != nil {
				return err
			}
			p := &printer{out: cmd.Root().Writer, err: cmd.Root().ErrWriter, json: cmd.Bool("json"), many: len(channels) > 1}
			return r.tail(ctx, p, channels, cmd.String("after"))
		})
}

// proveReachable fails where nothing answers, so that a wrong address is not waited for in silence.
func (r *remote) proveReachable(ctx context.Context) error {
	limited, cancel := r.limit(ctx)
	defer cancel()
	_, err := r.Rooms(limited)
	return err
}

// tail reads until ctx ends, or a channel may not be read any more.
func (r *remote) tail(ctx context.Context, p *printer, channels []string, after string) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	errs := make(chan error, len(channels))
	for _, name := range channels {
		sub := r.Subscribe(reading, channelOf(name), sdk.After(after))
		work.Go(func() {
			for m, err := range sub.Messages() {
				var gap *sdk.Gap
				switch {
				case errors.As(err, &gap):
					err = p.gap(sub.Channel(), gap)
				case err == nil:
					err = p.message(sub.Channel(), m, sub.Position())
				}
				if err != nil {
					errs <- err
					stop()
					return
				}
			}
		})
	}
	work.Wait()
	if ctx.Err() != nil {
		return nil // Ctrl-C is how it ends
	}
	return <-errs
}

// printer prints messages, one a line.
type printer struct {
	mu       sync.Mutex
	out, err io.Writer
	json     bool
	many     bool
}

func (p *printer) message(channel string, m sdk.Message, position string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.json {
		return json.NewEncoder(p.out).Encode(struct {
			Channel  string `json:"channel"`
			Position string `json:"position"`
			sdk.Message
		}{channel, position, m})
	}
	prefix := m.At.Local().Format("15:04:05")
	if p.many {
		prefix += " " + channel
	}
	who := "·"
	if m.From != nil {
		who = oneLine(m.From.Name)
	}
	text := m.Text()
	if m.Type != "text" {
		text = "[" + m.Type + "] " + string(m.Data)
	}
	_, err := fmt.Fprintf(p.out, "%s  %s: %s\n", prefix, who, oneLine(text))
	return err
}

// gap says what is missing: where it would be in the JSON, and else beside the messages.
func (p *printer) gap(channel string, g *sdk.Gap) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.json {
		return json.NewEncoder(p.out).Encode(map[string]any{"channel": channel, "gap": g})
	}
	_, err := fmt.Fprintln(p.err, "parley:", oneLine(g.Error()))
	return err
}
