package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
)

// outgoing is what a script in one partition commits for another: a message to append, or a channel to delete. The script that makes it
// necessary puts it into its partition's outbox; then the node carries it out and takes it off. Where a node dies in
// between, another does it later. To carry it out twice has one effect: a draft has a key.
type outgoing struct {
	ID     string        `json:"-"`
	Delete channel.Name  `json:"delete,omitempty"`
	Draft  channel.Draft `json:"draft,omitzero"`
}

// outboxAge is after how long an entry is taken to be abandoned.
const outboxAge = 5 * time.Second

// outbox gives the script an entry for the outbox: as one of the drafts that take_drafts reads.
func (c *call) outbox(o outgoing) {
	if o.Draft.Channel != "" && o.Draft.Key == "" {
		o.Draft.Key = channel.DrawID()
	}
	// By time and then as given, so that who finds them can keep their order.
	o.ID = fmt.Sprintf("%013d.%04d.%s", c.e.now().UnixMilli(), len(c.outgoing), channel.DrawID())
	entry, err := json.Marshal(o)
	if err != nil {
		panic(err) // strings, numbers and JSON
	}
	c.arg("0", o.ID, string(entry))
	c.key(c.e.keys.outbox(c.partition))
	c.outgoing = append(c.outgoing, o)
}

// deletions gives the script the deletion of channels of any partition, for take_drafts.
func (c *call) deletions(names ...channel.Name) {
	c.int(int64(len(names)))
	for _, name := range names {
		c.outbox(outgoing{Delete: name})
	}
}

// deliver carries out what a script of partition put into its outbox, and takes it off: what is of one partition in order, and nothing behind
// what could not be carried out, which stays there for the sweeper. What was refused for good is taken off as well, and its error returned.
// Receipts are those of drafts, zero where there is none.
func (e *Engine) deliver(ctx context.Context, partition int, entries []outgoing) ([]channel.Receipt, error) {
	receipts, errs := make([]channel.Receipt, len(entries)), make([]error, len(entries))
	of := map[int][]int{} // indexes of entries, by where they go
	for i, o := range entries {
		to := partitionOf(o.channel())
		of[to] = append(of[to], i)
	}
	var partitions sync.WaitGroup
	for to, indexes := range of {
		partitions.Go(func() { e.deliverTo(ctx, to, indexes, entries, receipts, errs) })
	}
	partitions.Wait()
	var done []string
	for i, o := range entries {
		if errs[i] == nil || refusedForGood(errs[i]) {
			done = append(done, o.ID)
		}
	}
	if len(done) > 0 {
		// If this fails, the sweeper repeats what has been done, to no effect.
		if err := e.client.Do(ctx, e.client.B().Hdel().Key(e.keys.outbox(partition)).Field(done...).Build()).Error(); err != nil {
			e.o.Logger.Debug("an outbox keeps what was delivered", "error", err)
		}
	}
	return receipts, errors.Join(errs...)
}

// channel is the channel that it is about.
func (o *outgoing) channel() channel.Name { return cmp.Or(o.Delete, o.Draft.Channel) }

// deliverTo carries out those entries that go to one partition: drafts together, unless one of them is refused.
func (e *Engine) deliverTo(ctx context.Context, to int, indexes []int, entries []outgoing, receipts []channel.Receipt, errs []error) {
	together := groupDrafts
	for len(indexes) > 0 {
		var drafts []channel.Draft
		for _, i := range indexes {
			if entries[i].Delete != "" || len(drafts) == together {
				break
			}
			drafts = append(drafts, entries[i].Draft)
		}
		n := max(1, len(drafts))
		var got []channel.Receipt
		var err error
		if len(drafts) == 0 {
			err = e.Delete(ctx, entries[indexes[0]].Delete)
		} else {
			got, err = e.appendIn(ctx, to, drafts)
		}
		if n > 1 && refusedForGood(err) {
			together = 1
			continue
		}
		for k, i := range indexes[:n] {
			if errs[i] = err; got != nil {
				receipts[i] = got[k]
			}
		}
		if indexes = indexes[n:]; err != nil && !refusedForGood(err) {
			for _, i := range indexes {
				errs[i] = err
			}
			return
		}
	}
}

func refusedForGood(err error) bool {
	return errors.Is(err, channel.ErrDeleted) || errors.Is(err, channel.ErrKeyReused) || errors.Is(err, channel.ErrNoMessage)
}

// sweepOutboxes carries out what nodes left that did not come to it.
func (e *Engine) sweepOutboxes(ctx context.Context) error {
	commands := make(rueidis.Commands, Partitions)
	for partition := range commands {
		commands[partition] = e.client.B().Hgetall().Key(e.keys.outbox(partition)).Build()
	}
	results, err := e.askAll(ctx, commands...)
	if err != nil {
		return err
	}
	abandoned := fmt.Sprintf("%013d", e.now().Add(-outboxAge).UnixMilli())
	for partition, result := range results {
		kept, err := result.AsStrMap()
		if err != nil {
			return explain(err)
		}
		var entries []outgoing
		for id, entry := range kept {
			if id >= abandoned {
				continue
			}
			o := outgoing{ID: id}
			if err := json.Unmarshal([]byte(entry), &o); err != nil {
				e.o.Logger.Error("an entry of an outbox is damaged", "key", e.keys.outbox(partition), "id", id, "error", err)
				continue
			}
			entries = append(entries, o)
		}
		slices.SortFunc(entries, func(a, b outgoing) int { return strings.Compare(a.ID, b.ID) })
		if _, err := e.deliver(ctx, partition, entries); err != nil {
			e.o.Logger.Warn("what another node left could not be carried out", "error", err)
		}
	}
	return nil
}
