package sqlite

import (
	"context"
	"sync"
	"time"

	"parley/channel"
)

const (
	// keepStep is how many messages one transaction removes: a few milliseconds of the writer's time.
	keepStep = 250

	// keepSlack is how far past its KeepCount, beside a quarter of it, a channel grows before it is trimmed at once
	// instead of at the next sweep.
	keepSlack = 256

	// firstSweep is how long after the start the first sweep comes, at the latest.
	firstSweep = 10 * time.Second

	sweepChannels = 200 // names in one read
	pruneKeys     = 500 // keys in one transaction
)

// keeper removes, in the background and in small steps, what need not be kept: messages that a policy gives up, the messages
// of deleted channels, and old idempotency keys.
type keeper struct {
	e      *Engine
	ctx    context.Context // ends with stop
	cancel context.CancelFunc
	nudges chan channel.Name // channels that have grown; "": a channel was deleted
	wait   sync.WaitGroup
}

func newKeeper(e *Engine) *keeper {
	k := &keeper{e: e, nudges: make(chan channel.Name, 64)}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k
}

func (k *keeper) start() {
	k.wait.Go(func() {
		var due <-chan time.Time
		var timer *time.Timer
		if every := k.e.o.SweepEvery; every > 0 {
			timer = time.NewTimer(min(every, firstSweep))
			defer timer.Stop()
			due = timer.C
		}
		k.report(k.purge(k.ctx)) // what the last run left
		for {
			select {
			case <-k.ctx.Done():
				return
			case name := <-k.nudges:
				if name == "" {
					k.report(k.purge(k.ctx))
				} else {
					k.report(k.trim(k.ctx, name))
				}
			case <-due:
				k.report(k.sweep(k.ctx))
				timer.Reset(k.e.o.SweepEvery)
			}
		}
	})
}

func (k *keeper) stop() {
	k.cancel()
	k.wait.Wait()
}

// nudge asks for a channel to be looked at soon. It never blocks: what is dropped here is found by the next sweep.
func (k *keeper) nudge(name channel.Name) {
	select {
	case k.nudges <- name:
	default:
	}
}

func (k *keeper) report(err error) {
	if err != nil && k.ctx.Err() == nil && k.e.stopped() == nil {
		k.e.o.Logger.Warn("retention is put off", "error", err)
	}
}

