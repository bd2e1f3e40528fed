package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"parley/bench/delivery/load"
)

// How Parley is read.

// Begin: a stream says where it begins before anything can be published that it must get; a long poll says nothing.
func (s *parley) Begin(l *load.Load, channel string, how load.Transport) ([]byte, error) {
	if how != load.LongPoll {
		return nil, nil
	}
	return s.end(l, channel)
}

// end is the position of a channel's last message.
func (s *parley) end(l *load.Load, channel string) ([]byte, error) {
	bodies, err := l.Do(1, 200, func(int) []byte { return s.get("/v1/channels/"+channel+"/messages?before=end&limit=1", 0, "") })
	if err != nil {
		return nil, err
	}
	var batch struct{ To string }
	err = json.Unmarshal(bodies[0], &batch)
	return []byte(batch.To), err
}

func (s *parley) Ask(r *load.Reader) []byte {
	after := "end"
	if r.Position != nil {
		after = string(r.Position)
	}
	path := "/v1/channels/" + r.Channel + "/messages?after=" + after
	switch r.Transport {
	case load.SSE:
		return s.get(path, r.Who, "Accept: text/event-stream\r\n")
	case load.WebSocket:
		return s.get(path, r.Who, upgrade)
	}
	return s.get(path+"&limit=1000&wait=60", r.Who, "Accept: application/json\r\n")
}

// upgrade asks for a WebSocket. The key is the example of RFC 6455, section 1.3.
const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// Opened waits for the first batch, which says where the reader is.
func (s *parley) Opened(*load.Reader) (bool, error) { return false, nil }

func (s *parley) Answer(*load.Reader, *load.Head) error { return nil }

func (s *parley) Message(r *load.Reader, p []byte) error {
	rest, ok := bytes.CutPrefix(p, []byte(`{"channel":"`))
	if !ok {
		for _, passing := range []string{`{"hello":`, `{"heartbeat":`, `{"ref":`} {
			if bytes.HasPrefix(p, []byte(passing)) {
				return nil
			}
		}
		return fmt.Errorf("a reader got %.300s", p)
	}
	rest, ok = bytes.CutPrefix(rest, []byte(r.Channel+`",`))
	if !ok {
		return fmt.Errorf("a reader of %s got %.300s", r.Channel, p)
	}
	if bytes.HasPrefix(rest, []byte(`"signal":`)) {
		return nil
	}
	return s.batch(r, rest)
}

// batch applies what follows the channel in a batch: it must begin where the reader is, and hold as many messages as it says.
func (s *parley) batch(r *load.Reader, p []byte) error {
	from, rest, _ := member(p, `"from":"`)
	to, rest, ok := member(rest, `,"to":"`)
	if !ok {
		return fmt.Errorf("a reader got no batch: %.300s", p)
	}
	if r.Position != nil && !bytes.Equal(from, r.Position) {
		return fmt.Errorf("a reader at %s got a batch from %s", r.Position, from)
	}
	r.Position = append(r.Position[:0], to...)
	r.Ready()
	if r.Content != nil {
		return r.Content(r, rest)
	}
	count, err := r.Messages(rest)
	if want := seq(to) - seq(from); err == nil && count != want {
		err = fmt.Errorf("a batch from %s to %s has %d messages", from, to, count)
	}
	return err
}

// member cuts `name` and the text behind it, up to a quote, off the beginning of p.
func member(p []byte, name string) (value, rest []byte, ok bool) {
	if rest, ok = bytes.CutPrefix(p, []byte(name)); !ok {
		return nil, p, false
	}
	return bytes.Cut(rest, []byte{'"'})
}

func seq(position []byte) int {
	digits, _, _ := bytes.Cut(position, []byte{'-'})
	n, _ := strconv.Atoi(string(digits))
	return n
}
