package transport_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/sqlite"
	"parley/transport"
)

// What is done here is what docs/protocol.md lists under "What happens when".

// A position that cannot be is no error, as it may have been true in a log that was lost: the reader is told of a gap, and goes on.
func TestPositionsThatWereNeverTrue(t *testing.T) {
	w := newWorld(t, transport.Options{})
	tail := w.say(lobby, "one", "two")
	other := w.say("room:other", "one", "two")
	for name, after := range map[string]string{
		"of the future":      "9999-abc",
		"of another channel": other.String(),
	} {
		t.Run(name, func(t *testing.T) {
			path := "/v1/channels/room:lobby/messages?after=" + after
			isGap := func(how, text string) {
				t.Helper()
				var o struct {
					batch
					Batches []batch
				}
				if err := json.Unmarshal([]byte(text), &o); err != nil {
					t.Fatal(err)
				}
				g := append([]batch{o.batch}, o.Batches...)[len(o.Batches)].Gap
				if g == nil || g.From != after || g.Reason != "rollback" || g.Resume != "0" || g.Tail != tail.String() {
					t.Errorf("%s: got %s", how, text)
				}
			}
			isGap("poll", w.get(path, `If-None-Match: "`+after+`"`).is(t, 200, "").body)
			isGap("long poll", w.get(path+"&wait=60").is(t, 200, "").body)
			isGap("many", w.get("/v1/messages?wait=60&channel=room:lobby@"+after).is(t, 200, "").body)
			events := w.events(path)
			isGap("SSE", events.want("gap").data)
			events.want("batch")
			isGap("Last-Event-ID", w.events("/v1/channels/room:lobby/messages", "Last-Event-ID: "+after).want("gap").data)
			socket := w.connect("/v1/connect")
			socket.sendf(`{"op":"subscribe","ref":1,"channel":"room:lobby","after":%q}`, after)
			socket.want(`"result"`)
			isGap("WebSocket", socket.want(`"gap"`))
			socket.want(`"two"`)
		})
	}
}

