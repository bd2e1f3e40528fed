package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/problem"
	"parley/transport"
)

const post = "POST /v1/channels/room:lobby/messages"

// newest is the last message of a channel.
func (w *world) newest(name channel.Name) channel.Message {
	w.t.Helper()
	b, err := w.hub.Before(context.Background(), name, channel.End, 1, nil)
	if err != nil || len(b.Messages) != 1 {
		w.t.Fatalf("got %+v, %v", b, err)
	}
	return b.Messages[0]
}

func TestPublish(t *testing.T) {
	w := newWorld(t, transport.Options{})
	ann := "Authorization: Bearer ann"
	a := w.do(post, `{"type":"text","data":{"text":"hello"}, "id":"k1"}`, ann, "Content-Type: application/json").is(t, 201, "")
	got := parse[struct {
		Channel, Position, ID, Durability string
		Seq                               uint64
		At                                time.Time
	}](t, a.body)
	m := w.newest(lobby)
	if got.Channel != "room:lobby" || got.Seq != 1 || got.Position != m.Position().String() || got.ID != "k1" || got.Durability != "fsynced" || !got.At.Equal(m.At) {
		t.Fatalf("got %s for %+v", a.body, m)
	}
	if m.From.ID != "ann" || m.From.Name != "Ann" || string(m.Data) != `{"text":"hello"}` || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %+v", m)
	}

	// The same key again: the same answer, and nothing new. In the header it is the same key.
	for _, again := range []answer{
		w.do(post, `{"type":"text","data":{"text":"hello"}}`, ann, "Idempotency-Key: k1"),
		w.do(post, `{"type":"text","data":{"text":"hello"},"id":"k1"}`, ann, `Idempotency-Key: "k1"`),
		w.do(post, `hello`, ann, "Idempotency-Key: k1", "Content-Type: text/plain"),
	} {
		if again.is(t, 201, ""); again.body != a.body || again.header.Get("Idempotency-Replayed") != "true" {
			t.Fatalf("got %s, %v; first it was %s", again.body, again.header, a.body)
		}
	}
	w.do(post, `other`, ann, "Idempotency-Key: k1", "Content-Type: text/plain").is(t, 422, "key_reused")
	if got := w.newest(lobby).Seq; got != 1 {
		t.Fatalf("%d messages", got)
	}
}

func TestPublishText(t *testing.T) {
	w := newWorld(t, transport.Options{})
	for contentType, text := range map[string]string{
		"text/plain":                        "a line\nand another <b> \u2028 \"",
		"text/plain; charset=utf-8":         `{"type":"text"}`,
		"application/x-www-form-urlencoded": "a=b&c=%20+d",
	} {
		a := w.do(post, text, "Content-Type: "+contentType).is(t, 201, "")
		if a.header.Get("Parley-Token") != "guest" {
			t.Fatalf("no guest was made: %v", a.header)
		}
		if got := parse[struct{ Text string }](t, string(w.newest(lobby).Data)).Text; got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
	}
}

