package transport_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/channel"
	"parley/transport"
)

func TestPoll(t *testing.T) {
	w := newWorld(t, transport.Options{})

	// A channel in which nobody has spoken yet is empty.
	a := w.get("/v1/channels/room:lobby/messages").is(t, 200, "")
	if want := `{"channel":"room:lobby","from":"0","to":"0","messages":[]}` + "\n"; a.body != want {
		t.Fatalf("got %s, want %s", a.body, want)
	}
	if a.header.Get("Etag") != `"0"` || a.header.Get("Retry-After") != "5" {
		t.Fatalf("headers: %v", a.header)
	}

	p := w.say(lobby, "one", "two")
	a = w.get("/v1/channels/room:lobby/messages?after=0").is(t, 200, "")
	b := parse[batch](t, a.body)
	if b.From != "0" || b.To != p.String() || !slices.Equal(b.texts(), []string{"one", "two"}) {
		t.Fatalf("got %s", a.body)
	}
	for name, want := range map[string]string{
		"Etag": `"` + p.String() + `"`, "Cache-Control": "private, no-cache", "Retry-After": "2",
		"Content-Type": "application/json", "Vary": "Accept, Authorization, Cookie",
	} {
		if got := strings.Join(a.header.Values(name), ","); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}

	// Nothing is new: 304. And again something.
	path := "/v1/channels/room:lobby/messages?after=" + p.String()
	tag := `"` + p.String() + `"`
	a = w.get(path, "If-None-Match: "+tag).is(t, 304, "")
	if a.body != "" || a.header.Get("Etag") != tag || a.header.Get("Retry-After") != "5" {
		t.Fatalf("got %q, %v", a.body, a.header)
	}
	w.say(lobby, "three")
	b = parse[batch](t, w.get(path, "If-None-Match: "+tag).is(t, 200, "").body)
	if b.From != p.String() || !slices.Equal(b.texts(), []string{"three"}) {
		t.Fatalf("got %+v", b)
	}
}

func TestIfNoneMatch(t *testing.T) {
	w := newWorld(t, transport.Options{})
	p := w.say(lobby, "one")
	path, tag := "/v1/channels/room:lobby/messages?after="+p.String(), `"`+p.String()+`"`
	for header, want := range map[string]int{
		tag:                             304,
		`W/` + tag:                      304,
		`"0", W/"1-abc" , ` + tag:       304,
		`"a,b",` + tag + `,"c"`:         304,
		`*`:                             200,
		`"1-other"`:                     200,
		p.String():                      200, // no tag without quotes
		`"` + p.String():                200,
		`"x` + p.String() + `"`:         200,
		`w/` + tag:                      200, // the W is a capital (RFC 9110, section 8.8.3)
		`"unfinished, ` + p.String():    200,
		`, ,` + tag + `,`:               304,
		`"` + p.String() + `-extended"`: 200,
	} {
		if got := w.get(path, "If-None-Match: "+header).status; got != want {
			t.Errorf("If-None-Match: %s: got %d, want %d", header, got, want)
		}
	}
	if got := w.get(path, `If-None-Match: "0"`, "If-None-Match: "+tag).status; got != 304 {
		t.Errorf("in the second header: got %d", got)
	}
}

// A cut answer is asked for again from another position; the same position at its end does not prove that nothing before
// was edited.
func TestACutAnswerIsNeverNotModified(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.say(lobby, "one", "two", "three")
	a := w.get("/v1/channels/room:lobby/messages?limit=2").is(t, 200, "")
	if b := parse[batch](t, a.body); !b.More || len(b.Messages) != 2 || a.header.Get("Retry-After") != "0" {
		t.Fatalf("got %s, %v", a.body, a.header)
	}
	w.get("/v1/channels/room:lobby/messages?limit=2", "If-None-Match: "+a.header.Get("Etag")).is(t, 200, "")
	a = w.get("/v1/channels/room:lobby/messages").is(t, 200, "")
	w.get("/v1/channels/room:lobby/messages", "If-None-Match: "+a.header.Get("Etag")).is(t, 304, "")
}

