package redis

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/redis/rueidis"

	"parley/channel"
)

var headFields = []string{"seq", "mark", "floor", "floorMark", "deleted"}

func parseHead(result rueidis.RedisResult) (h channel.Head, err error) {
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
	h.Tail = channel.Position{Seq: n[0], Mark: channel.Mark(n[1])}
	h.Floor = channel.Position{Seq: n[2], Mark: channel.Mark(n[3])}
	h.Deleted = n[4] != 0
	return h, nil
}

// heads asks for many heads at once.
func (e *Engine) heads(ctx context.Context, of []channel.Tail) ([]channel.Head, error) {
	commands := make(rueidis.Commands, len(of))
	for i, w := range of {
		commands[i] = e.headCommand(w.Channel)
	}
	all := make([]channel.Head, len(of))
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

// Tail is the position of the newest message; see channel.Log.
func (e *Engine) Tail(ctx context.Context, name channel.Name) (channel.Position, error) {
	h, err := parseHead(e.ask(ctx, e.headCommand(name)))
	return h.Tail, err
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
