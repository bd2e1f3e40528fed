package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/urfave/cli/v3"

	sdk "parley/client"
)

// The exit codes of the commands that use a server.
const (
	exitRefused     = 1   // the server said no
	exitUsage       = 2   // the command line cannot be meant
	exitUnreachable = 3   // nothing came back
	exitInterrupted = 130 // Ctrl-C, as shells count it
)

// remoteHelp begins with examples; what follows is short.
const remoteHelp = `EXAMPLES:
{{.Description}}

USAGE:
   {{.FullName}}{{if .VisibleFlags}} [options]{{end}} {{.ArgsUsage}}
   {{.Usage}}
{{if .VisibleCommands}}
COMMANDS:{{range .VisibleCommands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}
{{end}}{{if .VisibleFlags}}
OPTIONS:{{range .VisibleFlags}}
   {{.}}{{end}}
{{end}}
EXIT CODES:
   0 done, 1 the server refused, 2 wrong usage, 3 no server answered, 130 interrupted
`

// remoteCommand is a command that uses a server as a client does.
func remoteCommand(name, usage, args, examples string, flags []cli.Flag, do func(context.Context, *cli.Command, *remote) error) *cli.Command {
	var indented strings.Builder
	for line := range strings.Lines(examples) {
		indented.WriteString("   " + line)
	}
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: args, Description: indented.String(),
		CustomHelpTemplate: remoteHelp,
		HideHelpCommand:    true,
		OnUsageError: func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
			return wrongUsage(cmd, err.Error())
		},
		Flags: append(flags,
			&cli.StringFlag{Name: "server", Usage: "address of the server", Value: "http://127.0.0.1:8080", Sources: cli.EnvVars("PARLEY_SERVER")},
			&cli.StringFlag{Name: "token", Usage: "token of a session; default: the one remembered for the server", Sources: cli.EnvVars("PARLEY_TOKEN")},
			&cli.StringFlag{Name: "name", Usage: "be called so; default: the name one has there, or a guest's"},
			&cli.DurationFlag{Name: "timeout", Usage: "how long to try before giving up", Value: 30 * time.Second},
		),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			r, err := reach(cmd)
			if err != nil {
				return wrongUsage(cmd, err.Error())
			}
			defer r.Close()
			if err := r.signIn(ctx, cmd.String("name")); err != nil {
				return r.failure(ctx, err)
			}
			err = do(ctx, cmd, r)
			if kept := r.remember(); err == nil {
				err = kept
			}
			return r.failure(ctx, err)
		},
	}
}

// wrongUsage is one sentence, and where to read more.
func wrongUsage(cmd *cli.Command, why string) error {
	return cli.Exit(fmt.Sprintf("parley: %s; `%s --help` shows how", why, cmd.FullName()), exitUsage)
}

// remote is a client of a server, with the token that is remembered for it.
type remote struct {
	*sdk.Client
	server  string
	file    string // where the token is remembered; "": nowhere, it was given
	stored  string
	timeout time.Duration
}

func reach(cmd *cli.Command) (*remote, error) {
	server := strings.TrimRight(cmd.String("server"), "/")
	r := &remote{server: server, timeout: cmd.Duration("timeout")}
	o := sdk.Options{Token: cmd.String("token")}
	if o.Token == "" {
		if dir, err := os.UserConfigDir(); err == nil {
			r.file = filepath.Join(dir, "parley", url.QueryEscape(server)+".token")
		}
		data, err := os.ReadFile(r.file)
		if err != nil && !errors.Is(err, os.ErrNotExist) && r.file != "" {
			return nil, err
		}
		r.stored = strings.TrimSpace(string(data))
		o.Token = r.stored
	}
	if kind := cmd.String("transport"); kind != "auto" {
		o.Transport = sdk.Transport(kind)
	}
	var err error
	if r.Client, err = sdk.New(server, o); err != nil {
		return nil, err
	}
	if r.stored != "" {
		return r, r.forgetIfVoid(o)
	}
	return r, nil
}

// forgetIfVoid drops a remembered token that the server does not know any more.
func (r *remote) forgetIfVoid(o sdk.Options) error {
	ctx, cancel := r.limit(context.Background())
	defer cancel()
	if user, err := r.Session(ctx); err != nil || user != nil {
		return nil // unreachable: what follows will say so, or try again
	}
	r.Close()
	o.Token = ""
	var err error
	r.Client, err = sdk.New(r.server, o)
	return err
}

// limit is ctx for as long as the user wants to wait.
func (r *remote) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, r.timeout)
}

// signIn makes us somebody of that name, if one is wanted.
func (r *remote) signIn(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	ctx, cancel := r.limit(ctx)
	defer cancel()
	if _, err := r.SignIn(ctx, name); err != nil {
		return err
	}
	return r.remember()
}

// remember keeps the token for the next time, for this user's eyes only.
func (r *remote) remember() error {
	token := r.Token()
	if r.file == "" || token == "" || token == r.stored {
		return nil
	}
	dir := filepath.Dir(r.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the session could not be remembered: %w", err)
	}
	f, err := os.CreateTemp(dir, ".token-") // made with 0600
	if err != nil {
		return fmt.Errorf("the session could not be remembered: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), r.file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("the session could not be remembered: %w", err)
	}
	r.stored = token
	return nil
}

// failure is err as one sentence with its exit code.
func (r *remote) failure(ctx context.Context, err error) error {
	var coder cli.ExitCoder
	var e *sdk.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &coder):
		return err
	case ctx.Err() != nil:
		return cli.Exit("parley: interrupted", exitInterrupted)
	case errors.As(err, &e) && (e.Code == sdk.CodeNetwork || e.Code == sdk.CodeUnexpected):
		return cli.Exit(fmt.Sprintf("parley: no Parley server answers at %s: %s (choose another with --server)", r.server, oneLine(e.Error())), exitUnreachable)
	}
	return cli.Exit("parley: "+oneLine(err.Error()), exitRefused)
}

// oneLine is text from elsewhere as a terminal may see it: no line ends, no control characters.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' || c == '\r' {
			return ' '
		}
		if unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Bidi_Control, c) {
			return -1
		}
		return c
	}, text)
}

// channelOf is a channel as people type it: lobby is room:lobby.
func channelOf(name string) string {
	if strings.Contains(name, ":") {
		return name
	}
	return "room:" + name
}

// voterName is a name for who votes and has none.
func voterName() string {
	return "Voter-" + rand.Text()[:6]
}
