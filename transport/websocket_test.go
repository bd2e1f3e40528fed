package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/problem"
	"parley/transport"
	"parley/websocket"
)

func TestWebSocket(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.say(lobby, "one")
	c := w.connect("/v1/channels/room:lobby/messages", "Authorization: Bearer ann")
	if b := parse[batch](t, c.want(`"messages"`)); b.From != "0" || b.texts()[0] != "one" {
		t.Fatalf("got %+v", b)
	}
	two := w.say(lobby, "two")
	if b := parse[batch](t, c.want(`"messages"`)); b.To != two.String() || b.texts()[0] != "two" {
		t.Fatalf("got %+v", b)
	}
	many := w.connect("/v1/messages?channel=room:lobby@end&channel=room:b")
	if b := parse[batch](t, many.want(`"messages"`)); b.From != two.String() || b.To != two.String() || len(b.Messages) != 0 {
		t.Fatalf("the position of the end was not told: %+v", b)
	}
	w.say("room:b", "in b")
	many.want("in b")
}

func TestHandshakesRefused(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.site.forbid(lobby, channel.ErrDeleted.Detail("it is gone"))
	for path, want := range map[string]string{
		"/v1/channels/room:lobby/messages":        "channel_deleted",
		"/v1/channels/room:b/messages?after=x":    "bad_position",
		"/v1/channels/room:b/messages?before=end": "bad_request",
		"/v1/messages":               "bad_request",
		"/v1/connect?channel=room:b": "bad_request",
	} {
		if _, err := w.tryConnect(path); err == nil || !strings.Contains(err.Error(), `"code":"`+want+`"`) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if _, err := w.tryConnect("/v1/connect", "Authorization: Bearer stale"); err == nil || !strings.Contains(err.Error(), "no_session") {
		t.Errorf("with a bad session: %v", err)
	}
	w.waiting(0)
}

func TestCommands(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.say(lobby, "before")
	c := w.connect("/v1/connect", "Authorization: Bearer ann")

	c.send(`{"op":"subscribe","ref":1,"channel":"room:lobby","after":"0"}`)
	// The answer comes before what it brings.
	if got := c.want(`"ref"`); got != `{"ref":1,"result":{"channel":"room:lobby","position":"0"}}` {
		t.Fatalf("got %s", got)
	}
	c.want(`"text":"before"`)

	c.send(`{"op":"publish","ref":"p","channel":"room:lobby","id":"k","type":"text","data":{"text":"hello"}}`)
	var receipt, echo string
	for receipt == "" || echo == "" { // which of them is first is nobody's promise
		text := c.want(``)
		if strings.HasPrefix(text, `{"ref":`) {
			receipt = text
		} else if strings.Contains(text, `"text":"hello"`) {
			echo = text
		}
	}
	m := w.newest(lobby)
	want := fmt.Sprintf(`{"ref":"p","result":{"channel":"room:lobby","seq":2,"position":"%s","id":"k","at":"%s","durability":"fsynced"}}`,
		m.Position(), m.At.UTC().Format("2006-01-02T15:04:05.000Z"))
	if receipt != want || m.From.ID != "ann" {
		t.Fatalf("got %s, want %s", receipt, want)
	}

	c.send(`{"op":"unsubscribe","ref":2,"channel":"room:lobby"}`)
	c.want(`{"ref":2,"result":{"channel":"room:lobby"}}`)
	w.say(lobby, "unheard")
	c.send(`{"op":"subscribe","ref":3.5,"channel":"room:b"}`) // from now on
	c.want(`{"ref":3.5,"result":{"channel":"room:b","position":"0"}}`)
	w.say("room:b", "heard")
	c.want(`"text":"heard"`)

	c.send(`{"op":"signal","channel":"room:b","type":"typing"}`) // no answer
	c.send(`{"op":"signal","ref":4,"channel":"room:b","type":"typing","data":{}}`)
	c.want(`{"ref":4,"result":{}}`)
	c.send(`{"op":"ping","ref":5}`)
	c.want(`{"ref":5,"result":{}}`)
	c.send(`{"op":"ping"}`)
	c.want(`{"ref":null,"result":{}}`)
}

func TestBadCommands(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.site.forbid("room:closed", channel.ErrDeleted.Detail("it is gone"))
	c := w.connect("/v1/connect", "Authorization: Bearer ann")
	for _, bad := range []struct{ command, ref, code string }{
		{`hello`, `null`, "bad_request"},
		{`[]`, `null`, "bad_request"},
		{`{"op":"ping"`, `null`, "bad_request"},
		{`{"op":"ping"} {}`, `null`, "bad_request"},
		{`{"ref":1}`, `1`, "bad_request"},
		{`{"op":"dance","ref":2}`, `2`, "bad_request"},
		{`{"op":"ping","ref":3,"speed":1}`, `3`, "bad_field"},
		{`{"op":"ping","ref":4,"channel":"room:a"}`, `4`, "bad_field"},
		{`{"op":"subscribe","ref":5,"channel":"a"}`, `5`, "bad_channel"},
		{`{"op":"subscribe","ref":6}`, `6`, "bad_channel"},
		{`{"op":"subscribe","ref":7,"channel":"room:a","after":"x"}`, `7`, "bad_position"},
		{`{"op":"subscribe","ref":8,"channel":"room:a","after":7}`, `8`, "bad_request"},
		{`{"op":"subscribe","ref":9,"channel":"room:a","type":"text"}`, `9`, "bad_field"},
		{`{"op":"ping","ref":{}}`, `null`, "bad_request"},
		{`{"op":"ping","ref":[1]}`, `null`, "bad_request"},
		{`{"op":"ping","ref":"` + strings.Repeat("r", 200) + `"}`, `null`, "bad_request"},
		{`{"op":"subscribe","ref":"a","channel":"room:closed"}`, `"a"`, "channel_deleted"},
		{`{"op":"publish","ref":10,"channel":"room:closed","type":"text","data":{}}`, `10`, "channel_deleted"},
		{`{"op":"publish","ref":11,"channel":"room:a","data":{}}`, `11`, "bad_request"},
		{`{"op":"publish","ref":12,"channel":"room:a","type":"text"}`, `12`, "bad_request"},
		{`{"op":"publish","ref":13,"channel":"room:a","type":"text","data":{},"id":""}`, `13`, "bad_request"},
		{`{"op":"publish","ref":14,"channel":"room:a","type":"T","data":{}}`, `14`, "bad_type"},
		{`{"op":"publish","ref":15,"channel":"room:a","type":"text","data":{},"from":1}`, `15`, "bad_field"},
		{`{"op":"signal","channel":"room:closed","type":"typing"}`, `null`, "channel_deleted"},
		{`{"op":"signal","ref":16,"channel":"room:a"}`, `16`, "bad_request"},
		{`{"op":"publish","ref":17,"channel":"room:a","type":"x","data":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, `17`, "bad_request"},
	} {
		c.send(bad.command)
		got := c.want(`"ref"`)
		if !strings.HasPrefix(got, `{"ref":`+bad.ref+`,"error":{"type":"urn:parley:error:`+bad.code+`"`) {
			t.Errorf("%.80s: got %s", bad.command, got)
		}
		c.send(`{"op":"ping"}`) // one that is right: they are not counted together
		c.want(`{"ref":null,"result":{}}`)
	}

	nobody := w.connect("/v1/connect")
	nobody.send(`{"op":"publish","ref":1,"channel":"room:a","type":"text","data":{}}`)
	nobody.want(`urn:parley:error:no_session`)
	nobody.send(`{"op":"signal","channel":"room:a","type":"typing"}`)
	nobody.want(`urn:parley:error:no_session`)
	w.site.set(func() { w.site.limited = true })
	c.send(`{"op":"publish","ref":1,"channel":"room:a","type":"text","data":{}}`)
	c.want(`"code":"rate_limited","retry_after":3}}`)
}

func TestClosing(t *testing.T) {
	w := newWorld(t, transport.Options{})
	for name, c := range map[string]struct {
		do   func(*ws)
		want websocket.StatusCode
	}{
		"binary": {func(c *ws) { _ = c.conn.Write(context.Background(), websocket.MessageBinary, []byte("{}")) }, 1003},
		"too many bad commands": {func(c *ws) {
			for range 16 {
				c.send(`{"op":"dance"}`)
			}
		}, 1008},
		"too long": {func(c *ws) { c.sendf(`{"op":"ping","ref":"%s"}`, strings.Repeat("x", 70<<10)) }, 1009},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.connect("/v1/connect")
			c.do(s)
			if got := s.closed(); got.Code != c.want {
				t.Fatalf("closed with %v, want %v", got.Code, c.want)
			}
		})
	}
	c := w.connect("/v1/connect")
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatalf("a client that closes is answered with %v", err)
	}
	c = w.connect("/v1/connect") // 15 bad ones are not too many
	for range 15 {
		c.send(`{"op":"dance"}`)
		c.want(`"error"`)
	}
	c.send(`{"op":"ping","ref":1}`)
	c.want(`{"ref":1,"result":{}}`)
}

func TestTooManyChannels(t *testing.T) {
	w := newWorld(t, transport.Options{})
	c := w.connect("/v1/connect")
	for i := range 256 {
		c.sendf(`{"op":"subscribe","ref":%d,"channel":"room:%d"}`, i, i)
		c.want(fmt.Sprintf(`{"ref":%d,"result"`, i))
	}
	c.send(`{"op":"subscribe","ref":"x","channel":"room:more"}`)
	if got := c.want(`{"ref":"x","error"`); !strings.Contains(got, "at most 256") {
		t.Fatalf("got %s", got)
	}
}

// While a publish waits for its commit, other commands are answered; publishes among themselves keep their order.
func TestPublishesDoNotHoldOtherCommands(t *testing.T) {
	w := newWorld(t, transport.Options{})
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	c := w.connect("/v1/connect", "Authorization: Bearer ann")
	const n = 100
	for i := range n {
		c.sendf(`{"op":"publish","ref":%d,"channel":"room:lobby","type":"text","data":{"text":"%d"}}`, i, i)
	}
	c.send(`{"op":"publish","ref":"bad","channel":"room:lobby"}`) // refused at once, and answered in its turn
	c.send(`{"op":"ping","ref":"ping"}`)
	if got := c.want(`"ref"`); got != `{"ref":"ping","result":{}}` {
		t.Fatalf("got %s before the ping", got)
	}
	close(gate)
	for i := range n {
		if got := c.want(`"ref"`); !strings.HasPrefix(got, fmt.Sprintf(`{"ref":%d,"result":{"channel":"room:lobby","seq":%d,`, i, i+1)) {
			t.Fatalf("answer %d is %s", i, got)
		}
	}
	c.want(`{"ref":"bad","error"`)
	b, err := w.hub.Before(context.Background(), lobby, channel.End, 200, nil)
	if err != nil || len(b.Messages) != n {
		t.Fatalf("%d messages, %v", len(b.Messages), err)
	}
	for i, m := range b.Messages {
		if string(m.Data) != fmt.Sprintf(`{"text":"%d"}`, i) {
			t.Fatalf("message %d is %s", i, m.Data)
		}
	}
}

// Publishes that come while one is being committed are committed together, and answered one by one.
func TestPublishesGoTogether(t *testing.T) {
	w := newWorld(t, transport.Options{})
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	c := w.connect("/v1/connect", "Authorization: Bearer ann")
	const n = 200
	names, seqs := [n]channel.Name{}, [n]int{}
	send := func(i int) {
		names[i], seqs[i] = []channel.Name{lobby, "room:other"}[i%2], i/2+1
		c.sendf(`{"op":"publish","ref":%d,"channel":"%s","type":"text","data":{"text":"%d"}}`, i, names[i], i)
	}
	send(0)
	eventually(t, "the first publish", func() bool { return w.site.publishes.Load() == 1 })
	for i := 1; i < n; i++ {
		send(i)
	}
	c.send(`{"op":"ping","ref":"ping"}`)
	c.want(`{"ref":"ping"`) // so they were all received
	close(gate)
	for i := range n {
		if got := c.want(`"ref"`); !strings.HasPrefix(got, fmt.Sprintf(`{"ref":%d,"result":{"channel":"%s","seq":%d,`, i, names[i], seqs[i])) {
			t.Fatalf("answer %d is %s", i, got)
		}
	}
	if calls := w.site.publishes.Load(); calls != 2 {
		t.Errorf("%d times something was published", calls)
	}
}

// Of publishes that go together, one that is refused is refused alone.
func TestOneRefusedOfThoseThatGoTogether(t *testing.T) {
	w := newWorld(t, transport.Options{})
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	w.site.forbid("room:closed", problem.Forbidden.Detail("not for you"))
	c := w.connect("/v1/connect", "Authorization: Bearer ann")
	c.send(`{"op":"publish","ref":1,"channel":"room:lobby","id":"k","type":"text","data":1}`)
	eventually(t, "the first publish", func() bool { return w.site.publishes.Load() == 1 })
	for _, command := range []string{
		`"ref":2,"channel":"room:lobby","type":"text","data":2`,
		`"ref":3,"channel":"room:lobby","type":"T T","data":3`,
		`"ref":4,"channel":"room:lobby","messages":[{"type":"text","data":4},{"type":"text","data":5}]`,
		`"ref":5,"channel":"room:closed","type":"text","data":0`,
		`"ref":6,"channel":"room:lobby","id":"k","type":"text","data":"other"`,
		`"ref":7,"channel":"room:lobby","id":"k","type":"text","data":1`,
		`"ref":8,"channel":"room:lobby","type":"text","data":6`,
	} {
		c.send(`{"op":"publish",` + command + `}`)
	}
	c.send(`{"op":"ping","ref":"ping"}`)
	c.want(`{"ref":"ping"`) // so they were all received
	close(gate)
	for _, want := range []string{
		`{"ref":1,"result":{"channel":"room:lobby","seq":1,`, `{"ref":2,"result":{"channel":"room:lobby","seq":2,`, `"code":"bad_type"`,
		`{"ref":4,"result":{"receipts":[{"channel":"room:lobby","seq":3,`, `"code":"forbidden"`, `"code":"key_reused"`,
		`{"ref":7,"result":{"channel":"room:lobby","seq":1,`, `{"ref":8,"result":{"channel":"room:lobby","seq":5,`,
	} {
		if got := c.want(`"ref"`); !strings.Contains(got, want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	if m := w.newest(lobby); m.Seq != 5 || string(m.Data) != "6" {
		t.Errorf("the newest is %+v", m)
	}
}

// What was sent behind a publish that failed fails with it, so that who sends all of it again keeps the order.
func TestPublishesBehindAFailure(t *testing.T) {
	w := newWorld(t, transport.Options{})
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	w.site.forbid("room:away", problem.Unavailable.Detail("the engine is away"))
	c := w.connect("/v1/connect", "Authorization: Bearer ann")
	publish := func(ref int, name string) {
		c.sendf(`{"op":"publish","ref":%d,"channel":"%s","id":"k%d","type":"text","data":%d}`, ref, name, ref, ref)
	}
	publish(1, "room:away")
	eventually(t, "the first publish", func() bool { return w.site.publishes.Load() == 1 })
	publish(2, "room:lobby")
	c.send(`{"op":"publish","ref":3,"channel":"room:lobby","type":"text"}`)
	publish(4, "room:lobby")
	c.send(`{"op":"ping","ref":"ping"}`)
	c.want(`{"ref":"ping"`) // so they were all received
	close(gate)
	for i, code := range []string{"unavailable", "unavailable", "bad_request", "unavailable"} {
		if got := c.want(`"ref"`); !strings.HasPrefix(got, fmt.Sprintf(`{"ref":%d,`, i+1)) || !strings.Contains(got, `"code":"`+code+`"`) {
			t.Fatalf("got %s, want %s for %d", got, code, i+1)
		}
	}
	if calls := w.site.publishes.Load(); calls != 1 {
		t.Errorf("%d times something was published", calls)
	}
	publish(2, "room:lobby") // who has heard of it goes on
	c.want(`{"ref":2,"result":{"channel":"room:lobby","seq":1,`)
}

// A client that publishes faster than commits can be made is not read any more, until they are.
func TestPublishesInFlightAreBounded(t *testing.T) {
	w := newWorld(t, transport.Options{})
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	c := w.connect("/v1/connect", "Authorization: Bearer ann")
	const n = 300
	go func() {
		for i := range n {
			_ = c.conn.Write(context.Background(), websocket.MessageText,
				fmt.Appendf(nil, `{"op":"publish","ref":%d,"channel":"room:lobby","type":"text","data":{"text":"%d"}}`, i, i))
		}
		_ = c.conn.Write(context.Background(), websocket.MessageText, []byte(`{"op":"ping","ref":"ping"}`))
	}()
	eventually(t, "the first publish", func() bool { return w.site.publishes.Load() == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, text, err := c.conn.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the ping behind %d publishes was read: %s, %v", n, text, err)
	}
	close(gate)
	answers, pinged := 0, false
	for answers < n || !pinged {
		text := c.want(`"ref"`)
		if strings.Contains(text, `"ping"`) {
			pinged = true
		} else {
			answers++
		}
	}
}

// What was sent is carried out, although the sender has left.
func TestPublishAndLeave(t *testing.T) {
	w := newWorld(t, transport.Options{})
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	c := w.connect("/v1/connect", "Authorization: Bearer ann")
	const n = 20
	for i := range n {
		c.sendf(`{"op":"publish","channel":"room:lobby","type":"text","data":{"text":"%d"}}`, i)
	}
	c.send(`{"op":"ping","ref":1}`)
	c.want(`{"ref":1`) // so they were all received
	c.conn.CloseNow()
	close(gate)
	w.waiting(0)
	if got := w.newest(lobby).Seq; got != n {
		t.Fatalf("%d messages", got)
	}
}

// One WebSocket stops reading while 10,000 messages pass: nobody else notices, it costs no memory, and it is closed.
func TestWebSocketThatStopsReading(t *testing.T) {
	w := newWorld(t, transport.Options{WriteTimeout: 2 * time.Second})
	w.connect("/v1/channels/room:lobby/messages") // never reads again
	well := w.connect("/v1/channels/room:lobby/messages?limit=1000")
	events := w.events("/v1/channels/room:lobby/messages?limit=1000")
	const rounds, each = 100, 100
	heard := make(chan error, 2)
	count := func(next func() (string, error)) {
		for seen := uint64(0); seen < rounds*each; {
			text, err := next()
			if err != nil {
				heard <- fmt.Errorf("after %d messages: %w", seen, err)
				return
			}
			for part := range strings.SplitSeq(text, `{"seq":`) {
				var seq uint64
				if _, err := fmt.Sscanf(part, "%d,", &seq); err != nil {
					continue
				}
				if seen++; seq != seen {
					heard <- fmt.Errorf("got message %d after %d", seq, seen-1)
					return
				}
			}
		}
		heard <- nil
	}
	go count(well.next)
	go count(func() (string, error) { e, err := events.next(); return e.data, err })

	texts := make([]string, each)
	for i := range texts {
		texts[i] = strings.Repeat("x", 1000) // 10 MB in all
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		w.say(lobby, texts...)
	}
	for range 2 {
		if err := <-heard; err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap has grown by %d KiB", grown>>10)
	}
	w.waiting(2) // the one that does not read is closed
}

func TestAGoneServerSaysBye(t *testing.T) {
	w := newWorld(t, transport.Options{ByeSpread: time.Second})
	p := w.say(lobby, "one")
	path := "/v1/channels/room:lobby/messages?after=" + p.String()
	waiting := w.later("GET " + path + "&wait=60")
	modified := w.later("GET "+path+"&wait=60", `If-None-Match: "`+p.String()+`"`)
	events, socket := w.events(path), w.connect(path, "Authorization: Bearer ann")
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	socket.send(`{"op":"publish","ref":1,"channel":"room:b","type":"text","data":{}}`)
	eventually(t, "the publish", func() bool { return w.site.publishes.Load() == 1 })
	w.waiting(4)

	gone := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		gone <- w.transport.Shutdown(ctx)
	}()
	if b := parse[batch](t, (<-waiting).is(t, 200, "").body); len(b.Messages) != 0 {
		t.Fatalf("got %+v", b)
	}
	(<-modified).is(t, 304, "")
	bye := func(text string) {
		t.Helper()
		after := parse[struct {
			Bye struct {
				RetryAfter float64 `json:"retry_after"`
			}
		}](t, text).Bye.RetryAfter
		if after < 0.5 || after > 1.5 {
			t.Errorf("got %s", text)
		}
	}
	bye(events.want("bye").data)
	if events.retry == "2000" || events.retry == "" {
		t.Errorf("an EventSource is told retry: %s", events.retry)
	}
	if e, err := events.next(); err != io.EOF {
		t.Errorf("after the bye: %+v, %v", e, err)
	}
	// What waits for what is new is refused; the rest goes on.
	for _, again := range []answer{w.get(path + "&wait=1"), w.get(path, "Accept: text/event-stream")} {
		if again.is(t, 503, "overloaded"); again.header.Get("Retry-After") != "2" {
			t.Errorf("headers: %v", again.header)
		}
	}
	if _, err := w.tryConnect(path); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a new WebSocket: %v", err)
	}
	w.get(path).is(t, 200, "")
	select {
	case err := <-gone:
		t.Fatalf("Shutdown did not wait for a publish: %v", err)
	default:
	}
	close(gate)
	socket.want(`{"ref":1,"result":`)
	bye(socket.want(`{"bye":`))
	if got := socket.closed(); got.Code != websocket.StatusGoingAway {
		t.Errorf("closed with %v", got.Code)
	}
	if err := <-gone; err != nil {
		t.Fatal(err)
	}
}

// Shutdown does not wait longer than it may, for a peer that does not answer either.
func TestShutdownCutsOff(t *testing.T) {
	w := newWorld(t, transport.Options{WriteTimeout: patience})
	w.connect("/v1/connect") // does not read, and so does not answer the Close frame
	w.connect("/v1/channels/room:lobby/messages?limit=1000")
	w.events("/v1/channels/room:lobby/messages?limit=1000")
	text := strings.Repeat("x", 15<<10)
	for range 200 { // more than the kernel buffers of readers that take nothing
		w.say(lobby, text, text, text, text, text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := w.transport.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	w.waiting(0)
	if took := time.Since(began); took > 3*time.Second {
		t.Fatalf("it took %v", took)
	}
}

// A client whose publishes cannot be committed for now hears what others say all the same.
func TestDeliveriesGoOnWhilePublishesWait(t *testing.T) {
	w := newWorld(t, transport.Options{})
	gate := make(chan struct{})
	w.site.set(func() { w.site.gate = gate })
	c := w.connect("/v1/channels/room:lobby/messages", "Authorization: Bearer ann")
	const n = 1000 // more than may wait
	go func() {
		for i := range n {
			_ = c.conn.Write(context.Background(), websocket.MessageText, []byte(fmt.Sprintf(`{"op":"publish","ref":%d,"channel":"room:other","type":"text","data":{}}`, i)))
		}
	}()
	eventually(t, "the first publish", func() bool { return w.site.publishes.Load() == 1 })
	for i := range 3 {
		w.say(lobby, fmt.Sprint("hear ", i))
		c.want(fmt.Sprint("hear ", i))
	}
	close(gate)
	for i := range n {
		c.want(fmt.Sprintf(`{"ref":%d,"result"`, i))
	}
}
