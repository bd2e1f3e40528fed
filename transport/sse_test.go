package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/problem"
	"parley/transport"
)

func TestSSE(t *testing.T) {
	w := newWorld(t, transport.Options{})
	one := w.say(lobby, "one")
	s := w.events("/v1/channels/room:lobby/messages", "Authorization: Bearer ann")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no",
	} {
		if got := s.response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if s.retry != "2000" {
		t.Errorf("retry: %q", s.retry)
	}
	if e := s.want("batch"); e.id != one.String() || !strings.Contains(e.data, `"text":"one"`) {
		t.Fatalf("got %+v", e)
	}
	two := w.say(lobby, "two")
	if e := s.want("batch"); e.id != two.String() || !strings.Contains(e.data, `"text":"two"`) {
		t.Fatalf("got %+v", e)
	}
	// A signal has no id: it is not repeated, and changes no position.
	w.do("POST /v1/channels/room:lobby/signals", `{"type":"typing"}`, "Authorization: Bearer bob").is(t, 202, "")
	for {
		e, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.data, `"here"`) {
			continue
		}
		want := `{"channel":"room:lobby","signal":{"type":"typing","from":{"id":"bob","name":"Bob"},"data":{}}}`
		if e.name != "signal" || e.data != want || e.id != "" {
			t.Fatalf("got %+v, want %s", e, want)
		}
		break
	}
}

func TestSSEHello(t *testing.T) {
	w := newWorld(t, transport.Options{})
	for header, user := range map[string]string{"Authorization: Bearer ann": `{"id":"ann","name":"Ann"}`, "X-Nobody: 1": "null"} {
		response, err := w.http.Do(w.request(context.Background(), "GET /v1/channels/room:lobby/messages", "", "Accept: text/event-stream", header))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		// More than 2 KiB come at once, before anything has happened, for the sake of proxies that hold back less.
		begin := make([]byte, 2<<10)
		if _, err := io.ReadFull(response.Body, begin); err != nil {
			t.Fatal(err)
		}
		want := "retry: 2000\nevent: hello\ndata: {\"hello\":{\"heartbeat\":15,\"node\":\"n1\",\"user\":" + user + "}}\n\n:"
		if !strings.HasPrefix(string(begin), want) {
			t.Fatalf("got %q, want %q", begin, want)
		}
	}
}

func TestSSEResumes(t *testing.T) {
	w := newWorld(t, transport.Options{})
	one := w.say(lobby, "one")
	w.say(lobby, "two")
	s := w.events("/v1/channels/room:lobby/messages?after=0", "Last-Event-ID: "+one.String())
	if b := parse[batch](t, s.want("batch").data); b.From != one.String() || len(b.Messages) != 1 {
		t.Fatalf("got %+v", b)
	}
	w.get("/v1/channels/room:lobby/messages", "Accept: text/event-stream", "Last-Event-ID: x").is(t, 400, "bad_position")
}

func TestSSEOfManyResumes(t *testing.T) {
	w := newWorld(t, transport.Options{})
	path := "/v1/messages?channel=room:a&channel=room:b&channel=room:c@end"
	s := w.events(path)
	if e := s.want("batch"); e.id != "room:a@0,room:b@0,room:c@0" || parse[batch](t, e.data).Channel != "room:c" {
		t.Fatalf("the position of the end was not told: %+v", e)
	}
	a := w.say("room:a", "in a")
	if e := s.want("batch"); e.id != fmt.Sprintf("room:a@%s,room:b@0,room:c@0", a) {
		t.Fatalf("got %+v", e)
	}
	c := w.say("room:c", "in c")
	if e := s.want("batch"); e.id != fmt.Sprintf("room:a@%s,room:b@0,room:c@%s", a, c) {
		t.Fatalf("got %+v", e)
	}
	s.close()
	a2, b := w.say("room:a", "later in a"), w.say("room:b", "in b")
	s = w.events(path, "Last-Event-ID: "+s.lastID)
	got := map[string]string{}
	for range 2 {
		e := s.want("batch")
		b := parse[batch](t, e.data)
		got[b.Channel] = strings.Join(b.texts(), ",")
	}
	if len(got) != 2 || got["room:a"] != "later in a" || got["room:b"] != "in b" {
		t.Fatalf("got %v", got)
	}
	if want := fmt.Sprintf("room:a@%s,room:b@%s,room:c@%s", a2, b, c); s.lastID != want {
		t.Fatalf("the last id is %s, want %s", s.lastID, want)
	}
	// Channels that the URL does not name any more are left out; those that the id does not name begin as the URL says.
	s = w.events("/v1/messages?channel=room:a&channel=room:b@end", "Last-Event-ID: room:x@7,room:a@"+a.String())
	for range 2 {
		e := s.want("batch")
		if b := parse[batch](t, e.data); b.Channel == "room:a" && (len(b.Messages) != 1 || b.From != a.String()) {
			t.Fatalf("got %s", e.data)
		}
	}
	w.get(path, "Accept: text/event-stream", "Last-Event-ID: room:a@1,junk").is(t, 400, "bad_channel")
}

