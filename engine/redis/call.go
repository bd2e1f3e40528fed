package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/problem"
)

// call is one run of a script in a partition. Its keys and arguments are taken by the script in the order in which they are given here.
//
// A call may be sent again when its answer was lost: a script of the kind writes or frees leaves its result under the call's
// own key, and runs once. So run repeats what did not get through, for as long as Options.Patience.
type call struct {
	e         *Engine
	script    *script
	partition int
	once      string // the key under which the result is left
	number    uint64
	keys      []string
	args      []string
	bytes     int
	admitted  bool           // its operations are counted already
	names     []channel.Name // channels that the script may append to
	outgoing  []outgoing     // drafts of other partitions, which the script puts into the outbox
}

// newCall begins a call.
func (e *Engine) newCall(s *script, partition int) *call {
	return &call{e: e, script: s, partition: partition, once: e.keys.once(partition, channel.DrawID()), number: 1}
}

// key gives the script keys, all of the call's partition.
func (c *call) key(keys ...string) { c.keys = append(c.keys, keys...) }

// arg gives the script arguments.
func (c *call) arg(args ...string) {
	c.args = append(c.args, args...)
	for _, a := range args {
		c.bytes += len(a)
	}
}

// int gives the script a number.
func (c *call) int(n int64) { c.arg(strconv.FormatInt(n, 10)) }

// run runs the script and returns what its main did. When it returns, this node's sink has heard of everything that the script
// committed, or knows that it must ask. Errors: *refusal, or a problem of the connection (see explain), or ctx's. Drafts of other partitions
// are delivered by the caller (deliver), who knows what that is worth.
func (c *call) run(ctx context.Context) (rueidis.RedisMessage, error) {
	if !c.admitted {
		done, err := c.e.admit(c.bytes)
		if err != nil {
			return rueidis.RedisMessage{}, err
		}
		defer done()
	}
	token := c.e.path.token()
	keys := append([]string{c.once}, c.keys...)
	args := append([]string{c.e.keys.hints(c.partition), strconv.FormatUint(c.number, 10), token, strconv.FormatInt(c.e.now().UnixMilli(), 10)}, c.args...)
	heard := c.e.path.expect(token)
	defer c.e.path.forget(token)
	result, err := c.e.persist(ctx, func(ctx context.Context) rueidis.RedisResult { return c.e.execute(ctx, c.script, keys, args) })
	if err != nil {
		return rueidis.RedisMessage{}, err
	}
	both, err := result.ToArray()
	if err != nil || len(both) == 0 {
		return rueidis.RedisMessage{}, problem.Internal.Because(errors.New("redis: a script returned something else: " + c.script.name))
	}
	if hinted, _ := both[0].AsInt64(); hinted == 1 {
		c.e.path.await(ctx, c.partition, heard, c.names)
	}
	if len(both) == 1 {
		return rueidis.RedisMessage{}, nil // main returned nil
	}
	return both[1], nil
}

// persist does something until it gets through, or Options.Patience is over, or the answer says that it will not.
func (e *Engine) persist(ctx context.Context, do func(context.Context) rueidis.RedisResult) (rueidis.RedisResult, error) {
	deadline := time.Now().Add(e.o.Patience)
	limited, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		result := do(limited)
		err := result.Error()
		if err == nil || isNil(err) {
			return result, nil
		}
		if ctx.Err() != nil {
			return result, ctx.Err()
		}
		if !passing(err) || time.Until(deadline) < wait || e.ctx.Err() != nil {
			return result, explain(err)
		}
		sleep(limited, wait)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// channels gives the script the channels of drafts, for take_channels, and returns their numbers. Those of other partitions have
// none: 0.
func (c *call) channels(drafts ...channel.Draft) map[channel.Name]int {
	numbers := map[channel.Name]int{}
	var names []channel.Name
	for i := range drafts {
		name := drafts[i].Channel
		if _, known := numbers[name]; !known && partitionOf(name) == c.partition {
			names = append(names, name)
			numbers[name] = len(names)
		}
	}
	c.names = names
	c.int(int64(len(names)))
	for _, name := range names {
		c.arg(string(name))
		c.int(int64(c.e.o.Policies.For(name).KeepCount))
		c.key(c.e.keys.head(name), c.e.keys.stream(name), c.e.keys.amended(name), c.e.keys.names(c.partition))
	}
	return numbers
}

// drafts gives the script drafts, for take_drafts, and returns them with what the node draws for them.
func (c *call) drafts(numbers map[channel.Name]int, drafts ...channel.Draft) []drawn {
	c.int(int64(len(drafts)))
	all := make([]drawn, len(drafts))
	for i, d := range drafts {
		all[i] = draw(d)
		if numbers[d.Channel] == 0 {
			c.outbox(outgoing{Draft: d})
			continue
		}
		c.draft(numbers[d.Channel], &all[i])
	}
	return all
}

func (c *call) draft(number int, d *drawn) {
	c.int(int64(number))
	c.arg(strconv.FormatUint(uint64(d.mark), 10), string(appendMeta(nil, d)), string(d.Data))
	if d.Key == "" {
		c.arg("")
	} else {
		c.key(c.e.keys.idempotency(&d.Draft))
		c.arg("1", contentText(&d.Draft))
	}
	if d.Amend == nil {
		c.arg("")
		return
	}
	c.arg(strconv.FormatUint(d.Amend.Seq, 10), string(d.Amend.Data), flag(d.Amend.Erase))
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// allDrafts gives the script drafts and their channels: what take_channels and take_drafts read, one after the other.
func (c *call) allDrafts(drafts ...channel.Draft) []drawn {
	return c.drafts(c.channels(drafts...), drafts...)
}
