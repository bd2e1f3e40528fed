package redis

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/chat"
)

// Searching reads streams backwards and compares in the node: Redis has no index without a module, and one of our own would cost every publish. What
// bounds it is the number of messages that are looked at (chat.Finder), not that of those there are.

// Channels lists what user is in; see chat.Finder.
func (e *Engine) Channels(ctx context.Context, user string, limit int) ([]channel.Name, error) {
	rooms, directs, err := e.sides(ctx, user)
	var names []channel.Name
	for _, s := range append(rooms, directs...) {
		names = append(names, s.Channel)
	}
	slices.Sort(names) // so that it is the same again who is left out
	return names[:min(len(names), limit)], err
}

// Ages tells when the newest messages were said, in one round trip; see chat.Finder. The newest is in the stream, or the one just before
// the spot, which may be among the amended.
func (e *Engine) Ages(ctx context.Context, spots []chat.Spot) ([]time.Time, error) {
	ages := make([]time.Time, len(spots))
	if len(spots) == 0 {
		return ages, nil
	}
	var commands []rueidis.Completed
	for _, s := range spots {
		last := strconv.FormatUint(s.Before-min(s.Before, 1), 10)
		commands = append(commands,
			e.client.B().Xrevrange().Key(e.keys.stream(s.Channel)).End(last).Start("-").Count(1).Build(),
			e.client.B().Hget().Key(e.keys.amended(s.Channel)).Field(last).Build())
	}
	results, err := e.askAll(ctx, commands...)
	if err != nil {
		return nil, err
	}
	for i, s := range spots {
		there, err := entriesOf(s.Channel, results[2*i])
		if err != nil {
			return nil, err
		}
		if len(there) > 0 {
			ages[i] = there[0].At
		}
		text, err := results[2*i+1].ToString()
		if isNil(err) {
			continue
		}
		if err != nil {
			return nil, explain(err)
		}
		amended, err := parseAmended(s.Channel, s.Before-1, text)
		if err != nil {
			return nil, err
		}
		ages[i] = amended.At
	}
	return ages, nil
}

// Find looks at the next older messages; see chat.Finder.
func (e *Engine) Find(ctx context.Context, from chat.Spot, words *chat.Words, limit int) (chat.Found, error) {
	batch, err := e.Before(ctx, from.Channel, channel.Position{Seq: from.Before}, readAtOnce, readBytes)
	if err != nil || batch.Gap != nil { // deleted
		return chat.Found{}, err
	}
	var found chat.Found
	for i := len(batch.Messages) - 1; i >= 0; i-- {
		m := batch.Messages[i]
		found.Looked++
		found.Before, found.At = m.Seq, m.At
		if words.Find(&m) {
			if found.Messages = append(found.Messages, m); len(found.Messages) == limit {
				return found, nil
			}
		}
	}
	if !batch.More {
		found.Before = 0
	}
	return found, nil
}

// readBytes is how much of a channel, about, is looked at in one step.
const readBytes = 1 << 20
