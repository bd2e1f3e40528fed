package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"parley/bench/delivery/load"
)

// end is how many messages a channel has had.
func (n *node) end(l *load.Load, channel string) (int, error) {
	l.Toward(n.addr)
	bodies, err := l.Do(1, 200, func(int) []byte { return n.get("/v1/channels/"+channel+"/messages?before=end&limit=1", 0, "") })
	if err != nil {
		return 0, err
	}
	var batch struct{ To string }
	err = json.Unmarshal(bodies[0], &batch)
	return seq([]byte(batch.To)), err
}

// kept asks every node whether channels end where they must: what is acknowledged is there, and nothing else.
func (s *site) kept(l *load.Load, channels []string, want func(i int) int) error {
	for _, n := range s.nodes {
		for i, channel := range channels {
			if has, err := n.end(l, channel); err != nil || has != want(i) {
				return errors.Join(err, fmt.Errorf("%d publishes to %s were acknowledged, and it has %d", want(i), channel, has))
			}
		}
	}
	return nil
}

// Ask implements load.Dialect: readers are WebSockets of one channel, from its end.
func (n *node) Ask(r *load.Reader) []byte {
	return n.get("/v1/channels/"+r.Channel+"/messages?after=end", r.Who, upgrade)
}

// Opened waits for the first batch, which says where the reader is.
func (n *node) Opened(*load.Reader) (bool, error) { return false, nil }

// Answer is for long polls.
func (n *node) Answer(*load.Reader, *load.Head) error { return nil }

// Message applies a batch: it must begin where the reader is, and hold as many messages as it says.
func (n *node) Message(r *load.Reader, p []byte) error {
	rest, ok := bytes.CutPrefix(p, []byte(`{"channel":"`+r.Channel+`","`))
	switch {
	case bytes.HasPrefix(p, []byte(`{"hello":`)) || bytes.HasPrefix(p, []byte(`{"heartbeat":`)) || bytes.HasPrefix(p, []byte(`{"ref":`)):
		return nil
	case ok && bytes.HasPrefix(rest, []byte(`signal":`)):
		return nil
	}
	rest, ok = bytes.CutPrefix(rest, []byte(`from":"`))
	from, rest, _ := bytes.Cut(rest, []byte(`","to":"`))
	to, rest, whole := bytes.Cut(rest, []byte{'"'})
	if !ok || !whole {
		return fmt.Errorf("a reader of %s got %.300s", r.Channel, p)
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

func seq(position []byte) int {
	digits, _, _ := bytes.Cut(position, []byte{'-'})
	n, _ := strconv.Atoi(string(digits))
	return n
}