func TestPublishRefused(t *testing.T) {
	w := newWorld(t, transport.Options{})
	const good = `{"type":"text","data":{}}`
	w.site.forbid("room:closed", problem.Forbidden.Detail("not for you"))
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"malformed":            {`{"type":`, nil, 400, "bad_request"},
		"not UTF-8":            {"{\"type\":\"\xff\"}", nil, 400, "bad_request"},
		"text not UTF-8":       {"\xff", []string{"Content-Type: text/plain"}, 400, "bad_request"},
		"an array":             {`[]`, nil, 400, "bad_request"},
		"empty":                {``, nil, 400, "bad_request"},
		"two":                  {good + good, nil, 400, "bad_request"},
		"misspelt":             {`{"tpye":"text","data":{}}`, nil, 400, "bad_field"},
		"claims a sender":      {`{"type":"text","data":{},"from":{"id":"bob"}}`, nil, 400, "bad_field"},
		"no type":              {`{"data":{}}`, nil, 400, "bad_request"},
		"no data":              {`{"type":"text"}`, nil, 400, "bad_request"},
		"type is no type":      {`{"type":"A B","data":{}}`, nil, 422, "bad_type"},
		"data too long":        {`{"type":"x","data":"` + strings.Repeat("x", 20<<10) + `"}`, nil, 422, "too_long"},
		"data too deep":        {`{"type":"x","data":` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}`, nil, 400, "bad_request"},
		"body too long":        {`{"type":"x","data":"` + strings.Repeat("x", 70<<10) + `"}`, nil, 413, "too_large"},
		"empty key":            {`{"type":"text","data":{},"id":""}`, nil, 400, "bad_request"},
		"key with a space":     {`{"type":"text","data":{},"id":"a b"}`, nil, 400, "bad_request"},
		"key too long":         {good, []string{"Idempotency-Key: " + strings.Repeat("k", 65)}, 400, "bad_request"},
		"two keys":             {good, []string{"Idempotency-Key: a", "Idempotency-Key: b"}, 400, "bad_request"},
		"key against id":       {`{"type":"text","data":{},"id":"a"}`, []string{"Idempotency-Key: b"}, 400, "bad_request"},
		"XML":                  {`<a/>`, []string{"Content-Type: text/xml"}, 415, "unsupported_media_type"},
		"another charset":      {`hello`, []string{"Content-Type: text/plain; charset=utf-16"}, 415, "unsupported_media_type"},
		"a session that ended": {good, []string{"Authorization: Bearer stale"}, 401, "no_session"},
	} {
		t.Run(name, func(t *testing.T) {
			w.do(post, c.body, c.headers...).is(t, c.status, c.code)
		})
	}
	w.do("POST /v1/channels/room:closed/messages", good).is(t, 403, "forbidden")
	w.do("POST /v1/channels/nowhere/messages", good).is(t, 400, "bad_channel")
	w.site.set(func() { w.site.limited = true })
	if a := w.do(post, good).is(t, 429, "rate_limited"); a.header.Get("Retry-After") != "3" {
		t.Fatalf("headers: %v", a.header)
	}
	if a := w.get("/v1/channels/room:lobby/messages"); strings.Contains(a.body, `"seq"`) {
		t.Fatalf("something was published: %s", a.body)
	}
}

// Several messages in one request: all of them, in their order, or none; each once.
func TestPublishSeveral(t *testing.T) {
	w := newWorld(t, transport.Options{})
	ann := "Authorization: Bearer ann"
	const three = `{"messages":[{"type":"text","data":{"text":"1"},"id":"a"},{"type":"text","data":{"text":"2"}},{"id":"c","data":3,"type":"x"}]}`
	type receipts struct {
		Receipts []struct {
			Channel, Position, ID string
			Seq                   uint64
		}
	}
	a := w.do(post, three, ann).is(t, 201, "")
	got := parse[receipts](t, a.body).Receipts
	if len(got) != 3 || got[0].ID != "a" || got[2].ID != "c" || got[0].Seq != 1 || got[1].Seq != 2 || got[2].Seq != 3 || got[1].ID == "" || got[2].Channel != "room:lobby" {
		t.Fatalf("got %s", a.body)
	}
	if m := w.newest(lobby); m.Position().String() != got[2].Position || m.From.ID != "ann" || string(m.Data) != "3" {
		t.Fatalf("got %+v", m)
	}

	// Repeated in part, together with something new, over WebSocket: what was there has its first receipt.
	c := w.connect("/v1/connect", ann)
	c.send(`{"op":"publish","ref":7,"channel":"room:lobby","messages":[{"id":"a","type":"text","data":{"text":"1"}},{"id":"new","type":"text","data":{}}]}`)
	again := parse[struct{ Result receipts }](t, c.want(`{"ref":7,"result":{"receipts":[`)).Result.Receipts
	if len(again) != 2 || again[0] != got[0] || again[1].Seq != 4 {
		t.Fatalf("got %+v", again)
	}
	if a := w.do(post, `{"messages":[{"id":"new","type":"text","data":{}},{"id":"c","data":3,"type":"x"}]}`, ann).is(t, 201, ""); a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("headers: %v", a.header)
	}

	many := func(n int) string {
		return `{"messages":[` + strings.Repeat(`{"type":"x","data":1},`, n-1) + `{"type":"x","data":1}]}`
	}
	for name, r := range map[string]struct {
		body, code, detail string
		status             int
		headers            []string
	}{
		"none":                 {body: `{"messages":[]}`, status: 400, code: "bad_request", detail: "no messages"},
		"too many":             {body: many(transport.MaxMessages + 1), status: 400, code: "bad_request", detail: "at most 100"},
		"no array":             {body: `{"messages":{}}`, status: 400, code: "bad_request"},
		"beside another":       {body: `{"messages":[{"type":"x","data":1}],"type":"x"}`, status: 400, code: "bad_request"},
		"one without a type":   {body: `{"messages":[{"type":"x","data":1},{"data":1}]}`, status: 400, code: "bad_request", detail: "message 2: "},
		"one with a bad type":  {body: `{"messages":[{"type":"x","data":1},{"type":"X","data":1}]}`, status: 422, code: "bad_type", detail: "message 2: "},
		"a field that is not":  {body: `{"messages":[{"type":"x","data":1,"from":"bob"}]}`, status: 400, code: "bad_field"},
		"nested":               {body: `{"messages":[{"messages":[]}]}`, status: 400, code: "bad_field"},
		"one id twice":         {body: `{"messages":[{"id":"k","type":"x","data":1},{"id":"k","type":"x","data":1}]}`, status: 400, code: "bad_request", detail: "messages 1 and 2"},
		"an id of others":      {body: `{"messages":[{"type":"x","data":1},{"id":"a","type":"x","data":1}]}`, status: 422, code: "key_reused"},
		"a key for all":        {body: many(2), status: 400, code: "bad_request", headers: []string{"Idempotency-Key: k"}},
		"too long all in all":  {body: `{"messages":[{"type":"x","data":"` + strings.Repeat("x", 70<<10) + `"}]}`, status: 413, code: "too_large"},
		"one of them too long": {body: `{"messages":[{"type":"x","data":1},{"type":"x","data":"` + strings.Repeat("x", 17<<10) + `"}]}`, status: 422, code: "too_long", detail: "message 2: "},
	} {
		if a := w.do(post, r.body, append(r.headers, ann)...).is(t, r.status, r.code); !strings.Contains(a.body, r.detail) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if got := w.newest(lobby).Seq; got != 4 {
		t.Errorf("something of what was refused was published: there are %d", got)
	}
	if a := w.do(post, many(transport.MaxMessages), ann).is(t, 201, ""); w.newest(lobby).Seq != 4+transport.MaxMessages {
		t.Errorf("got %s", a.body)
	}
}

// Who announces too much is refused before sending it.
func TestTooLongIsRefusedBeforeItIsRead(t *testing.T) {
	w := newWorld(t, transport.Options{})
	host := strings.TrimPrefix(w.url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n", post, host)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "413") {
		t.Fatalf("got %q, %v", line, err)
	}
}

func TestSignal(t *testing.T) {
	w := newWorld(t, transport.Options{})
	c := w.connect("/v1/channels/room:lobby/messages")
	const path = "POST /v1/channels/room:lobby/signals"
	ann := "Authorization: Bearer ann"
	if a := w.do(path, `{"type":"typing","data":{"where":"here"}}`, ann).is(t, 202, ""); a.body != "" {
		t.Fatalf("got %s", a.body)
	}
	c.want(`{"channel":"room:lobby","signal":{"type":"typing","from":{"id":"ann","name":"Ann"},"data":{"where":"here"}}}`)
	w.do(path, `{"type":"typing"}`).is(t, 401, "no_session")
	w.do(path, `{}`, ann).is(t, 400, "bad_request")
	w.do(path, `{"type":"typing","to":"bob"}`, ann).is(t, 400, "bad_field")
	w.do(path, `{"type":"typing","data":"`+strings.Repeat("x", 1100)+`"}`, ann).is(t, 422, "too_long")
	w.do(path, `typing`, ann, "Content-Type: text/plain").is(t, 415, "unsupported_media_type")
	w.site.set(func() { w.site.limited = true })
	w.do(path, `{"type":"typing"}`, ann).is(t, 429, "rate_limited")
}