func TestABareNumberBecomesAPosition(t *testing.T) {
	w := newWorld(t, transport.Options{})
	p := w.say(lobby, "one", "two")
	for _, after := range []string{"2", "99", "end"} {
		b := parse[batch](t, w.get("/v1/channels/room:lobby/messages?after="+after).is(t, 200, "").body)
		if b.To != p.String() || len(b.Messages) != 0 {
			t.Errorf("after=%s: %+v", after, b)
		}
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t, transport.Options{})
	var texts []string
	for i := range 10 {
		texts = append(texts, fmt.Sprint(i+1))
	}
	w.say(lobby, texts...)
	b := parse[batch](t, w.get("/v1/channels/room:lobby/messages?before=end&limit=4").is(t, 200, "").body)
	if !slices.Equal(b.texts(), []string{"7", "8", "9", "10"}) || !b.More {
		t.Fatalf("got %+v", b)
	}
	b = parse[batch](t, w.get("/v1/channels/room:lobby/messages?before=4&limit=4").is(t, 200, "").body)
	if !slices.Equal(b.texts(), []string{"1", "2", "3"}) || b.More {
		t.Fatalf("got %+v", b)
	}
	w.get("/v1/channels/room:lobby/messages?before=4&wait=3").is(t, 400, "bad_request")
	w.get("/v1/channels/room:lobby/messages?before=4", "Accept: text/event-stream").is(t, 400, "bad_request")
	w.site.forbid(lobby, channel.ErrDeleted)
	if got := w.get("/v1/channels/room:lobby/messages?before=end").status; got != 410 {
		t.Fatalf("somebody who may not read the channel got %d", got)
	}
}

func TestManyChannels(t *testing.T) {
	w := newWorld(t, transport.Options{})
	a := w.say("room:a", "in a")
	w.say("room:b", "in b")
	got := w.get("/v1/messages?channel=room:a@"+a.String()+"&channel=room:b&channel=room:c").is(t, 200, "")
	all := parse[struct{ Batches []batch }](t, got.body)
	if len(all.Batches) != 1 || all.Batches[0].Channel != "room:b" || all.Batches[0].texts()[0] != "in b" {
		t.Fatalf("got %s", got.body)
	}
	tag := got.header.Get("Etag")
	b := all.Batches[0].To
	path := "/v1/messages?channel=room:a@" + a.String() + "&channel=room:b@" + b + "&channel=room:c"
	w.get(path, "If-None-Match: "+tag).is(t, 304, "")
	if got := w.get(path).is(t, 200, ""); got.body != "{\"batches\":[]}\n" || got.header.Get("Etag") != tag {
		t.Fatalf("got %s, %v", got.body, got.header)
	}
	w.say("room:c", "in c")
	all = parse[struct{ Batches []batch }](t, w.get(path, "If-None-Match: "+tag).is(t, 200, "").body)
	if len(all.Batches) != 1 || all.Batches[0].Channel != "room:c" {
		t.Fatalf("got %+v", all)
	}
	// One that may not be read refuses them all.
	w.site.forbid("room:b", channel.ErrDeleted.Detail("it is gone"))
	w.get(path).is(t, 410, "channel_deleted")
}

func TestParameters(t *testing.T) {
	w := newWorld(t, transport.Options{})
	many := func(n int) (list string) {
		for i := range n {
			list += fmt.Sprintf("&channel=room:%d", i)
		}
		return list[1:]
	}
	for query, want := range map[string]string{
		"channels/lobby/messages":                       "bad_channel",
		"channels/Room:lobby/messages":                  "bad_channel",
		"channels/room:a%20b/messages":                  "bad_channel",
		"channels/room:lobby/messages?after=x":          "bad_position",
		"channels/room:lobby/messages?after=":           "bad_position",
		"channels/room:lobby/messages?after=-1":         "bad_position",
		"channels/room:lobby/messages?after=1-":         "bad_position",
		"channels/room:lobby/messages?after=1&after=1":  "bad_request",
		"channels/room:lobby/messages?before=1&after=1": "bad_request",
		"channels/room:lobby/messages?limit=0":          "bad_request",
		"channels/room:lobby/messages?limit=1001":       "bad_request",
		"channels/room:lobby/messages?limit=ten":        "bad_request",
		"channels/room:lobby/messages?limit=%2B1":       "bad_request",
		"channels/room:lobby/messages?wait=61":          "bad_request",
		"channels/room:lobby/messages?wait=-1":          "bad_request",
		"channels/room:lobby/messages?wait=NaN":         "bad_request",
		"channels/room:lobby/messages?wait=1e1":         "bad_request",
		"channels/room:lobby/messages?wait=":            "bad_request",
		"channels/room:lobby/messages?since=1":          "bad_request",
		"channels/room:lobby/messages?After=1":          "bad_request",
		"channels/room:lobby/messages?channel=room:a":   "bad_request",
		"channels/room:lobby/messages?after=%zz":        "bad_request",
		"channels/room:lobby/messages?after=1;limit=2":  "bad_request",
		"messages":                                            "bad_request",
		"messages?after=1&channel=room:a":                     "bad_request",
		"messages?channel=room:a&channel=room:a@1":            "bad_request",
		"messages?channel=room:a@x":                           "bad_position",
		"messages?channel=room:a@":                            "bad_position",
		"messages?channel=a":                                  "bad_channel",
		"messages?" + many(101):                               "bad_request",
		"channels/room:lobby/presence?x=1":                    "bad_request",
		"connect":                                             "bad_request",
		"channels/room:lobby/messages?limit=1000&after=0&x=y": "bad_request",
	} {
		w.get("/v1/"+query).is(t, 400, want)
	}
	for _, query := range []string{
		"channels/room:lobby/messages?limit=1000&after=0", "channels/room:lobby/messages?wait=0", "channels/room:lobby/messages?wait=0.01",
		"messages?" + many(100), "messages?channel=room:a@end&channel=room:b@7&limit=1",
	} {
		w.get("/v1/"+query).is(t, 200, "")
	}
	w.get("/v1/channels/room:lobby/messages", "Authorization: Bearer stale").is(t, 401, "no_session")
}

