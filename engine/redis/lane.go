package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/problem"
)

// A lane carries this node's appends to one partition. One script is under way at a time, and takes everything that came while the last
// was: so a lone append waits for nobody, many share one call, and appends are committed in the order in which they were put into the
// lane. That the script of a call runs once (lua/end.lua) needs one key for the lane, not one for each message.
type lane struct {
	e         *Engine
	partition int
	once      string
	number    uint64 // of the last call

	mu      sync.Mutex
	queue   []*appending
	running bool
}

// appending is one Append in a lane.
type appending struct {
	ctx      context.Context
	drafts   []channel.Draft
	bytes    int
	since    time.Time
	state    atomic.Int32
	drawn    []drawn
	outgoing []outgoing
	receipts []channel.Receipt // valid, as err is, once done is closed
	err      error
	done     chan struct{}
}

// An append is queued until either the lane takes it or its caller abandons it.
const (
	queued int32 = iota
	taken
	abandoned
)

// The most that one script appends: a few milliseconds of Redis' time, in which it does nothing else.
const (
	groupDrafts = 256
	groupBytes  = 256 << 10
)

func newLane(e *Engine, partition int) *lane {
	return &lane{e: e, partition: partition, once: e.keys.once(partition, e.node)}
}

// append commits drafts, of which at least one is of the lane's partition. The receipts of the others are zero, and they are returned for
// deliver.
func (l *lane) append(ctx context.Context, drafts []channel.Draft) (*appending, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := &appending{ctx: ctx, drafts: drafts, since: time.Now(), done: make(chan struct{})}
	for i := range drafts {
		a.bytes += len(drafts[i].Data) + messageCost
	}
	finished, err := l.e.admit(a.bytes)
	if err != nil {
		return nil, err
	}
	defer finished()
	l.mu.Lock()
	l.queue = append(l.queue, a)
	start := !l.running
	l.running = true
	l.mu.Unlock()
	if start {
		l.e.work.Go(l.drain)
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		if a.state.CompareAndSwap(queued, abandoned) {
			return nil, ctx.Err()
		}
		<-a.done // it is being carried out
	}
	return a, a.err
}

// drain runs until the queue is empty.
func (l *lane) drain() {
	for {
		group := l.take()
		if len(group) == 0 {
			return
		}
		if err := l.commit(group); errors.Is(err, problem.Unavailable) {
			l.giveUp(err)
		}
		for _, a := range group {
			close(a.done)
		}
	}
}

// giveUp ends, while Redis is away, what has waited for long enough as well: else a long queue would wait for Options.Patience again and
// again.
func (l *lane) giveUp(err error) {
	oldest := time.Now().Add(-l.e.o.Patience)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = slices.DeleteFunc(l.queue, func(a *appending) bool {
		if a.since.After(oldest) {
			return false
		}
		if a.state.CompareAndSwap(queued, taken) {
			a.err = err
			close(a.done)
		}
		return true
	})
}

// take returns the next group. Without one the lane stops running.
func (l *lane) take() (group []*appending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	drafts, bytes, n := 0, 0, 0
	for ; n < len(l.queue); n++ {
		a := l.queue[n]
		if drafts += len(a.drafts); len(group) > 0 && (drafts > groupDrafts || bytes+a.bytes > groupBytes) {
			break
		}
		if a.state.CompareAndSwap(queued, taken) {
			group, bytes = append(group, a), bytes+a.bytes
		}
	}
	clear(l.queue[:n])
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil
	}
	if len(group) == 0 {
		l.running = false
	}
	return group
}

// commit runs one script for a group, and returns its error if there is one for all of them.
func (l *lane) commit(group []*appending) error {
	l.number++
	c := l.e.newCall(appendScript, l.partition)
	c.once, c.number, c.admitted = l.once, l.number, true
	var drafts []channel.Draft
	for _, a := range group {
		drafts = append(drafts, a.drafts...)
	}
	numbers := c.channels(drafts...)
	c.int(int64(len(group)))
	for _, a := range group {
		before := len(c.outgoing)
		a.drawn = c.drafts(numbers, a.drafts...)
		a.outgoing = c.outgoing[before:len(c.outgoing):len(c.outgoing)]
	}
	result, err := c.run(l.e.ctx)
	var each []rueidis.RedisMessage
	if err == nil {
		if each, err = result.ToArray(); err == nil && len(each) != len(group) {
			err = errRecord
		}
	}
	for i, a := range group {
		if err != nil {
			a.err = err
			continue
		}
		a.receipts, a.err = l.e.receipts(a.drawn, each[i])
	}
	return err
}

// receipts reads what append_drafts returned for drafts.
func (e *Engine) receipts(drafts []drawn, result rueidis.RedisMessage) ([]channel.Receipt, error) {
	each, err := result.ToArray()
	if err != nil {
		return nil, problem.Internal.Because(err)
	}
	if err := refusedDraft(drafts, each); err != nil {
		return nil, err
	}
	if len(each) != len(drafts) {
		return nil, problem.Internal.Because(errRecord)
	}
	receipts := make([]channel.Receipt, len(drafts))
	for i := range drafts {
		text, err := each[i].ToString()
		if err != nil {
			return nil, problem.Internal.Because(err)
		}
		if text == "" {
			continue // it is in the outbox
		}
		if receipts[i], err = parseReceipt(text); err != nil {
			return nil, problem.Internal.Because(err)
		}
		receipts[i].Channel, receipts[i].ID, receipts[i].Durability = drafts[i].Channel, drafts[i].id, e.durability()
	}
	return receipts, nil
}

// parseReceipt reads "seq mark at replayed".
func parseReceipt(text string) (r channel.Receipt, err error) {
	fields := strings.Fields(text)
	if len(fields) != 4 {
		return r, errRecord
	}
	var n [3]uint64
	for i := range n {
		if n[i], err = strconv.ParseUint(fields[i], 10, 63); err != nil {
			return r, err
		}
	}
	r.Position = channel.Position{Seq: n[0], Mark: channel.Mark(n[1])}
	r.At, r.Replayed = time.UnixMilli(int64(n[2])).UTC(), fields[3] == "1"
	return r, nil
}

// refusedDraft is the error that {draft, code} stands for, nil if each is something else.
func refusedDraft(drafts []drawn, each []rueidis.RedisMessage) error {
	if len(each) != 2 || !each[0].IsInt64() {
		return nil
	}
	n, _ := each[0].AsInt64()
	code, _ := each[1].ToString()
	if n < 1 || int(n) > len(drafts) {
		return problem.Internal.Because(errRecord)
	}
	return refusedBecause(code, &drafts[n-1].Draft)
}

// refusedBecause is the error for a draft that check_drafts refused.
func refusedBecause(code string, d *channel.Draft) error {
	switch code {
	case "deleted":
		return channel.ErrDeleted.Detail("%s was deleted", d.Channel)
	case "key_reused":
		return channel.ErrKeyReused.Detail("The key %.64q was used in %s for other content: take a new one", d.Key, d.Channel)
	case "no_message":
		return channel.ErrNoMessage.Detail("%s has no message %d", d.Channel, d.Amend.Seq)
	case "erased":
		return channel.ErrErased.Detail("Message %d of %s was deleted", d.Amend.Seq, d.Channel)
	}
	return problem.Internal.Because(errRecord)
}
