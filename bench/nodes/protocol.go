package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"parley/bench/delivery/load"
)

// How nodes are spoken to: docs/protocol.md.

func (n *node) headers(who int) string {
	h := "Host: " + n.addr.String() + "\r\nUser-Agent: bench\r\n"
	if who >= 0 {
		h += "Authorization: Bearer " + n.site.tokens[who] + "\r\n"
	}
	return h
}

const nobody = -1

func (n *node) post(method, path string, who int, body string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, n.headers(who), len(body), body)
}

func (n *node) get(path string, who int, headers string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\n" + n.headers(who) + headers + "\r\n")
}

// people makes so many.
func (s *site) people(l *load.Load, n int) error {
	bodies, err := l.Do(n, 201, func(i int) []byte {
		return s.nodes[0].post("POST", "/v1/session", nobody, fmt.Sprintf(`{"name":"guest %d"}`, i))
	})
	if err != nil {
		return err
	}
	for _, body := range bodies {
		var session struct{ Token string }
		if err := json.Unmarshal(body, &session); err != nil {
			return err
		}
		s.tokens = append(s.tokens, session.Token)
	}
	return nil
}

// rooms makes so many, and returns the names of their channels.
func (s *site) rooms(l *load.Load, n int) (names []string, err error) {
	bodies, err := l.Do(n, 201, func(i int) []byte {
		return s.nodes[0].post("POST", "/v1/rooms", i%len(s.tokens), fmt.Sprintf(`{"name":"room %d"}`, i))
	})
	for _, body := range bodies {
		var room struct{ Channel string }
		if err := json.Unmarshal(body, &room); err != nil && body != nil {
			return nil, err
		}
		names = append(names, room.Channel)
	}
	return names, err
}

// publish is the request that publishes data, and the data in it, to be stamped there.
func (n *node) publish(channel string, who int, data load.Data) (request []byte, in load.Data) {
	const before, after = `{"type":"bench","data":`, `}`
	request = n.post("POST", "/v1/channels/"+channel+"/messages", who, before+string(data)+after)
	end := len(request) - len(after)
	return request, load.Data(request[end-len(data) : end])
}

// inMemory is what a publish is answered with Redis that fsyncs every second.
var inMemory = []byte(`"durability":"memory"`)

func published(h *load.Head, body []byte) error {
	if h.Status != 201 || !bytes.Contains(body, inMemory) {
		return fmt.Errorf("a publish was answered %d: %s", h.Status, body)
	}
	return nil
}

// upgrade asks for a WebSocket. The key is the example of RFC 6455, section 1.3.
const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

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
func acknowledged(m []byte, next int64) (int, error) {
	rest, ok := bytes.CutPrefix(m, []byte(`{"ref":`))
	if !ok {
		return 0, nil
	}
	ref, rest, _ := bytes.Cut(rest, []byte{','})
	if n, _ := strconv.ParseInt(string(ref), 10, 64); n != next || !bytes.HasPrefix(rest, []byte(`"result":{`)) || !bytes.Contains(rest, inMemory) {
		return 0, fmt.Errorf("publish %d was answered: %.300s", next, m)
	}
	return 1, nil
}
