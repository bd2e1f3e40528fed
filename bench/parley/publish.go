package parley

import (
	"bytes"
	"fmt"
	"strconv"

	"parley/bench/delivery/load"
)

// Publish is the request with which one of the people publishes data, and the data in it, to be stamped there.
func (n *Node) Publish(channel string, who int, data load.Data) (request []byte, in load.Data) {
	const before, after = `{"type":"bench","data":`, `}`
	request = n.Post("POST", "/v1/channels/"+channel+"/messages", who, before+string(data)+after)
	end := len(request) - len(after)
	return request, load.Data(request[end-len(data) : end])
}

// Published checks the answer to it.
func (n *Node) Published(h *load.Head, body []byte) error {
	if h.Status != 201 || !n.durable(body) {
		return fmt.Errorf("a publish was answered %d: %s", h.Status, body)
	}
	return nil
}

func (n *Node) durable(answer []byte) bool {
	_, level, _ := bytes.Cut(answer, []byte(`"durability":"`))
	return len(level) > len(n.Durability) && string(level[:len(n.Durability)]) == n.Durability && level[len(n.Durability)] == '"'
}

// Pipe is a WebSocket by which one of the people publishes, with a window of publishes under way. answered is told how many more were answered.
func (n *Node) Pipe(l *load.Load, channel string, who, window int, answered func(int)) (*load.Pipe, error) {
	l.Toward(n.Addr)
	p, err := l.Pipe(n.Get("/v1/connect", who, load.Upgrade))
	if err != nil {
		return nil, err
	}
	p.Window = window
	p.Command = command(channel, load.NewData(who))
	p.Answer = func(m []byte) (int, error) {
		count, err := n.acknowledged(m, p.Answered+1)
		answered(count)
		return count, err
	}
	return p, nil
}

// command is the next publish over a WebSocket; its ref is its number.
func command(channel string, data load.Data) func(dst []byte, n int64) ([]byte, error) {
	return func(dst []byte, n int64) ([]byte, error) {
		data.Stamp(n, 0)
		dst = append(dst, `{"op":"publish","ref":`...)
		dst = strconv.AppendInt(dst, n, 10)
		dst = append(append(append(dst, `,"channel":"`...), channel...), `","type":"bench","data":`...)
		return append(append(dst, data...), '}'), nil
	}
}

// acknowledged says whether a message answers a publish, which must be the next one, and good.
func (n *Node) acknowledged(m []byte, next int64) (int, error) {
	rest, ok := bytes.CutPrefix(m, []byte(`{"ref":`))
	if !ok {
		return 0, nil
	}
	ref, rest, _ := bytes.Cut(rest, []byte{','})
	if ref, _ := strconv.ParseInt(string(ref), 10, 64); ref != next || !bytes.HasPrefix(rest, []byte(`"result":{`)) || !n.durable(rest) {
		return 0, fmt.Errorf("publish %d was answered: %.300s", next, m)
	}
	return 1, nil
}
