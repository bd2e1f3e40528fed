package parley

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"parley/bench/delivery/load"
)

// End is the position of a channel's last message.
func (n *Node) End(l *load.Load, channel string) ([]byte, error) {
	l.Toward(n.Addr)
	bodies, err := l.Do(1, 200, func(int) []byte { return n.Get("/v1/channels/"+channel+"/messages?before=end&limit=1", 0, "") })
	if err != nil {
		return nil, err
	}
	var batch struct{ To string }
	err = json.Unmarshal(bodies[0], &batch)
	return []byte(batch.To), err
}

// Kept asks whether a channel ends where it must: what is acknowledged is there, and nothing else.
func (n *Node) Kept(l *load.Load, channel string, messages int) error {
	to, err := n.End(l, channel)
	if err == nil && Seq(to) != messages {
		err = fmt.Errorf("%d publishes to %s were acknowledged, and it ends at %s", messages, channel, to)
	}
	return err
}

// Seq is the number of a position's message.
func Seq(position []byte) int {
	digits, _, _ := bytes.Cut(position, []byte{'-'})
	n, _ := strconv.Atoi(string(digits))
	return n
}

// Poll asks for what is after a position, and need not be answered if nothing is.
func (n *Node) Poll(channel string, at []byte) []byte {
	return n.Get(fmt.Sprintf("/v1/channels/%s/messages?after=%s", channel, at), 0, fmt.Sprintf("Accept: application/json\r\nIf-None-Match: \"%s\"\r\n", at))
}

// Ask implements [load.Dialect]: readers begin where they are, or at the end.
func (n *Node) Ask(r *load.Reader) []byte {
	after := "end"
	if r.Position != nil {
		after = string(r.Position)
	}
	path := "/v1/channels/" + r.Channel + "/messages?after=" + after
	switch r.Transport {
	case load.SSE:
		return n.Get(path, r.Who, "Accept: text/event-stream\r\n")
	case load.WebSocket:
		return n.Get(path, r.Who, load.Upgrade)
	}
	return n.Get(path+"&limit=1000&wait=60", r.Who, "Accept: application/json\r\n")
}

// Opened waits for the first batch, which says where the reader is.
func (n *Node) Opened(*load.Reader) (bool, error) { return false, nil }

// Answer has nothing to see in a long poll's headers.
func (n *Node) Answer(*load.Reader, *load.Head) error { return nil }

// Message applies a batch, and passes over what is no message of the channel.
func (n *Node) Message(r *load.Reader, p []byte) error {
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
	return batch(r, rest)
}

// batch applies what follows the channel in a batch: it must begin where the reader is, and hold as many messages as it says.
func batch(r *load.Reader, p []byte) error {
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
	if want := Seq(to) - Seq(from); err == nil && count != want {
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
