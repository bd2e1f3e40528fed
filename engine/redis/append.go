package redis

import (
	"context"

	"parley/channel"
)

// Append commits the drafts; see channel.Log. Drafts of one partition are one script. Where others are of other partitions, those are looked at
// first, so that what would be refused there is refused before anything is written; then they go through the outbox. The drafts' data must not
// be changed afterwards.
func (e *Engine) Append(ctx context.Context, drafts ...channel.Draft) ([]channel.Receipt, error) {
	if len(drafts) == 0 {
		return nil, ctx.Err()
	}
	partition := partitionOf(drafts[0].Channel)
	if err := e.checkElsewhere(ctx, partition, drafts); err != nil {
		return nil, err
	}
	return e.appendIn(ctx, partition, drafts)
}

// appendIn appends drafts by the lane of a partition, and delivers those of others.
func (e *Engine) appendIn(ctx context.Context, partition int, drafts []channel.Draft) ([]channel.Receipt, error) {
	a, err := e.lanes[partition].append(ctx, drafts)
	if err != nil || len(a.outgoing) == 0 {
		return a.result(err)
	}
	delivered, err := e.deliver(ctx, partition, a.outgoing)
	if err != nil {
		return nil, err // the rest is committed: with keys, to repeat it does no harm
	}
	for i := range a.receipts {
		if a.receipts[i].Channel == "" {
			a.receipts[i], delivered = delivered[0], delivered[1:]
		}
	}
	return a.receipts, nil
}

func (a *appending) result(err error) ([]channel.Receipt, error) {
	if err != nil {
		return nil, err
	}
	return a.receipts, nil
}

// checkElsewhere returns what stands against the drafts that are not of a partition.
func (e *Engine) checkElsewhere(ctx context.Context, partition int, drafts []channel.Draft) error {
	others := map[int][]channel.Draft{}
	for _, d := range drafts {
		if p := partitionOf(d.Channel); p != partition {
			others[p] = append(others[p], d)
		}
	}
	for p, there := range others {
		if err := e.check(ctx, p, there); err != nil {
			return err
		}
	}
	return nil
}

// check returns what stands against drafts of one partition, without writing: what Append would say.
func (e *Engine) check(ctx context.Context, partition int, drafts []channel.Draft) error {
	c := e.newCall(checkScript, partition)
	all := c.allDrafts(drafts...)
	result, err := c.run(ctx)
	if err != nil {
		return err
	}
	each, err := result.ToArray()
	if err != nil {
		return err
	}
	return refusedDraft(all, each)
}
