package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/channel"
	"parley/transport"
)

// side is one of two connections, to servers of the same hub, that are sent the same.
type side struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
}

func (s *side) open(t *rapid.T) {
	if s.conn != nil {
		s.conn.Close()
	}
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	s.conn, s.in = conn, bufio.NewReader(conn)
}

// send writes the text in pieces that are cut there.
func (s *side) send(t *rapid.T, text string, cuts []int) {
	slices.Sort(cuts)
	sent := 0
	for _, cut := range append(cuts, len(text)) {
		if cut = min(cut, len(text)); cut > sent {
			if _, err := io.WriteString(s.conn, text[sent:cut]); err != nil {
				t.Fatal(err)
			}
			if sent = cut; sent < len(text) {
				time.Sleep(time.Millisecond) // so that pieces arrive as such, mostly
			}
		}
	}
}

// answer is all that a client can see, but for the date.
func (s *side) answer(t *rapid.T, method string) string {
	response, err := http.ReadResponse(s.in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); response.StatusCode != 400 && (err != nil || time.Since(date).Abs() > patience) {
		t.Fatalf("the date is %q", response.Header.Get("Date"))
	}
	response.Header.Del("Date")
	var b strings.Builder
	fmt.Fprintln(&b, response.Proto, response.Status, response.ContentLength, response.Close)
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		fmt.Fprintf(&b, "%s: %q\n", name, response.Header[name])
	}
	b.Write(body)
	return b.String()
}

