package transport_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"parley/problem"
	"parley/transport"
)

// regularPoll makes a client known: its next poll is one that was made before.
func (w *world) regularPoll(c *caller, poll func() string, wait bool) {
	w.t.Helper()
	for before := w.site.regulars.Load(); w.site.regulars.Load() == before; {
		c.ask(poll())
		if wait {
			w.waiting(1)
			w.say(lobby, "for who waits")
		}
		c.answer().is(w.t, 200, "")
		if wait {
			w.waiting(0)
		}
	}
}

// What ends between two polls, has ended for the second, also where that does not pass the handlers.
func TestARegularIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *site)
		status int
		code   string
	}{
		{"a right", func(s *site) { s.forbid(lobby, problem.Forbidden.Detail("not any more")) }, 403, "forbidden"},
		{"a session", func(s *site) { s.set(func() { s.ended["ann"] = true }) }, 401, "no_session"},
		{"places", func(s *site) { s.set(func() { s.full = true }) }, 429, "too_many_connections"},
	} {
		for _, params := range []string{"&wait=60", ""} {
			if params == "" && c.name == "places" {
				continue // a poll holds nothing
			}
			t.Run(c.name+params, func(t *testing.T) {
				w := newWorld(t, transport.Options{})
				caller := w.call()
				poll := func() string {
					return lobbyMessages + "?after=" + w.say(lobby, "one").String() + params + "\nAuthorization: Bearer ann"
				}
				w.regularPoll(caller, poll, params != "")
				c.change(w.site)
				caller.ask(poll())
				caller.answer().is(t, c.status, c.code)
			})
		}
	}
}

// What the limits refuse is for the handlers to answer, and was not counted.
func TestARegularIsOverTheLimit(t *testing.T) {
	w := newWorld(t, transport.Options{})
	c := w.call()
	poll := func() string { return lobbyMessages + "?after=" + w.say(lobby, "one").String() }
	w.regularPoll(c, poll, false)
	counted := w.site.regulars.Load()
	w.site.set(func() { w.site.over = true })
	c.ask(poll())
	c.answer().is(t, 200, "") // the test's handlers have no limits
	if n := w.site.regulars.Load(); n != counted {
		t.Fatalf("%d were counted, not %d", n, counted)
	}
}

// A regular poll of what only the log has, or what is seen through a lens, is answered as any other.
func TestARegularAsksTheLog(t *testing.T) {
	w := newWorld(t, transport.Options{})
	for i := range 300 {
		w.say(lobby, fmt.Sprint(i))
	}
	c := w.call()
	w.regularPoll(c, func() string { return lobbyMessages + "?limit=3&after=" + w.say(lobby, "one").String() }, false)
	counted := w.site.regulars.Load()
	c.ask(lobbyMessages + "?limit=3&after=5")
	if b := parse[batch](t, c.answer().is(t, 200, "").body); len(b.Messages) != 3 || b.Messages[0].Seq != 6 || !b.More {
		t.Fatalf("got %+v", b)
	}
	c.ask(lobbyMessages + "?limit=3&after=99999-1")
	if b := parse[batch](t, c.answer().is(t, 200, "").body); b.Gap == nil || b.Gap.Reason != "rollback" {
		t.Fatalf("got %+v", b)
	}
	if n := w.site.regulars.Load(); n != counted+2 {
		t.Fatalf("%d of 2 were recognised", n-counted)
	}
}

// A connection that is used for this and that goes to a loop ever more seldom.
func TestConnectionsThatAreUsedForMore(t *testing.T) {
	var taken atomic.Int64
	w := newWorldOver(t, transport.Options{}, func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateHijacked {
				taken.Add(1)
			}
		}
		s.Start()
	})
	poll, another := lobbyMessages+"?after="+w.say(lobby, "one").String(), "GET /v1/channels/room:lobby/presence"
	c := w.call()
	for range 300 {
		for _, request := range []string{poll, poll, poll, poll, another} {
			c.ask(request)
			c.answer().is(t, 200, "")
		}
	}
	if n := taken.Load(); n < 1 || n > 20 {
		t.Errorf("a connection used for this and that was taken from net/http %d times", n)
	}
	only := w.call()
	taken.Store(0)
	for range 100 {
		only.ask(poll)
		only.answer().is(t, 200, "")
	}
	if n := taken.Load(); n != 2 { // after some polls, and to learn
		t.Errorf("one that polls was taken %d times", n)
	}
}

// A client that sends half of a request, and one that sends its end with a request, get what net/http gives them.
func TestHalfOfARegularRequest(t *testing.T) {
	w := newWorld(t, transport.Options{})
	for _, params := range []string{"", "&wait=60"} {
		c := w.call()
		poll := func() string { return lobbyMessages + "?after=" + w.say(lobby, "one").String() + params }
		w.regularPoll(c, poll, params != "")
		position := w.say(lobby, "two")
		text := lobbyMessages + "?after=" + position.String() + params + " HTTP/1.1\r\nHost: parley\r\n\r\n"
		for i := range len(text) {
			if _, err := c.conn.Write([]byte(text[i : i+1])); err != nil {
				t.Fatal(err)
			}
		}
		if params != "" {
			w.waiting(1)
			w.say(lobby, "three")
		}
		c.answer().is(t, 200, "")
		w.waiting(0)
		w.regularPoll(c, poll, params != "")
		if _, err := c.conn.Write([]byte(strings.ReplaceAll(text, "&wait=60", "&wait=0.01"))); err != nil {
			t.Fatal(err)
		}
		c.conn.(*net.TCPConn).CloseWrite()
		if _, err := io.ReadAll(c.in); err != nil { // what net/http thinks of its half being closed, and the end
			t.Fatal(err)
		}
	}
}