// The id of each event must not claim more than what has arrived with it.
func TestSSEIDsNeverRunAhead(t *testing.T) {
	w := newWorld(t, transport.Options{})
	a, b := w.say("room:a", "in a"), w.say("room:b", "in b")
	s := w.events("/v1/messages?channel=room:a&channel=room:b")
	first, second := s.want("batch"), s.want("batch")
	if first.id != fmt.Sprintf("room:a@%s,room:b@0", a) && first.id != fmt.Sprintf("room:a@0,room:b@%s", b) {
		t.Fatalf("the first id is %s", first.id)
	}
	if second.id != fmt.Sprintf("room:a@%s,room:b@%s", a, b) {
		t.Fatalf("the second id is %s", second.id)
	}
}

func TestHeartbeats(t *testing.T) {
	w := newWorld(t, transport.Options{Heartbeat: 50 * time.Millisecond})
	s, c := w.events("/v1/channels/room:lobby/messages"), w.connect("/v1/connect")
	for range 3 {
		e, err := s.next()
		for err == nil && e.name == "signal" {
			e, err = s.next()
		}
		at := parse[struct{ Heartbeat struct{ At time.Time } }](t, e.data).Heartbeat.At
		if err != nil || e.name != "heartbeat" || time.Since(at).Abs() > time.Minute {
			t.Fatalf("got %+v, %v", e, err)
		}
		text, err := c.next()
		if err != nil || !strings.HasPrefix(text, `{"heartbeat":{"at":"`) {
			t.Fatalf("got %s, %v", text, err)
		}
	}
}

func TestAChannelIsDeletedUnderAStream(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.say(lobby, "one")
	w.say("room:b", "one")
	s := w.events("/v1/messages?channel=room:lobby&channel=room:b")
	c := w.connect("/v1/channels/room:lobby/messages")
	s.want("batch")
	s.want("batch")
	c.want(`"messages"`)
	if err := w.hub.Delete(context.Background(), lobby); err != nil {
		t.Fatal(err)
	}
	gap, ended := s.want("gap").data, s.want("ended").data
	if !strings.Contains(gap, `"reason":"deleted"`) || ended != `{"channel":"room:lobby","ended":{"code":"channel_deleted","detail":"room:lobby was deleted"}}` {
		t.Fatalf("got %s and %s", gap, ended)
	}
	if got := c.want(`"gap"`); got != gap {
		t.Fatalf("WebSocket: got %s", got)
	}
	if got := c.want(`"ended"`); got != ended {
		t.Fatalf("WebSocket: got %s", got)
	}
	w.say("room:b", "two") // the other one goes on
	if b := parse[batch](t, s.want("batch").data); b.Channel != "room:b" {
		t.Fatalf("got %+v", b)
	}
	c.send(`{"op":"ping","ref":1}`)
	c.want(`{"ref":1,"result":{}}`)

	// The last channel of an SSE ends it.
	if err := w.hub.Delete(context.Background(), "room:b"); err != nil {
		t.Fatal(err)
	}
	s.want("gap")
	s.want("ended")
	if e, err := s.next(); err != io.EOF {
		t.Fatalf("got %+v, %v", e, err)
	}
}

