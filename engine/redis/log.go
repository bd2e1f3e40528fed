package redis

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/redis/rueidis"

	"parley/channel"
)

// head is what one look tells about a channel.
type head struct {
	deleted bool
	floor   channel.Position // of the newest message that retention removed
	tail    channel.Position
	at      channel.Mark // of the message at the seq that was asked for; 0: there is none
}

var headFields = []string{"seq", "mark", "floor", "floorMark", "deleted"}

func parseHead(result rueidis.RedisResult) (h head, err error) {
	values, err := result.ToArray()
	if err != nil {
		return h, explain(err)
	}
	var n [5]uint64
	for i := range values {
		text, err := values[i].ToString()
		if isNil(err) {
			continue
		}
		if err == nil {
			n[i], err = strconv.ParseUint(text, 10, 63)
		}
		if err != nil {
			return h, errors.Join(errRecord, err)
		}
	}
	h.tail = channel.Position{Seq: n[0], Mark: channel.Mark(n[1])}
	h.floor = channel.Position{Seq: n[2], Mark: channel.Mark(n[3])}
	h.deleted = n[4] != 0
	return h, nil
}

// heads asks for many heads at once.
func (e *Engine) heads(ctx context.Context, of []channel.Tail) ([]head, error) {
	commands := make(rueidis.Commands, len(of))
	for i, w := range of {
		commands[i] = e.headCommand(w.Channel)
	}
	all := make([]head, len(of))
	for i, result := range e.client.DoMulti(ctx, commands...) {
		var err error
		if all[i], err = parseHead(result); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (e *Engine) headCommand(name channel.Name) rueidis.Completed {
	return e.client.B().Hmget().Key(e.keys.head(name)).Field(headFields...).Build()
}

// place finds a reader's position in the channel: where it is, with its mark; or the reason why it is not in the past.
func (h *head) place(after channel.Position) (channel.Position, channel.Reason) {
	here := channel.Position{Seq: after.Seq}
	switch {
	case h.deleted:
		return after, channel.Deleted
	case after == channel.End:
		return h.tail, ""
	case after.Seq < h.floor.Seq:
		return after, channel.Retention
	case after.Seq == h.floor.Seq:
		here.Mark = h.floor.Mark
	case h.at != 0:
		here.Mark = h.at
	case after.Mark == 0: // past the tail, and nothing is claimed
		return h.tail, ""
	default:
		return after, channel.Rollback
	}
	if after.Mark != 0 && after.Mark != here.Mark {
		return after, channel.Rollback
	}
	return here, ""
}

// gap makes the batch that says why there is none.
func (h *head) gap(name channel.Name, from channel.Position, reason channel.Reason) channel.Batch {
	g := &channel.Gap{From: from, Reason: reason}
	if reason != channel.Deleted {
		g.Resume, g.Tail = h.floor, h.tail
	}
	return channel.Batch{Channel: name, From: from, To: from, Gap: g}
}

// Tail is the position of the newest message; see channel.Log.
func (e *Engine) Tail(ctx context.Context, name channel.Name) (channel.Position, error) {
	h, err := parseHead(e.ask(ctx, e.headCommand(name)))
	return h.tail, err
}

// Delete removes a channel for good; see channel.Log.
func (e *Engine) Delete(ctx context.Context, name channel.Name) error {
	c := e.newCall(deleteScript, partitionOf(name))
	c.channels(channel.Draft{Channel: name})
	_, err := c.run(ctx)
	return err
}

// Signal publishes s in its partition's hints; see channel.Log.
func (e *Engine) Signal(ctx context.Context, s channel.Signal) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	payload := string(encodeSignal(s))
	text := "s " + string(s.Channel) + " " + strconv.Itoa(len(payload)) + "\n" + payload
	return explain(e.client.Do(ctx, e.client.B().Spublish().Channel(e.keys.hints(partitionOf(s.Channel))).Message(text).Build()).Error())
}

func encodeSignal(s channel.Signal) (b []byte) {
	for _, text := range []string{s.Type, s.From.ID, s.From.Name, string(s.Data)} {
		b = appendText(b, text)
	}
	return b
}

func decodeSignal(name channel.Name, payload string) (channel.Signal, error) {
	s := channel.Signal{Channel: name}
	var data string
	for _, field := range []*string{&s.Type, &s.From.ID, &s.From.Name, &data} {
		var ok bool
		if *field, payload, ok = cutText(payload); !ok {
			return s, errRecord
		}
	}
	s.Data = json.RawMessage(data)
	return s, nil
}
