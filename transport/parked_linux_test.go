package transport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/transport"
	"parley/websocket"
)

// Where net/http's connections cannot be taken, everything is the same by goroutines.
func TestWithoutAFront(t *testing.T) {
	withFront = false
	defer func() { withFront = true }()
	for name, test := range map[string]func(*testing.T){
		"long poll": TestLongPollIsReleasedByAPublish, "gather": TestLongPollGathers, "runs out": TestLongPollRunsOut,
		"long poll of many": TestLongPollOfManyChannels, "SSE": TestSSE, "SSE of many": TestSSEOfManyResumes, "heartbeats": TestHeartbeats,
		"rights": TestARightIsTakenAway, "views": TestAViewChanges, "takes nothing": TestSSEReaderThatTakesNothing,
		"bye": TestAGoneServerSaysBye, "cut off": TestShutdownCutsOff, "changes": TestAReaderThatChangesTransportMissesNothing,
	} {
		t.Run(name, test)
	}
}

// caller speaks HTTP/1.1 over a connection of its own.
type caller struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (w *world) call() *caller {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &caller{w.t, conn, bufio.NewReader(conn)}
}

// ask sends requests: "GET /path", with lines of headers.
func (c *caller) ask(requests ...string) {
	c.t.Helper()
	var b strings.Builder
	for _, request := range requests {
		line, headers, _ := strings.Cut(request, "\n")
		protocol := " HTTP/1.1"
		if strings.HasSuffix(line, "HTTP/1.0") {
			protocol = ""
		}
		b.WriteString(line + protocol + "\r\nHost: parley\r\n")
		if headers != "" {
			b.WriteString(strings.ReplaceAll(headers, "\n", "\r\n") + "\r\n")
		}
		b.WriteString("\r\n")
	}
	if _, err := io.WriteString(c.conn, b.String()); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one answer, whole.
func (c *caller) answer() answer {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if response.Close {
		response.Header.Set("Connection", "close")
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// ends wants the end of the connection.
func (c *caller) ends() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Fatalf("the connection goes on with %q, %v", rest, err)
	}
}

// eachWayToWait runs a test with polls whose connections are package net's, and with such as are taken from it at once.
func eachWayToWait(t *testing.T, test func(*testing.T, *world)) {
	for name, after := range map[string]time.Duration{"briefly": time.Hour, "long": -1} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, transport.Options{})
			w.transport.SettleAfter(after)
			test(t, w)
		})
	}
}

const lobbyMessages = "GET /v1/channels/room:lobby/messages"

// A connection whose poll waited without a goroutine serves what comes next, whatever that is, and in which pieces.
func TestAWaitingPollsConnectionGoesOn(t *testing.T) { eachWayToWait(t, aWaitingPollsConnectionGoesOn) }

func aWaitingPollsConnectionGoesOn(t *testing.T, w *world) {
	p := w.say(lobby, "one")
	c := w.call()
	for round := range 5 {
		c.ask(lobbyMessages + "?wait=60&after=" + p.String() + "\nIf-None-Match: \"" + p.String() + "\"")
		w.waiting(1)
		next := w.say(lobby, fmt.Sprint("two ", round))
		a := c.answer().is(t, 200, "")
		if b := parse[batch](t, a.body); b.From != p.String() || b.To != next.String() || a.header.Get("Etag") != `"`+next.String()+`"` {
			t.Fatalf("got %v %s", a.header, a.body)
		}
		if a.header.Get("Connection") != "" || a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "private, no-cache" ||
			!strings.Contains(strings.Join(a.header.Values("Vary"), ", "), "Accept, Authorization, Cookie") || a.header.Get("Date") == "" {
			t.Fatalf("the headers are %v", a.header)
		}
		p = next
		w.waiting(0)
		if round%2 == 0 { // another kind of request between
			c.ask(lobbyMessages + "?after=" + p.String())
			c.answer().is(t, 200, "")
		}
	}
	c.ask(lobbyMessages + "?wait=0.01&after=" + p.String() + "\nIf-None-Match: W/\"" + p.String() + "\"")
	if a := c.answer().is(t, 304, ""); a.body != "" || a.header.Get("Etag") == "" {
		t.Fatalf("got %+v", a)
	}
	c.ask("GET /v1/channels/nonsense/messages?wait=60")
	if a := c.answer(); a.status < 400 {
		t.Fatalf("got %+v", a)
	}
	c.ask(lobbyMessages + "?wait=60&after=" + p.String() + "\nConnection: close")
	w.waiting(1)
	w.say(lobby, "last")
	if a := c.answer().is(t, 200, ""); a.header.Get("Connection") != "close" {
		t.Fatalf("the headers are %v", a.header)
	}
	c.ends()
}