func TestARightIsTakenAway(t *testing.T) {
	w := newWorld(t, transport.Options{Heartbeat: 100 * time.Millisecond})
	kicked := problem.Forbidden.Detail("you are no member any more")
	s := w.events("/v1/messages?channel=room:lobby&channel=room:b")
	c := w.connect("/v1/messages?channel=room:lobby&channel=room:b")
	w.site.forbid(lobby, kicked)
	w.say(lobby, "not for you")
	want := `{"channel":"room:lobby","ended":{"code":"forbidden","detail":"you are no member any more"}}`
	if e := s.want("ended"); e.data != want {
		t.Fatalf("got %s", e.data)
	}
	if got := c.want(`"ended"`); got != want {
		t.Fatalf("got %s", got)
	}
	w.say("room:b", "for you")
	if e := s.want("batch"); !strings.Contains(e.data, "for you") || strings.Contains(e.data, "not for you") {
		t.Fatalf("got %s", e.data)
	}
	if got := c.want(`"messages"`); !strings.Contains(got, "for you") || strings.Contains(got, "not for you") {
		t.Fatalf("got %s", got)
	}
	c.send(`{"op":"subscribe","ref":1,"channel":"room:lobby"}`)
	c.want(`{"ref":1,"error":{"type":"urn:parley:error:forbidden"`)
	w.site.forbid("room:b", kicked) // without a message: the next heartbeat tells
	s.want("ended")
	c.want(`"ended"`)
}

// What somebody may see of a message can change too: then it is the new view that counts, also for what was read already.
func TestAViewChanges(t *testing.T) {
	w := newWorld(t, transport.Options{})
	hidden := func(m channel.Message, _ bool) (channel.Message, bool) {
		m.Data = []byte(`{"text":"hidden"}`)
		return m, true
	}
	w.site.set(func() {
		w.site.lenses["vote:A"] = func(m channel.Message, _ bool) (channel.Message, bool) { return m, true }
	})
	s, c := w.events("/v1/messages?channel=vote:A"), w.connect("/v1/channels/vote:A/messages")
	w.say("vote:A", "open")
	if e := s.want("batch"); !strings.Contains(e.data, "open") {
		t.Fatalf("got %s", e.data)
	}
	c.want("open")
	w.site.set(func() { w.site.lenses["vote:A"] = hidden })
	w.site.generation.Add(1)
	w.say("vote:A", "secret")
	if e := s.want("batch"); !strings.Contains(e.data, "hidden") {
		t.Fatalf("got %s", e.data)
	}
	c.want("hidden")
	if got := w.get("/v1/channels/vote:A/messages").body; !strings.Contains(got, "hidden") {
		t.Fatalf("got %s", got)
	}
}

func TestSSEOverHTTP2(t *testing.T) {
	w := newWorldOver(t, transport.Options{}, func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.StartTLS()
	})
	s := w.events("/v1/channels/room:lobby/messages")
	if s.response.ProtoMajor != 2 {
		t.Fatalf("the protocol is %s", s.response.Proto)
	}
	for _, text := range []string{"one", "two"} {
		w.say(lobby, text)
		if e := s.want("batch"); !strings.Contains(e.data, text) {
			t.Fatalf("got %s", e.data)
		}
	}
}

// A reader that takes nothing any more is closed by the write deadline, and only it.
func TestSSEReaderThatTakesNothing(t *testing.T) {
	w := newWorld(t, transport.Options{WriteTimeout: 2 * time.Second})
	stuck, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	_ = stuck.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(stuck, "GET /v1/channels/room:lobby/messages HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", strings.TrimPrefix(w.url, "http://"))
	if line, err := bufio.NewReaderSize(stuck, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("got %q, %v", line, err)
	}
	w.waiting(1)
	well := w.events("/v1/channels/room:lobby/messages?limit=1000")
	w.waiting(2)
	const parts = 200
	big := strings.Repeat("x", 15<<10)
	done := make(chan error, 1)
	go func() {
		for n := 0; n < 10*parts; {
			e, err := well.next()
			if err != nil {
				done <- err
				return
			}
			if e.name == "batch" {
				n += strings.Count(e.data, `"seq":`)
			}
		}
		done <- nil
	}()
	for range parts { // 30 MB: more than the kernel buffers
		w.say(lobby, big, big, big, big, big, big, big, big, big, big)
	}
	if err := <-done; err != nil {
		t.Fatalf("the other reader: %v", err)
	}
	w.waiting(1)
}
