package examples_test

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// socket is a WebSocket by hand: a TCP connection, the handshake as text, each frame byte by byte.
type socket struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
	fin            = 0x80
)

// dial shakes hands by hand; the answer must prove that it was understood.
func (p *program) dial(path string, headers ...string) *socket {
	p.t.Helper()
	s, status := p.try(path, headers...)
	if status != "HTTP/1.1 101 Switching Protocols" {
		p.t.Fatalf("%s: %s", path, status)
	}
	return s
}

func (p *program) try(path string, headers ...string) (*socket, string) {
	p.t.Helper()
	conn, err := net.DialTimeout("tcp", p.addr, patience)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(2 * patience))
	nonce := make([]byte, 16)
	rand.Read(nonce)
	key := base64.StdEncoding.EncodeToString(nonce)
	lines := append([]string{
		"GET " + path + " HTTP/1.1", "Host: " + p.addr, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + key,
	}, headers...)
	fmt.Fprint(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	s := &socket{t: p.t, conn: conn, r: bufio.NewReader(conn)}
	status, err := s.r.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	status = strings.TrimSpace(status)
	accept := ""
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			p.t.Fatal(err)
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name == "" {
			break
		}
		if http.CanonicalHeaderKey(name) == "Sec-Websocket-Accept" {
			accept = value
		}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if want := base64.StdEncoding.EncodeToString(sum[:]); strings.Contains(status, " 101 ") && accept != want {
		p.t.Fatalf("Sec-WebSocket-Accept is %q, not %q", accept, want)
	}
	return s, status
}

// frame sends one frame, masked.
func (s *socket) frame(first byte, payload []byte) {
	s.t.Helper()
	out := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		out = append(out, 0x80|byte(n))
	case n <= 0xFFFF:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(n))
	}
	key := make([]byte, 4)
	rand.Read(key)
	out = append(out, key...)
	for i, b := range payload {
		out = append(out, b^key[i%4])
	}
	if _, err := s.conn.Write(out); err != nil {
		s.t.Error(err) // not Fatal: long messages are sent by goroutines of their own
	}
}

func (s *socket) text(text string) { s.t.Helper(); s.frame(fin|opText, []byte(text)) }

// next reads one frame; one from a server is never masked.
func (s *socket) next() (first byte, payload []byte) {
	s.t.Helper()
	first, payload, err := s.read()
	if err != nil {
		s.t.Fatal(err)
	}
	return first, payload
}

func (s *socket) read() (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return 0, nil, err
	}
	if head[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("the server masks: % x", head)
	}
	n := uint64(head[1])
	if n >= 126 {
		size := make([]byte, 2)
		if n == 127 {
			size = make([]byte, 8)
		}
		if _, err := io.ReadFull(s.r, size); err != nil {
			return 0, nil, err
		}
		n = 0
		for _, b := range size {
			n = n<<8 | uint64(b)
		}
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(s.r, payload)
	return head[0], payload, err
}

// hears fails unless the next frame is this text, whole.
func (s *socket) hears(want string) {
	s.t.Helper()
	first, payload := s.next()
	if first != fin|opText || string(payload) != want {
		s.t.Fatalf("heard %#x %.200q, not the text %.200q", first, payload, want)
	}
}

// hearsNothing fails if something came before the answer to a ping.
func (s *socket) hearsNothing() {
	s.t.Helper()
	s.frame(fin|opPing, []byte("?"))
	if first, payload := s.next(); first != fin|opPong {
		s.t.Fatalf("heard %#x %.200q, though nothing was for it", first, payload)
	}
}

// object reads the next text as JSON.
func (s *socket) object() map[string]any {
	s.t.Helper()
	first, payload := s.next()
	var o map[string]any
	if err := json.Unmarshal(payload, &o); first != fin|opText || err != nil {
		s.t.Fatalf("heard %#x %.200q: %v", first, payload, err)
	}
	return o
}

// leaves closes properly and waits until the server has.
func (s *socket) leaves(code uint16, reason string) {
	s.t.Helper()
	s.frame(fin|opClose, append(binary.BigEndian.AppendUint16(nil, code), reason...))
	s.isClosed(code)
}

// isClosed waits for the server's Close frame with this code, and for the end of the connection.
func (s *socket) isClosed(code uint16) (reason string) {
	s.t.Helper()
	for {
		first, payload := s.next()
		if first != fin|opClose {
			continue
		}
		if len(payload) < 2 || binary.BigEndian.Uint16(payload) != code {
			s.t.Fatalf("closed with % x, not with %d", payload, code)
		}
		s.frame(fin|opClose, payload[:2])
		if rest, _ := io.ReadAll(s.r); len(rest) > 0 {
			s.t.Fatalf("after its Close frame it sends % x", rest)
		}
		return string(payload[2:])
	}
}