// What a client sends behind a poll that waits is answered after it.
func TestRequestsBehindAWaitingPoll(t *testing.T) { eachWayToWait(t, requestsBehindAWaitingPoll) }

func requestsBehindAWaitingPoll(t *testing.T, w *world) {
	p := w.say(lobby, "one")
	poll := lobbyMessages + "?wait=60&after=" + p.String()
	for _, c := range []struct {
		name         string
		with, behind []string // sent with the poll, and while it waits
	}{
		{"with it", []string{lobbyMessages}, nil},
		{"while it waits", nil, []string{lobbyMessages}},
		{"several", []string{lobbyMessages, lobbyMessages + "?after=end"}, []string{lobbyMessages, lobbyMessages}},
		{"more than net/http reads ahead", []string{lobbyMessages + "\nX: " + strings.Repeat("x", 6000), lobbyMessages}, []string{lobbyMessages}},
		{"another poll that waits", []string{lobbyMessages + "?wait=0.01&after=end"}, []string{lobbyMessages + "?wait=0.01&after=end", lobbyMessages}},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller := w.call()
			caller.ask(append([]string{poll}, c.with...)...)
			w.waiting(1)
			caller.ask(c.behind...)
			w.say(lobby, "two")
			if b := parse[batch](t, caller.answer().is(t, 200, "").body); b.From != p.String() {
				t.Fatalf("got %+v", b)
			}
			for range len(c.with) + len(c.behind) {
				caller.answer().is(t, 200, "")
			}
			poll = lobbyMessages + "?wait=60&after=" + w.say(lobby, "three").String()
			p, _ = channel.ParsePosition(poll[strings.LastIndex(poll, "=")+1:])
		})
	}
}

// A client that half-closes has left, unless it has sent another request before.
func TestAWaitingPollsClientLeaves(t *testing.T) {
	w := newWorld(t, transport.Options{})
	poll := lobbyMessages + "?wait=60&after=end"
	leave := map[string]func(c *net.TCPConn){
		"closes":      func(c *net.TCPConn) { c.Close() },
		"resets":      func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
		"half-closes": func(c *net.TCPConn) { c.CloseWrite() },
	}
	for name, leave := range leave {
		for _, request := range []string{poll, lobbyMessages + "\nAccept: text/event-stream"} {
			c := w.call()
			c.ask(request)
			w.waiting(1)
			leave(c.conn.(*net.TCPConn))
			eventually(t, "the end of who "+name, func() bool { return w.site.held.Load() == 0 })
		}
	}
	c := w.call()
	c.ask(poll)
	w.waiting(1)
	c.ask(lobbyMessages + "?after=end")
	c.conn.(*net.TCPConn).CloseWrite()
	w.say(lobby, "one")
	c.answer().is(t, 200, "")
	c.answer() // whatever net/http thinks of its half being closed
	c.ends()
}

// serving counts the goroutines that net/http has for connections.
func serving() int {
	stacks := make([]byte, 16<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "net/http.(*conn).serve(")
}

func sockets(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// Clients that are silent hold no goroutine of the server's, and leave nothing behind.
func TestSilentClientsHoldNoGoroutine(t *testing.T) { eachWayToWait(t, silentClientsHoldNoGoroutine) }

func silentClientsHoldNoGoroutine(t *testing.T, w *world) {
	w.connect("/v1/connect").conn.CloseNow() // the loops begin with it
	w.waiting(0)
	const each = 300
	before := sockets(t)
	var conns []net.Conn
	open := func(request, greeting string) {
		for range each {
			c := w.call()
			c.ask(request)
			if greeting != "" {
				if line, err := c.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, greeting) {
					t.Fatalf("got %q, %v", line, err)
				}
			}
			conns = append(conns, c.conn)
		}
	}
	open(lobbyMessages+"?wait=60&after=end\nAuthorization: Bearer ann", "")
	open(lobbyMessages+"?after=end\nAccept: text/event-stream\nAuthorization: Bearer bob", "HTTP/1.1 200")
	open(lobbyMessages+"?after=end\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nAuthorization: Bearer cleo", "HTTP/1.1 101")
	w.waiting(3 * each)
	eventually(t, "the end of all goroutines of who waits", func() bool { return serving()+goroutines() == 0 })
	if _, n := w.hub.Presence().Here(lobby, 10); n != 3 {
		t.Fatalf("%d people are there", n)
	}
	w.say(lobby, "wakes them all")
	w.waiting(2 * each) // the polls are answered
	eventually(t, "the end of all goroutines again", func() bool { return serving()+goroutines() == 0 })
	for _, c := range conns {
		c.Close()
	}
	w.waiting(0)
	eventually(t, "the end of all connections", func() bool { return sockets(t) <= before })
}