func TestForeignOriginIsRefused(t *testing.T) {
	w := newWorld(t, transport.Options{})
	foreign := "Origin: http://evil.example"
	for _, request := range []string{
		"GET /v1/channels/room:lobby/messages", "GET /v1/messages?channel=room:lobby", "GET /v1/connect",
		"POST /v1/channels/room:lobby/messages", "POST /v1/channels/room:lobby/signals", "GET /v1/channels/room:lobby/presence",
	} {
		w.do(request, "hello", foreign, "Content-Type: text/plain").is(t, 403, "foreign_origin")
	}
	if _, err := w.tryConnect("/v1/connect", foreign); err == nil || !strings.Contains(err.Error(), "foreign_origin") {
		t.Fatalf("a WebSocket from a foreign page: %v", err)
	}
	if n := w.site.publishes.Load(); n != 0 {
		t.Fatalf("%d messages were published", n)
	}
	w.get("/v1/channels/room:lobby/messages", "Origin: "+w.url).is(t, 200, "")
	w.connect("/v1/connect", "Origin: "+w.url)
}

// What a request says most plainly counts: Upgrade, then Accept, then wait.
func TestNegotiation(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.say(lobby, "one")
	path := "/v1/channels/room:lobby/messages"
	for _, accept := range []string{"text/event-stream", "application/json, text/event-stream;q=0.5", "TEXT/Event-Stream ; q=1"} {
		if s, err := w.tryEvents(path+"?wait=1", "Accept: "+accept); err != nil {
			t.Errorf("Accept: %s: %v", accept, err)
		} else {
			s.want("batch")
		}
	}
	for _, accept := range []string{"*/*", "application/json", "text/event-stream;q=0", "text/*", "text/event-streams", ";;;"} {
		if got := w.get(path+"?wait=1", "Accept: "+accept).is(t, 200, "").header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Accept: %s: got %s", accept, got)
		}
	}
	w.connect(path+"?wait=1", "Accept: text/event-stream").want(`"messages"`)
	// A HEAD is answered at once, without a body, whatever it asks for.
	a := w.do("HEAD "+path+"?wait=60&after=1", "", "Accept: text/event-stream").is(t, 200, "")
	if a.body != "" || a.header.Get("Etag") == "" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %+v", a)
	}
}

// Gaps look the same on every transport; see also TestSameJSON.
func TestGapOnEveryTransport(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.say(lobby, "one", "two")
	path := "/v1/channels/room:lobby/messages?after=2-abc" // a past that this log does not have
	polled := w.get(path, `If-None-Match: "0"`).is(t, 200, "")
	gap := parse[batch](t, polled.body).Gap
	if gap == nil || gap.Reason != "rollback" || gap.From != "2-abc" || gap.Resume == "" || polled.header.Get("Etag") != `"`+gap.Resume+`"` {
		t.Fatalf("got %s, %v", polled.body, polled.header)
	}
	want := strings.TrimSuffix(polled.body, "\n")
	if got := w.get(path+"&wait=30").is(t, 200, "").body; got != polled.body {
		t.Errorf("long poll: got %s", got)
	}
	events := w.events(path)
	if e := events.want("gap"); e.data != want || e.id != gap.Resume {
		t.Errorf("SSE: got %+v", e)
	}
	if b := parse[batch](t, events.want("batch").data); b.From != gap.Resume || len(b.Messages) != 2 {
		t.Errorf("SSE did not go on from resume: %+v", b)
	}
	socket := w.connect(path)
	if got := socket.want(`"gap"`); got != want {
		t.Errorf("WebSocket: got %s", got)
	}
	if b := parse[batch](t, socket.want(`"messages"`)); b.From != gap.Resume || len(b.Messages) != 2 {
		t.Errorf("WebSocket did not go on from resume: %+v", b)
	}
}
