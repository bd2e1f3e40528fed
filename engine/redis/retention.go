package redis

import (
	"context"
	"errors"
	"time"

	"parley/channel"
)

const (
	// keepStep is how many messages one script removes: about a millisecond of Redis' time.
	keepStep = 250

	// sweepChannels is how many names are read at once.
	sweepChannels = 200

	// outboxEvery is how often a node looks for what others left in outboxes.
	outboxEvery = 5 * time.Second
)

// keeper removes, in the background and in small steps, the messages that a policy gives up; and carries out what nodes that
// died left. Every node has one. They take turns by a lease on each partition.
//
// A channel that is far past its KeepCount is trimmed by the script that appends to it (lua/channel.lua).
type keeper struct{ e *Engine }

func (k *keeper) run() {
	ctx := k.e.ctx
	outboxes := time.NewTicker(outboxEvery)
	defer outboxes.Stop()
	var due <-chan time.Time
	if every := k.e.o.SweepEvery; every > 0 {
		sweeps := time.NewTicker(every)
		defer sweeps.Stop()
		due = sweeps.C
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-outboxes.C:
			err = errors.Join(k.e.sweepOutboxes(ctx), k.e.finish(ctx))
		case <-due:
			err = k.sweep(ctx, true)
		}
		if err != nil && ctx.Err() == nil {
			k.e.o.Logger.Warn("retention is put off", "error", err)
		}
	}
}

// sweep trims all channels. In turns: those partitions that no other node has swept lately.
func (k *keeper) sweep(ctx context.Context, inTurns bool) error {
	for partition := range Partitions {
		if inTurns {
			mine, err := k.e.lease(ctx, partition, "sweep", k.e.o.SweepEvery*9/10)
			if err != nil {
				return err
			}
			if !mine {
				continue
			}
		}
		for kind, p := range k.e.o.Policies {
			if p.KeepCount == 0 && p.KeepAge == 0 {
				continue
			}
			trim := func(name channel.Name) error { return k.trim(ctx, name) }
			if err := k.e.eachChannel(ctx, partition, kind, trim); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachChannel calls fn with the channels of a kind in a partition, by name.
func (e *Engine) eachChannel(ctx context.Context, partition int, kind string, fn func(channel.Name) error) error {
	after, end := "("+kind+":", "("+kind+";" // the character after the colon
	for {
		command := e.client.B().Zrangebylex().Key(e.keys.names(partition)).Min(after).Max(end).Limit(0, sweepChannels).Build()
		names, err := e.ask(ctx, command).AsStrSlice()
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := fn(channel.Name(name)); err != nil {
				return err
			}
		}
		after = "(" + names[len(names)-1]
	}
}

// trim removes from a channel what its policy gives up.
func (k *keeper) trim(ctx context.Context, name channel.Name) error {
	p := k.e.o.Policies.For(name)
	var oldest int64
	if p.KeepAge > 0 {
		oldest = k.e.now().Add(-p.KeepAge).UnixMilli()
	}
	for {
		c := k.e.newCall(trimScript, partitionOf(name))
		c.channels(channel.Draft{Channel: name})
		c.int(oldest)
		c.int(keepStep)
		result, err := c.run(ctx)
		if err != nil {
			return err
		}
		if more, err := result.AsInt64(); err != nil || more == 0 {
			return err
		}
	}
}

// lease makes this node the only one that does something for a time; false if another is.
func (e *Engine) lease(ctx context.Context, partition int, what string, d time.Duration) (bool, error) {
	err := e.client.Do(ctx, e.client.B().Set().Key(e.keys.lease(partition, what)).Value(e.node).Nx().Px(d).Build()).Error()
	if isNil(err) {
		return false, nil
	}
	return err == nil, explain(err)
}