// Whatever a client sends, one connection after the other or all at once, in whatever pieces, whatever happens meanwhile: it gets the
// same answers where requests are recognised as where all of them go through net/http.
func TestRepeatedPollsAreAnsweredAsAllOthers(t *testing.T) {
	w := newWorld(t, transport.Options{Gather: -1})
	plain := transport.New(w.hub, w.site, transport.Options{Node: "n1", Gather: -1, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	mux := http.NewServeMux()
	plain.Register(mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	defer func() {
		if err := plain.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	rooms := 0
	rapid.Check(t, func(t *rapid.T) {
		rooms += 2
		m := &twoSides{w: w, fronted: side{addr: w.server.Listener.Addr().String()}, plain: side{addr: server.Listener.Addr().String()}}
		m.rooms = [2]channel.Name{channel.Name(fmt.Sprintf("room:d%d", rooms)), channel.Name(fmt.Sprintf("room:d%d", rooms+1))}
		m.open(t)
		t.Repeat(map[string]func(*rapid.T){
			"poll":               m.poll,
			"polls in a row":     m.polls,
			"more of them":       m.polls,
			"poll at once":       m.pollAtOnce,
			"poll that waits":    m.pollThatWaits,
			"poll of many":       m.pollOfMany,
			"another request":    m.another,
			"several at once":    m.several,
			"a message":          m.say,
			"another way":        m.anotherWay,
			"rights change":      m.rights,
			"a session ends":     m.session,
			"another connection": m.open,
		})
		m.w.site.set(func() { clear(m.w.site.forbidden); clear(m.w.site.ended) })
		m.fronted.conn.Close()
		m.plain.conn.Close()
	})
	w.waiting(0)
	if n := w.site.regulars.Load(); n == 0 {
		t.Error("no request was recognised: this proves nothing")
	} else {
		t.Logf("%d requests were recognised", n)
	}
}

// twoSides are both, and how their requests are made at present.
type twoSides struct {
	w              *world
	fronted, plain side
	rooms          [2]channel.Name
	positions      []string // that there were
	headers        string
	tag            string // If-None-Match, if at all
}

func (m *twoSides) open(t *rapid.T) {
	m.fronted.open(t)
	m.plain.open(t)
}

// exchange sends the same to both, and wants the same answers.
func (m *twoSides) exchange(t *rapid.T, text string, methods ...string) {
	m.send(t, text)
	m.compare(t, text, methods...)
}

func (m *twoSides) send(t *rapid.T, text string) {
	var cuts []int
	if rapid.IntRange(0, 7).Draw(t, "split") == 0 {
		cuts = rapid.SliceOfN(rapid.IntRange(0, len(text)), 1, 3).Draw(t, "cuts")
	}
	m.fronted.send(t, text, cuts)
	m.plain.send(t, text, nil)
}

func (m *twoSides) compare(t *rapid.T, text string, methods ...string) {
	closed := false
	for _, method := range methods {
		got, want := m.fronted.answer(t, method), m.plain.answer(t, method)
		if got != want {
			t.Fatalf("%s\nis answered\n%s\nand elsewhere\n%s", text, got, want)
		}
		if _, etag, ok := strings.Cut(got, "Etag: [\"\\\""); ok {
			position, _, _ := strings.Cut(etag, `\`)
			m.positions = append(m.positions, position)
		}
		closed = closed || strings.Contains(strings.SplitN(got, "\n", 2)[0], " true")
	}
	if closed {
		m.open(t)
	}
}

func (m *twoSides) request(line, tag string) string {
	text := line + " HTTP/1.1\r\nHost: parley\r\n" + m.headers
	switch m.tag {
	case "":
	case "own":
		text += "If-None-Match: \"" + tag + "\"\r\n"
	default:
		text += "If-None-Match: " + m.tag + "\r\n"
	}
	return text + "\r\n"
}

// at is a position as clients have them, mostly the last.
func (m *twoSides) at(t *rapid.T) string {
	if n := len(m.positions); n > 0 && rapid.IntRange(0, 9).Draw(t, "position") > 0 {
		return m.positions[n-1]
	}
	return rapid.SampledFrom(append([]string{"0", "1", "2", "7", "1-zzz", "99999-1", "01", "5-", "end", "x", "4611686018427387904"}, m.positions...)).Draw(t, "position")
}

func (m *twoSides) one(t *rapid.T, method, params string) string {
	at := m.at(t)
	return m.request(method+" /v1/channels/"+string(m.rooms[0])+"/messages?after="+at+params, at)
}

func (m *twoSides) poll(t *rapid.T) { m.exchange(t, m.one(t, "GET", ""), "GET") }

func (m *twoSides) polls(t *rapid.T) {
	for range rapid.IntRange(5, 15).Draw(t, "polls") {
		m.poll(t)
	}
}

func (m *twoSides) pollAtOnce(t *rapid.T) {
	m.exchange(t, m.one(t, "GET", "&wait=0.005&limit=2"), "GET")
}

// pollThatWaits waits on both sides until there is something; so its answer is of now, and not of when each of them has begun.
func (m *twoSides) pollThatWaits(t *rapid.T) {
	for range rapid.IntRange(3, 7).Draw(t, "polls") {
		p := m.w.say(m.rooms[0], "before").String()
		text := m.request("GET /v1/channels/"+string(m.rooms[0])+"/messages?wait=60&after="+p, p)
		if m.refused() {
			m.exchange(t, text, "GET")
			return
		}
		m.send(t, text)
		for deadline := time.Now().Add(patience); m.w.site.held.Load() != 2; time.Sleep(100 * time.Microsecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d wait", m.w.site.held.Load())
			}
		}
		m.w.say(m.rooms[0], "after", "and more")
		m.compare(t, text, "GET")
	}
}

// refused reports whether a request would be, as it is made now.
func (m *twoSides) refused() bool {
	m.w.site.mu.Lock()
	defer m.w.site.mu.Unlock()
	return m.w.site.forbidden[m.rooms[0]] != nil || strings.Contains(m.headers, "stale") || m.w.site.ended["ann"] && strings.Contains(m.headers, "ann") || strings.Contains(m.headers, "Origin")
}

func (m *twoSides) pollOfMany(t *rapid.T) {
	sign := rapid.SampledFrom([]string{"@", "%40"}).Draw(t, "sign")
	params := rapid.SampledFrom([]string{"", "&wait=0.005", "&limit=1"}).Draw(t, "parameters")
	for range rapid.IntRange(3, 7).Draw(t, "polls") {
		line := "GET /v1/messages?channel=" + string(m.rooms[0]) + sign + m.at(t) + params + "&channel=" + string(m.rooms[1]) + sign + m.at(t)
		m.exchange(t, m.request(line, "aaaa"), "GET")
	}
}

func (m *twoSides) another(t *rapid.T) {
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.exchange(t, m.one(t, "HEAD", ""), "HEAD")
	case 1:
		m.exchange(t, m.request("GET /v1/channels/"+string(m.rooms[0])+"/messages?before=end", ""), "GET")
	case 2:
		m.exchange(t, m.request("GET /nowhere", ""), "GET")
	case 3:
		m.exchange(t, strings.Replace(m.one(t, "GET", ""), "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1), "GET")
	case 4:
		m.exchange(t, strings.Replace(m.one(t, "GET", ""), "\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n???", 1), "GET")
	}
}

func (m *twoSides) several(t *rapid.T) {
	var text string
	var methods []string
	for range rapid.IntRange(2, 4).Draw(t, "requests") {
		text += m.one(t, "GET", rapid.SampledFrom([]string{"", "&wait=0.005"}).Draw(t, "parameters"))
		methods = append(methods, "GET")
	}
	m.exchange(t, text, methods...)
}

func (m *twoSides) say(t *rapid.T) {
	texts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 1, 3).Draw(t, "texts")
	m.positions = append(m.positions, m.w.say(rapid.SampledFrom(m.rooms[:]).Draw(t, "room"), texts...).String())
}

// anotherWay changes how requests are made.
func (m *twoSides) anotherWay(t *rapid.T) {
	m.headers = rapid.SampledFrom([]string{
		"", "Authorization: Bearer ann\r\n", "authorization:Bearer bob\r\nCookie: a=b\r\n", "Authorization: Bearer stale\r\n", "Accept: */*\r\nUser-Agent: x\r\n",
		"Origin: http://evil\r\n", "Content-Length: 0\r\nAccept: application/json\r\n",
	}).Draw(t, "headers")
	m.tag = rapid.SampledFrom([]string{"", "own", "own", "own", "*", "W/\"1\"", "\"a\", \"b\"", "x y"}).Draw(t, "tag")
}

func (m *twoSides) rights(t *rapid.T) {
	m.w.site.mu.Lock()
	_, forbidden := m.w.site.forbidden[m.rooms[0]]
	delete(m.w.site.forbidden, m.rooms[0])
	m.w.site.mu.Unlock()
	if !forbidden {
		m.w.site.forbid(m.rooms[0], channel.ErrDeleted.Detail("it is not for you"))
	}
}

// session ends ann's, or begins it again.
func (m *twoSides) session(*rapid.T) {
	m.w.site.set(func() {
		if m.w.site.ended["ann"] {
			delete(m.w.site.ended, "ann")
		} else {
			m.w.site.ended["ann"] = true
		}
	})
}
