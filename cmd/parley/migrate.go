package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"parley"
)

// migrateCommand moves a site from an embedded database to Redis, or back.
func migrateCommand(file *configFile) *cli.Command {
	var from, to string
	return &cli.Command{
		Name:  "migrate",
		Usage: "copy an embedded database into Redis, or back",
		Description: `parley migrate --data ./parley-data --to redis://10.0.0.5:6379      from the folder
parley migrate --from redis://10.0.0.5:6379 --data ./parley-data    to the folder

Stop all servers first. What was broken off goes on when it is called again. Sessions, positions and links stay valid.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "Redis to copy to, as --engine takes it", Destination: &to},
			&cli.StringFlag{Name: "from", Usage: "Redis to copy from", Destination: &from},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			s, err := load(cmd, file)
			if err != nil {
				return err
			}
			folder := parley.Config{Data: s.parley.Data}
			source, target := folder, parley.Config{Engine: to}
			switch {
			case (from == "") == (to == ""):
				return fmt.Errorf("migrate needs either --to or --from, with the address of Redis")
			case from != "":
				source, target = parley.Config{Engine: from}, folder
			}
			if err := parley.CheckEngine(from + to); err != nil {
				return err
			}
			progress := newProgressLine(os.Stderr)
			var all int64
			err = parley.Migrate(ctx, source, target, func(part float64, messages int64) {
				all = messages
				progress.show(part, fmt.Sprintf("%d messages", messages))
			})
			progress.end()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.Root().Writer, "%s is copied to %s, with %d messages\n", source.Where(), target.Where(), all)
			return err
		},
	}
}
