package parley

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"parley/engine/redis"
	"parley/engine/sqlite"
	"parley/engine/transfer"
)

// Migrate copies everything from one place to another: people with their sessions, rooms, conversations, messages with their positions, votes. Of
// both configurations only Data and Engine count. No server may run on either; the target must be empty, or have a part of the same copy, which is
// then taken up. It can be served once Migrate has returned nil. tell hears how far it is: the part from 0 to 1, and how many messages.
func Migrate(ctx context.Context, from, to Config, tell func(part float64, messages int64)) (err error) {
	source, err := openSource(ctx, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := openTarget(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return transfer.Copy(ctx, source, target, func(p transfer.Progress) { tell(p.Part(), p.Done.Messages) })
}

func openSource(ctx context.Context, c Config) (transfer.Source, error) {
	if c.Engine != "" {
		return redis.OpenSource(ctx, c.Engine)
	}
	return sqlite.OpenSource(filepath.Join(c.Data, fileName))
}

func openTarget(ctx context.Context, c Config) (transfer.Target, error) {
	if c.Engine != "" {
		return redis.OpenTarget(ctx, c.Engine)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	return sqlite.OpenTarget(filepath.Join(c.Data, fileName))
}
