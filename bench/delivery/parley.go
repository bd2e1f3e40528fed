package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strconv"

	"parley/bench/delivery/load"
	"parley/bench/process"
)

var address = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)

// startParley starts the server as it is shipped, without limits of rate and number; the log lies on the disk that
// this repository is on.
func startParley(b *bench, program string) (*server, error) {
	data, err := os.MkdirTemp(b.at.Cache, "data-")
	if err != nil {
		return nil, err
	}
	tidy := func() { _ = os.RemoveAll(data) }
	p, err := process.Start(b.core, program, "--addr", "127.0.0.1:0", "--data", data, "--rate-publish", "off", "--rate-ballot", "off",
		"--rate-guest", "off", "--rate-address", "off", "--streams-per-address", "0", "--log-level", "warn")
	if err != nil {
		tidy()
		return nil, err
	}
	for p.Lines.Scan() {
		if at := address.FindStringSubmatch(p.Lines.Text()); at != nil {
			go func() { // what else it says
				for p.Lines.Scan() {
				}
			}()
			addr, err := netip.ParseAddrPort(at[1])
			return &server{site: &parley{host: at[1]}, process: p, pid: p.PID(), addr: addr, tidy: tidy}, err
		}
	}
	defer tidy()
	return nil, p.Ended("parley did not start")
}

// parley is its dialect: docs/protocol.md.
type parley struct {
	host   string
	tokens []string // of the people
	named  int      // people and channels so far
}

func (s *parley) headers(who int) string {
	h := "Host: " + s.host + "\r\nUser-Agent: bench\r\nAccept-Language: en-US,en;q=0.9\r\n"
	if who < len(s.tokens) {
		h += "Authorization: Bearer " + s.tokens[who] + "\r\n"
	}
	return h
}

func (s *parley) post(method, path string, who int, body string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, s.headers(who), len(body), body)
}

func (s *parley) get(path string, who int, headers string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\n" + s.headers(who) + headers + "\r\n")
}

func (s *parley) People(l *load.Load, n int) error {
	first := s.named
	s.named, s.tokens = s.named+n, nil
	bodies, err := l.Do(n, 201, func(i int) []byte {
		return s.post("POST", "/v1/session", 1<<30, fmt.Sprintf(`{"name":"guest %d"}`, first+i))
	})
	for _, body := range bodies {
		var session struct{ Token string }
		if err := json.Unmarshal(body, &session); err != nil && body != nil {
			return err
		}
		s.tokens = append(s.tokens, session.Token)
	}
	return err
}

func (s *parley) Channels(l *load.Load, n int) ([]string, error) {
	first := s.named
	s.named += n
	bodies, err := l.Do(n, 201, func(i int) []byte {
		return s.post("POST", "/v1/rooms", i%len(s.tokens), fmt.Sprintf(`{"name":"room %d"}`, first+i))
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, body := range bodies {
		var room struct{ Channel string }
		if err := json.Unmarshal(body, &room); err != nil {
			return nil, err
		}
		names = append(names, room.Channel)
	}
	return names, nil
}

func (s *parley) Publish(channel string, who int, data load.Data) request {
	const before, after = `{"type":"bench","data":`, `}`
	head := fmt.Sprintf("POST /v1/channels/%s/messages HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		channel, s.headers(who), len(before)+len(data)+len(after))
	return newRequest(head, before, data, after)
}

var fsynced = []byte(`"durability":"fsynced"`)

func (s *parley) Published(h *load.Head, body []byte) error {
	if h.Status != 201 || !bytes.Contains(body, fsynced) {
		return fmt.Errorf("a publish was answered %d: %s", h.Status, body)
	}
	return nil
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
