package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"

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
		"--rate-guest", "off", "--rate-address", "off", "--rate-read", "off", "--streams-per-address", "0", "--log-level", "warn")
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
