package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/problem"
)

const (
	// messageCost is what a message counts for beside its data, where bytes are limited.
	messageCost = 128

	// readAtOnce bounds what one answer of Redis holds; a batch of more says that there is more.
	readAtOnce = 256
)

// ask sends commands that only read, and repeats them while Redis does not answer. The first result is returned alone.
func (e *Engine) ask(ctx context.Context, command rueidis.Completed) rueidis.RedisResult {
	command = command.Pin()
	result, err := e.persist(ctx, func(ctx context.Context) rueidis.RedisResult { return e.client.Do(ctx, command) })
	if err != nil {
		return rueidis.NewErrorResult(err)
	}
	return result
}

// askAll is ask for several commands, which are sent together.
func (e *Engine) askAll(ctx context.Context, commands ...rueidis.Completed) (results []rueidis.RedisResult, err error) {
	for i := range commands {
		commands[i] = commands[i].Pin()
	}
	_, err = e.persist(ctx, func(ctx context.Context) rueidis.RedisResult {
		results = e.client.DoMulti(ctx, commands...)
		for _, r := range results {
			if err := r.Error(); err != nil && !isNil(err) {
				return r
			}
		}
		return rueidis.RedisResult{}
	})
	return results, err
}

// errMoved says that the channel changed between two looks at it.
var errMoved = errors.New("the channel changed meanwhile")

// moves bounds how often one read looks again.
const moves = 20

// again looks until nothing changed between the looks.
func again[T any](name channel.Name, look func() (T, error)) (T, error) {
	for range moves {
		if v, err := look(); !errors.Is(err, errMoved) {
			return v, err
		}
	}
	var none T
	return none, problem.Internal.Because(fmt.Errorf("%w: %s lacks messages", errRecord, name))
}

// Read returns the messages after a position; see channel.Log.
func (e *Engine) Read(ctx context.Context, name channel.Name, after channel.Position, limit, maxBytes int) (channel.Batch, error) {
	return again(name, func() (channel.Batch, error) {
		if after == channel.End || e.o.Policies.For(name).Conflate {
			return e.readNewest(ctx, name, after)
		}
		return e.readAfter(ctx, name, after, min(max(limit, 1), readAtOnce), maxBytes)
	})
}

// markAt are the commands that find the mark of a message: it is in the stream, or among the amended.
func (e *Engine) markAt(name channel.Name, seq uint64) []rueidis.Completed {
	at := strconv.FormatUint(seq, 10)
	return []rueidis.Completed{
		e.client.B().Xrange().Key(e.keys.stream(name)).Start(at).End(at).Build(),
		e.client.B().Hget().Key(e.keys.amended(name)).Field(at).Build(),
	}
}

// messageAt reads what markAt found.
func messageAt(name channel.Name, seq uint64, results []rueidis.RedisResult) (*kept, error) {
	entries, err := entriesOf(name, results[0])
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return &entries[0], nil
	}
	text, err := results[1].ToString()
	if isNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err)
	}
	k, err := parseAmended(name, seq, text)
	return &k, err
}

// kept is a message as it is kept, and whether it was erased.
type kept struct {
	channel.Message
	erased bool
}