// sweep does all there is to do.
func (k *keeper) sweep(ctx context.Context) error {
	if err := k.purge(ctx); err != nil {
		return err
	}
	if err := k.prune(ctx); err != nil {
		return err
	}
	for kind, p := range k.e.o.Policies {
		if p.KeepCount == 0 && p.KeepAge == 0 {
			continue
		}
		if err := k.sweepKind(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

func (k *keeper) sweepKind(ctx context.Context, kind string) error {
	after, end := kind+":", kind+";" // the character after the colon
	for {
		names, err := k.names(ctx, after, end)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := k.trim(ctx, channel.Name(name)); err != nil {
				return err
			}
		}
		after = names[len(names)-1]
	}
}

func (k *keeper) names(ctx context.Context, after, end string) ([]string, error) {
	return texts(k.e.readRows(ctx, "SELECT name FROM channels WHERE name > ? AND name < ? AND deleted = 0 ORDER BY name LIMIT ?", after, end, sweepChannels))
}

// trim removes from a channel what its policy gives up.
func (k *keeper) trim(ctx context.Context, name channel.Name) error {
	for {
		more, err := k.wanting(ctx, name)
		if err != nil || !more {
			return err
		}
		if err := k.e.write(ctx, func(t *tx) error { return t.trim(name) }); err != nil {
			return err
		}
		k.e.follower.changed(name)
	}
}

// wanting tells, without the writer, whether there is something to trim.
func (k *keeper) wanting(ctx context.Context, name channel.Name) (bool, error) {
	h, err := k.e.head(ctx, name, 0)
	if err != nil || h.Deleted || h.Tail == h.Floor {
		return false, err
	}
	p := k.e.o.Policies.For(name)
	if p.KeepCount > 0 && h.Tail.Seq-h.Floor.Seq > p.KeepCount {
		return true, nil
	}
	if p.KeepAge == 0 {
		return false, nil
	}
	var old bool
	err = k.e.readRow(ctx, "SELECT EXISTS (SELECT 1 FROM messages WHERE channel = ? AND seq = ? AND at < ?)",
		h.id, int64(h.Floor.Seq+1), k.e.o.Clock().Add(-p.KeepAge).UnixMilli()).Scan(&old)
	return old, err
}

// trim removes the oldest messages of a channel, as far as its policy gives them up and one step goes, and records the new floor.
func (t *tx) trim(name channel.Name) error {
	known, err := t.tail(name)
	if err != nil || known.id == 0 || known.deleted {
		return err
	}
	p := t.w.e.o.Policies.For(name)
	floor := known.floor.Seq
	last := min(floor+keepStep, known.end.Seq)
	upTo := floor
	if p.KeepCount > 0 && known.end.Seq-floor > p.KeepCount {
		upTo = min(known.end.Seq-p.KeepCount, last)
	}
	if p.KeepAge > 0 {
		var young *uint64
		err := t.queryRow("SELECT min(seq) FROM messages WHERE channel = ? AND seq > ? AND seq <= ? AND at >= ?",
			known.id, int64(floor), int64(last), t.now.Add(-p.KeepAge).UnixMilli()).Scan(&young)
		switch {
		case err != nil:
			return err
		case young == nil:
			upTo = last
		default:
			upTo = max(upTo, *young-1)
		}
	}
	if upTo == floor {
		return nil
	}
	at := channel.Position{Seq: upTo}
	if err := t.queryRow("SELECT mark FROM messages WHERE channel = ? AND seq = ?", known.id, int64(upTo)).Scan(&at.Mark); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM messages WHERE channel = ? AND seq <= ?", known.id, int64(upTo)); err != nil {
		return err
	}
	if _, err := t.exec("UPDATE channels SET floor = ?, floor_mark = ? WHERE id = ?", int64(at.Seq), int64(at.Mark), known.id); err != nil {
		return err
	}
	known.floor = at
	return nil
}

// purge removes the messages of deleted channels.
func (k *keeper) purge(ctx context.Context) error {
	for {
		var left bool
		if err := k.e.readRow(ctx, "SELECT EXISTS (SELECT 1 FROM channels WHERE deleted = 1)").Scan(&left); err != nil || !left {
			return err
		}
		if err := k.e.write(ctx, (*tx).purge); err != nil {
			return err
		}
	}
}

func (t *tx) purge() error {
	var id *int64
	if err := t.queryRow("SELECT min(id) FROM channels WHERE deleted = 1").Scan(&id); err != nil || id == nil {
		return err
	}
	result, err := t.exec("DELETE FROM messages WHERE pk IN (SELECT pk FROM messages WHERE channel = ? LIMIT ?)", *id, keepStep)
	if err != nil || result.Changed == keepStep {
		return err
	}
	_, err = t.exec("UPDATE channels SET deleted = 2 WHERE id = ?", *id)
	return err
}

// prune removes the keys that are not looked for any more.
func (k *keeper) prune(ctx context.Context) error {
	for {
		before := day(k.e.o.Clock()) - 1
		var old bool
		if err := k.e.readRow(ctx, "SELECT EXISTS (SELECT 1 FROM keys WHERE day < ?)", before).Scan(&old); err != nil || !old {
			return err
		}
		err := k.e.write(ctx, func(t *tx) error {
			_, err := t.exec("DELETE FROM keys WHERE (day, key) IN (SELECT day, key FROM keys WHERE day < ? ORDER BY day, key LIMIT ?)", before, pruneKeys)
			return err
		})
		if err != nil {
			return err
		}
	}
}