// A bare number is not verified; past the tail it means the tail as it is when the server looks, and what comes then is delivered.
func TestANumberOfTheFutureMeansNow(t *testing.T) {
	w := newWorld(t, transport.Options{})
	tail := w.say(lobby, "1", "2")
	path := "/v1/channels/room:lobby/messages?after=9999"
	if b := parse[batch](t, w.get(path).is(t, 200, "").body); b.From != tail.String() || b.To != tail.String() || len(b.Messages) > 0 {
		t.Errorf("poll: %+v", b)
	}
	came := make(chan string, 3)
	answers, events, socket := w.later("GET "+path+"&wait=60"), w.events(path), w.connect(path)
	go func() { came <- (<-answers).body }()
	go func() { came <- events.want("batch").data }()
	go func() { came <- socket.want(`"messages"`) }()
	for n := 3; n < 1000; n++ { // until all have looked
		w.say(lobby, fmt.Sprint(n))
		if len(came) == 3 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for range 3 {
		var text string
		select {
		case text = <-came:
		case <-time.After(patience):
			t.Fatal("nothing came")
		}
		b := parse[batch](t, text)
		if len(b.Messages) == 0 || b.Messages[0].Seq < 3 || !strings.HasPrefix(b.From, fmt.Sprint(b.Messages[0].Seq-1)+"-") {
			t.Errorf("got %s", text)
		}
	}
}

// Nonsense as a position is refused where it is said, and costs no more than the request or command in which it is.
func TestMalformedPositions(t *testing.T) {
	w := newWorld(t, transport.Options{})
	socket := w.connect("/v1/connect")
	for _, after := range []string{"", "x", "-1", "1-", "1-ABC", "01", "1-abc-d", "1e3", "99999999999999999999", "0-abc", "1-zzzzzzzzzzzzzzzz"} {
		w.get("/v1/channels/room:lobby/messages?after="+after).is(t, 400, "bad_position")
		w.get("/v1/channels/room:lobby/messages?wait=60&after="+after).is(t, 400, "bad_position")
		w.get("/v1/messages?channel=room:lobby@"+after).is(t, 400, "bad_position")
		if after != "" {
			w.get("/v1/channels/room:lobby/messages", "Accept: text/event-stream", "Last-Event-ID: "+after).is(t, 400, "bad_position")
		}
		socket.sendf(`{"op":"subscribe","ref":1,"channel":"room:lobby","after":%q}`, after)
		socket.want(`"bad_position"`)
	}
	socket.send(`{"op":"ping","ref":2}`)
	socket.want(`"result"`)
	w.waiting(1) // the socket
}

// A deleted channel says so to whoever comes with whatever position, and to who publishes.
func TestADeletedChannelSaysSo(t *testing.T) {
	w := newWorld(t, transport.Options{})
	p := w.say(lobby, "one")
	if err := w.hub.Delete(t.Context(), lobby); err != nil {
		t.Fatal(err)
	}
	for _, after := range []string{"0", "end", "1", "9999-abc", p.String()} {
		path := "/v1/channels/room:lobby/messages?after=" + after
		for _, wait := range []string{"", "&wait=60"} {
			if g := parse[batch](t, w.get(path+wait).is(t, 200, "").body).Gap; g == nil || g.Reason != "deleted" || g.Resume != "" {
				t.Errorf("after %s: %+v", after, g)
			}
		}
		events := w.events(path)
		if after == "end" {
			events.want("batch") // that says where the end was
		}
		if e := events.want("gap"); !strings.Contains(e.data, `"deleted"`) {
			t.Errorf("SSE: %+v", e)
		}
		events.want("ended")
	}
	w.do("POST /v1/channels/room:lobby/messages", "more", "Authorization: Bearer ann", "Content-Type: text/plain").is(t, 410, "channel_deleted")
}

// A thousand channels at once are refused whole by a URL, and one by one by a WebSocket, which goes on.
func TestAThousandChannels(t *testing.T) {
	w := newWorld(t, transport.Options{})
	var list strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&list, "&channel=r:%d", i)
	}
	for _, accept := range []string{"*/*", "text/event-stream"} {
		if a := w.get("/v1/messages?wait=60"+list.String(), "Accept: "+accept).is(t, 400, "bad_request"); !strings.Contains(a.body, "at most 100") {
			t.Errorf("it does not say how many there may be: %s", a.body)
		}
	}
	if _, err := w.tryConnect("/v1/messages?" + list.String()[1:]); err == nil || !strings.Contains(err.Error(), "at most 100") {
		t.Errorf("WebSocket: %v", err)
	}
	w.waiting(0)
	socket := w.connect("/v1/connect")
	taken, refused := 0, 0
	go func() {
		for i := range 1000 {
			socket.sendf(`{"op":"subscribe","ref":%d,"channel":"r:%d"}`, i, i)
		}
	}()
	for taken+refused < 1000 {
		text, err := socket.next()
		switch {
		case err != nil:
			t.Fatal(err)
		case strings.Contains(text, `"too_many_channels"`):
			refused++
		case strings.Contains(text, `"result"`):
			taken++
		}
	}
	if taken != 256 || refused != 744 {
		t.Errorf("%d were taken, %d refused", taken, refused)
	}
	w.say("r:0", "one")
	socket.want(`"one"`)
}