// What a reader has not read is kept by the log, and not for the reader: however much that is, the server holds no more than one delivery, and
// the reader gets everything once it reads on.
func TestReadersThatStopReadingCostNoMemory(t *testing.T) {
	w := newWorld(t, transport.Options{WriteTimeout: 10 * patience, Heartbeat: time.Hour})
	const messages, size, commit = 10_000, 1500, 500
	w.http.Timeout = 10 * patience // it reads all the time, once it reads
	events := w.events("/v1/channels/room:lobby/messages")
	socket := w.connect("/v1/channels/room:lobby/messages")
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	data, _ := json.Marshal(map[string]string{"text": strings.Repeat("x", size)})
	drafts := make([]channel.Draft, commit)
	for i := range drafts {
		drafts[i] = channel.Draft{Channel: lobby, Type: "text", From: channel.Sender{ID: "ann", Name: "Ann"}, Data: data}
	}
	var before int64
	for n := 0; n < messages; n += commit {
		if n == messages/10 {
			before = heap() // what is held once is held
		}
		if _, err := w.hub.Append(context.Background(), drafts...); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > messages*size/8 {
		t.Errorf("%d bytes are unread, and memory has grown by %d", messages*size, grown)
	}
	read := func(name string, next func() string) {
		for seq := uint64(0); seq < messages; {
			text := next()
			if !strings.Contains(text, `"messages":`) {
				continue
			}
			for _, m := range parse[struct{ Messages []struct{ Seq uint64 } }](t, text).Messages {
				if seq++; m.Seq != seq {
					t.Fatalf("%s: message %d comes after %d", name, m.Seq, seq-1)
				}
			}
		}
	}
	read("SSE", func() string {
		e, err := events.next()
		if err != nil {
			t.Fatal(err)
		}
		return e.data
	})
	read("WebSocket", func() string {
		text, err := socket.next()
		if err != nil {
			t.Fatal(err)
		}
		return text
	})
}

// A defect that shows in one stream ends that one, whether a loop or a goroutine has run into it.
func TestAPanicEndsOneStream(t *testing.T) {
	t.Run("on a loop", func(t *testing.T) { testAPanicEndsOneStream(t, true) })
	t.Run("having waited", func(t *testing.T) { testAPanicEndsOneStream(t, false) })
}

func testAPanicEndsOneStream(t *testing.T, atOnce bool) {
	w := newWorld(t, transport.Options{})
	w.site.set(func() {
		w.site.lenses["vote:A"] = func(m channel.Message, wait bool) (channel.Message, bool) {
			if !wait && !atOnce {
				return m, false
			}
			if m.Type == "bad" {
				panic("a defect")
			}
			return m, true
		}
	})
	events, socket := w.events("/v1/channels/vote:A/messages"), w.connect("/v1/channels/vote:A/messages")
	poll := w.call()
	poll.ask("GET /v1/channels/vote:A/messages?wait=60")
	others := w.events("/v1/channels/room:lobby/messages")
	w.waiting(4)
	if _, err := w.hub.Append(context.Background(), channel.Draft{Channel: "vote:A", Type: "bad", Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	w.waiting(1)
	for {
		if _, err := events.next(); err != nil {
			break
		}
	}
	if status := socket.closed().Code; status != websocket.StatusAbnormalClosure && status != websocket.StatusInternalError {
		t.Errorf("the WebSocket was closed with %v", status)
	}
	w.say(lobby, "one")
	others.want("batch")
}

// A server that leaves answers waiting polls, says bye to streams, and closes connections that wait for the next request.
func TestShutdownOfSilentClients(t *testing.T) {
	w := newWorld(t, transport.Options{})
	poll, idle, events := w.call(), w.call(), w.call()
	idle.ask(lobbyMessages + "?wait=0.01&after=end")
	idle.answer().is(t, 200, "")
	poll.ask(lobbyMessages + "?wait=60&after=end")
	events.ask(lobbyMessages + "?after=end\nAccept: text/event-stream")
	w.waiting(2)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.transport.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if a := poll.answer().is(t, 200, ""); a.header.Get("Connection") != "close" {
		t.Errorf("the headers are %v", a.header)
	}
	poll.ends()
	idle.ends()
	if text := events.answer().body; !strings.Contains(text, "event: bye\n") {
		t.Errorf("the stream ends without a bye: %s", text)
	}
	w.get("/v1/channels/room:lobby/messages?wait=60").is(t, 503, "overloaded")
}