func entriesOf(name channel.Name, result rueidis.RedisResult) ([]kept, error) {
	entries, err := result.AsXRangeSlices()
	if err != nil {
		return nil, explain(err)
	}
	all := make([]kept, len(entries))
	for i, entry := range entries {
		p, err := parseID(entry.ID)
		if err != nil || len(entry.FieldValues) != 1 {
			return nil, errors.Join(errRecord, err)
		}
		if all[i].Message, err = decode(name, p.Seq, p.Mark, entry.FieldValues[0].Value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// parseAmended reads what lua/channel.lua keeps of an amended message: "mark erased also\nvalue".
func parseAmended(name channel.Name, seq uint64, text string) (kept, error) {
	header, value, _ := strings.Cut(text, "\n")
	fields := strings.Split(header, " ")
	mark, err := strconv.ParseUint(fields[0], 10, 63)
	if err != nil || len(fields) != 3 {
		return kept{}, fmt.Errorf("%w: message %d of %s", errRecord, seq, name)
	}
	m, err := decode(name, seq, channel.Mark(mark), value)
	return kept{m, fields[1] == "1"}, err
}

// readAfter reads messages in order. The message at the position itself proves it.
func (e *Engine) readAfter(ctx context.Context, name channel.Name, after channel.Position, limit, maxBytes int) (batch channel.Batch, err error) {
	commands := append(e.markAt(name, after.Seq), e.headCommand(name),
		e.client.B().Xrange().Key(e.keys.stream(name)).Start(strconv.FormatUint(after.Seq+1, 10)).End("+").Count(int64(limit)+1).Build())
	results, err := e.askAll(ctx, commands...)
	if err != nil {
		return batch, err
	}
	h, err := placed(name, after.Seq, results)
	if err != nil {
		return batch, err
	}
	from, reason := h.Place(after)
	if reason != "" {
		return h.Gap(name, after, reason), nil
	}
	batch = channel.Batch{Channel: name, From: from, To: from}
	found, err := entriesOf(name, results[3])
	if err != nil || from.Seq >= h.Tail.Seq && len(found) == 0 {
		return batch, err
	}
	last := h.Tail.Seq
	if n := len(found); n > 0 {
		last = max(last, found[n-1].Seq) // appended since the head was read
	}
	all, err := e.fill(ctx, name, from.Seq+1, min(last, from.Seq+uint64(limit)+1), found)
	if err != nil {
		return batch, err
	}
	take(&batch, all, limit, maxBytes)
	return batch, nil
}

// placed is the head of a channel with the mark at a seq: of the results of markAt and then headCommand.
func placed(name channel.Name, seq uint64, results []rueidis.RedisResult) (channel.Head, error) {
	h, err := parseHead(results[2])
	if err != nil {
		return h, err
	}
	at, err := messageAt(name, seq, results)
	if at != nil {
		h.At = at.Mark
	}
	return h, err
}

// take puts into a batch what of all fits.
func take(batch *channel.Batch, all []kept, limit, maxBytes int) {
	bytes := 0
	for _, m := range all {
		bytes += len(m.Data) + messageCost
		if n := len(batch.Messages); n == limit || n > 0 && bytes > maxBytes {
			batch.More = true
			return
		}
		batch.Messages = append(batch.Messages, m.Message)
		batch.To = m.Position()
	}
}

// fill makes the messages from first to last of those found in the stream, and of the amended, which are not in it. The result is a chain,
// or errMoved.
func (e *Engine) fill(ctx context.Context, name channel.Name, first, last uint64, found []kept) ([]kept, error) {
	all := make([]kept, last-first+1)
	for _, m := range found {
		if m.Seq >= first && m.Seq <= last {
			all[m.Seq-first] = m
		}
	}
	var missing []string
	for i := range all {
		if all[i].Seq == 0 {
			missing = append(missing, strconv.FormatUint(first+uint64(i), 10))
		}
	}
	if len(missing) == 0 {
		return all, nil
	}
	values, err := e.ask(ctx, e.client.B().Hmget().Key(e.keys.amended(name)).Field(missing...).Build()).ToArray()
	if err != nil {
		return nil, explain(err)
	}
	for i, v := range values {
		text, err := v.ToString()
		if err != nil {
			return nil, errMoved // removed, or read before it was amended
		}
		seq, _ := strconv.ParseUint(missing[i], 10, 64)
		if all[seq-first], err = parseAmended(name, seq, text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readNewest is the read of a conflated kind, and of the end. In a conflated kind nothing is lost with old messages, so
// a position whose message is gone is good.
func (e *Engine) readNewest(ctx context.Context, name channel.Name, after channel.Position) (channel.Batch, error) {
	results, err := e.askAll(ctx, append(e.markAt(name, after.Seq), e.headCommand(name),
		e.client.B().Xrevrange().Key(e.keys.stream(name)).End("+").Start("-").Count(1).Build())...)
	if err != nil {
		return channel.Batch{}, err
	}
	h, err := placed(name, after.Seq, results)
	if err != nil {
		return channel.Batch{}, err
	}
	from, reason := h.Place(after)
	if reason == channel.Retention {
		from, reason = after, ""
	}
	if reason != "" {
		return h.Gap(name, after, reason), nil
	}
	batch := channel.Batch{Channel: name, From: from, To: h.Tail}
	if from.Seq >= h.Tail.Seq || h.Tail == h.Floor {
		return batch, nil
	}
	newest, err := entriesOf(name, results[3]) // the newest message is never an amended one
	if err != nil || len(newest) == 0 || newest[0].Position() != h.Tail {
		return batch, errors.Join(err, errMoved)
	}
	batch.Messages = []channel.Message{newest[0].Message}
	return batch, nil
}

// Before returns the newest messages before a position; see channel.Log. Where the past ends, by retention too, the batch
// is empty.
func (e *Engine) Before(ctx context.Context, name channel.Name, before channel.Position, limit, maxBytes int) (channel.Batch, error) {
	limit = min(max(limit, 1), readAtOnce)
	return again(name, func() (channel.Batch, error) { return e.readBefore(ctx, name, before, limit, maxBytes) })
}

func (e *Engine) readBefore(ctx context.Context, name channel.Name, before channel.Position, limit, maxBytes int) (channel.Batch, error) {
	end := "+"
	if before != channel.End {
		end = strconv.FormatUint(before.Seq-min(before.Seq, 1), 10)
	}
	results, err := e.askAll(ctx, append(e.markAt(name, before.Seq), e.headCommand(name),
		e.client.B().Xrevrange().Key(e.keys.stream(name)).End(end).Start("-").Count(int64(limit)+1).Build())...)
	if err != nil {
		return channel.Batch{}, err
	}
	h, err := placed(name, before.Seq, results)
	if err != nil {
		return channel.Batch{}, err
	}
	_, reason := h.Place(before)
	if reason == channel.Deleted || reason == channel.Rollback {
		return h.Gap(name, before, reason), nil
	}
	batch := channel.Batch{Channel: name, From: h.Floor, To: h.Floor}
	found, err := entriesOf(name, results[3])
	if err != nil {
		return batch, err
	}
	last := h.Tail.Seq
	if before != channel.End && before.Seq <= last {
		last = before.Seq - min(before.Seq, 1)
	}
	if last <= h.Floor.Seq {
		return batch, nil
	}
	first := h.Floor.Seq + 1
	if last-first > uint64(limit) {
		first = last - uint64(limit)
	}
	all, err := e.fill(ctx, name, first, last, found)
	if err != nil {
		return batch, err
	}
	slices.Reverse(all)
	take(&batch, all, limit, maxBytes)
	slices.Reverse(batch.Messages)
	batch.From, batch.To = batch.Messages[0].Before(), batch.Messages[len(batch.Messages)-1].Position()
	return batch, nil
}

// Message returns one message, or channel.ErrNoMessage.
func (e *Engine) Message(ctx context.Context, name channel.Name, seq uint64) (channel.Message, error) {
	results, err := e.askAll(ctx, e.markAt(name, seq)...)
	if err != nil {
		return channel.Message{}, err
	}
	m, err := messageAt(name, seq, results)
	if err != nil {
		return channel.Message{}, err
	}
	if m == nil {
		return channel.Message{}, channel.ErrNoMessage.Detail("%s has no message %d", name, seq)
	}
	return m.Message, nil
}
