// Command parley serves group chat, direct chat and live votes: `parley` alone is enough.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"

	"parley"
	_ "parley/websocket/enablehttp2" // browsers' WebSockets go over the HTTP/2 connection of the page
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(os.Args).Run(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "parley:", err)
		os.Exit(1)
	}
}

func command(args []string) *cli.Command {
	file := readConfig(args)
	serve := serveCommand(file)
	return &cli.Command{
		Name:    "parley",
		Usage:   "real-time chat and votes for the web",
		Version: parley.Version(),
		Description: `parley                              serve on 127.0.0.1:8080, data in ./parley-data
parley --addr 0.0.0.0:80            serve to others
parley --data /var/lib/parley       keep the data there
parley config > parley.toml         write a configuration file with all settings
parley --config parley.toml         use it
parley send hello, all              say something on a server; see also parley tail, parley vote`,
		Flags:     flags(file),
		Action:    serve.Action,
		Commands:  []*cli.Command{serve, configCommand(file), adminLinkCommand(file), recountCommand(file), migrateCommand(file), verifyCommand(), benchCommand(), sendCommand(), tailCommand(), voteCommand()},
		Suggest:   true,
		ArgsUsage: " ",
	}
}