// newWorldWith is newWorld with other limits.
func newWorldWith(t *testing.T, engineOptions sqlite.Options, hubOptions channel.Options) (*world, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley.db")
	engine, err := sqlite.Open(path, engineOptions)
	if err != nil {
		t.Fatal(err)
	}
	hub := channel.NewHub(engine, hubOptions)
	s := &site{hub: hub, forbidden: map[channel.Name]error{}, lenses: map[channel.Name]channel.Lens{}, ended: map[string]bool{}}
	tr := transport.New(hub, s, transport.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	mux := http.NewServeMux()
	tr.Register(mux)
	server := httptest.NewUnstartedServer(mux)
	server.Listener = tr.Front(server.Config, server.Listener)
	server.Start()
	server.Client().Timeout = patience
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tr.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		server.Client().CloseIdleConnections()
		server.Close()
		hub.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{t, server.URL, server.Client(), server, tr, hub, engine, s}, path
}

// 10,000 long polls that are opened and left leave nothing behind: not a goroutine, not a place, nobody present.
func TestLongPollsThatAreLeft(t *testing.T) {
	const atOnce, rounds = 200, 50
	w, _ := newWorldWith(t, sqlite.Options{}, channel.Options{StreamGrace: 50 * time.Millisecond})
	w.get("/v1/channels/room:lobby/messages").is(t, 200, "")
	for round := range rounds {
		conns := make([]net.Conn, atOnce)
		for i := range conns {
			c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			conns[i] = c
			// Each is somebody else.
			fmt.Fprintf(c, "GET /v1/channels/room:%d/messages?wait=60 HTTP/1.1\r\nHost: parley\r\nAuthorization: Bearer p%d.%d\r\n\r\n", i%10, round, i)
		}
		w.waiting(atOnce)
		for i, c := range conns {
			if i%2 == 0 {
				_ = c.(*net.TCPConn).SetLinger(0) // leaves with RST, the others with FIN
			}
			c.Close()
		}
		w.waiting(0)
	}
	eventually(t, "the end of all goroutines", func() bool { return goroutines() == 0 })
	for i := range 10 {
		eventually(t, "everybody's absence", func() bool {
			_, count := w.hub.Presence().Here(channel.Name(fmt.Sprintf("room:%d", i)), 1)
			return count == 0
		})
	}
}

// Clients that all lose their connection and come back at once each get what they missed, once; and are all there is.
func TestAllComeBackAtOnce(t *testing.T) {
	const each = 500 // by SSE, and by WebSocket
	w := newWorld(t, transport.Options{})
	at := w.say(lobby, "zero")
	path := "/v1/channels/room:lobby/messages?after=" + at.String()
	w.say(lobby, "one", "two", "three")
	var all sync.WaitGroup
	var right atomic.Int64
	start := make(chan struct{})
	for i := range 2 * each {
		all.Go(func() {
			<-start
			for range 2 { // comes, gets, leaves; and again
				var text string
				if i%2 == 0 {
					s, err := w.tryEvents(path)
					if err != nil {
						t.Error(err)
						return
					}
					for e, err := s.next(); ; e, err = s.next() {
						if err != nil {
							t.Error(err)
							return
						}
						if e.name == "batch" {
							text = e.data
							break
						}
					}
					defer s.close()
				} else {
					s, err := w.tryConnect(path)
					for err == nil && !strings.Contains(text, `"messages"`) {
						text, err = s.next()
					}
					if err != nil {
						t.Error(err)
						return
					}
					defer s.conn.CloseNow()
				}
				var b batch
				if json.Unmarshal([]byte(text), &b) != nil || b.From != at.String() || strings.Join(b.texts(), " ") != "one two three" {
					t.Errorf("got %s", text)
					return
				}
				right.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	if n := right.Load(); n != 4*each {
		t.Errorf("%d of %d got what they missed", n, 4*each)
	}
	w.waiting(0)
	eventually(t, "the end of all goroutines", func() bool { return goroutines() == 0 })
}

// Publishers faster than the disk are told so, at once, with when to try again; what was acknowledged is there, once; and readers go on.
func TestPublishersFasterThanTheDisk(t *testing.T) {
	const publishers, each, queue = 40, 5, 8
	w, file := newWorldWith(t, sqlite.Options{QueueOps: queue, BusyTimeout: patience}, channel.Options{})
	before := w.say(lobby, "before")
	disk, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	conn, err := disk.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil { // nobody else can write now
		t.Fatal(err)
	}

	var all sync.WaitGroup
	var told atomic.Int64
	acknowledged := make(chan string, publishers*each)
	for i := range publishers {
		all.Go(func() {
			for n := range each {
				key := fmt.Sprintf("p%d.%d", i, n)
				for {
					a, err := w.try("POST /v1/channels/room:lobby/messages", key, "Authorization: Bearer p", "Content-Type: text/plain", "Idempotency-Key: "+key)
					if err != nil {
						t.Error(err)
						return
					}
					if a.status == 201 {
						acknowledged <- key
						break
					}
					if a.status != 503 || !strings.Contains(a.body, `"code":"overloaded"`) || a.header.Get("Retry-After") != "1" {
						t.Errorf("got %d %v %s", a.status, a.header, a.body)
						return
					}
					told.Add(1)
				}
			}
		})
	}
	eventually(t, "that some are told to wait", func() bool { return told.Load() >= 10*publishers })
	if len(acknowledged) > 0 {
		t.Error("something was acknowledged that cannot be on the disk")
	}
	if b := parse[batch](t, w.get("/v1/channels/room:lobby/messages").is(t, 200, "").body); b.To != before.String() {
		t.Errorf("a reader gets %+v meanwhile", b)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	close(acknowledged)
	there := map[string]int{}
	log := parse[batch](t, w.get("/v1/channels/room:lobby/messages?limit=1000").is(t, 200, "").body)
	for _, text := range log.texts() {
		there[text]++
	}
	for key := range acknowledged {
		if there[key] != 1 {
			t.Errorf("%s was acknowledged and is there %d times", key, there[key])
		}
	}
	if len(there) != 1+publishers*each {
		t.Errorf("%d messages are there", len(there))
	}
}
