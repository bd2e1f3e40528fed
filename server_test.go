package parley_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
)

const lobby = "/v1/channels/room:lobby/messages"

func TestAStrangerTalksWithOneLine(t *testing.T) {
	h := open(t, limited)
	said := h.stranger().do("POST", lobby, "hello").is(201)
	token := said.header.Get("Parley-Token")
	guest := &person{house: h, token: token}
	if name := guest.get("/v1/session").is(200).value("user.name"); !strings.HasPrefix(name, "Guest-") {
		t.Errorf("the new guest is called %s", name)
	}
	h.stranger().get(lobby).is(200).has(`"text":"hello"`, `"name":"Guest-`)
}

func TestSessions(t *testing.T) {
	h := open(t)
	ann := h.guest("Ann")
	ann.get("/v1/session").is(200).has(`"name":"Ann"`, `"admin":false`)
	h.stranger().get("/v1/session").is(200).has(`{"user":null}`)
	h.stranger().get("/v1/rooms/lobby/members").is(200)
	h.stranger().get("/v1/conversations").fails(401, "no_session")
	h.stranger().get("/v1/session", "Authorization", "Bearer forged").fails(401, "no_session")
	h.stranger().do("POST", "/v1/session", `{"name":"ANN"}`).fails(409, "name_taken")
	h.stranger().do("POST", "/v1/session", `{"name":""}`).fails(422, "bad_name")
	h.stranger().do("POST", "/v1/session", `{"nmae":"Bob"}`).fails(400, "bad_field")
	h.stranger().do("POST", "/v1/session", `{"name":`).fails(400, "bad_request")
	h.stranger().do("POST", "/v1/session", "{\"name\":\"\xff\"}").fails(400, "bad_request")

	// The same session again is the same person, renamed if need be.
	again := ann.do("POST", "/v1/session", `{"name":"Anna"}`).is(200)
	if id := again.value("user.id"); id != ann.id {
		t.Errorf("another person: %s, was %s", id, ann.id)
	}
	ann.do("PATCH", "/v1/session", `{"name":"安妮"}`).is(200).has("安妮")
	h.guest("Ann") // free again

	// The page has the token in a cookie that scripts cannot read.
	c := h.stranger().do("POST", "/v1/session", `{"name":"Page"}`).is(201).header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(c, part) {
			t.Errorf("the cookie %s has no %s", c, part)
		}
	}
	cookie, _, _ := strings.Cut(c, ";")
	h.stranger().get("/v1/session", "Cookie", cookie).is(200).has(`"name":"Page"`)
	h.stranger().get("/v1/session", "Cookie", cookie+"x").is(200).has(`{"user":null}`)

	ann.do("DELETE", "/v1/session", "").is(204)
	ann.get("/v1/session").fails(401, "no_session")
	h.guest("安妮")
}

func TestTheAdministratorComesByOneLinkOnce(t *testing.T) {
	h := open(t)
	token, err := h.AdminLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ann, bob := h.guest("Ann"), h.guest("Bob")
	bob.do("POST", "/v1/session/admin", `{"token":"guess"}`).fails(403, "bad_admin_token")
	ann.do("POST", "/v1/session/admin", fmt.Sprintf(`{"token":%q}`, token)).is(200).has(`"admin":true`)
	bob.do("POST", "/v1/session/admin", fmt.Sprintf(`{"token":%q}`, token)).fails(403, "bad_admin_token")
	if again, err := h.AdminLink(t.Context()); again != "" || err != nil {
		t.Errorf("another link though there is an administrator: %q, %v", again, err)
	}
	bob.do("POST", lobby, "spam").is(201)
	ann.do("POST", lobby, `{"type":"delete","data":{"seq":1}}`).is(201)
	h.stranger().get(lobby).is(200).hasNot("spam")
}

func TestTheSenderIsWhoTheSessionSays(t *testing.T) {
	h := open(t)
	ann := h.guest("Ann")
	h.guest("Bob")
	ann.do("POST", lobby, `{"type":"text","data":{"text":"I am Bob"},"from":{"id":"x","name":"Bob"}}`).fails(400, "bad_field")
	ann.do("POST", lobby, `{"type":"text","data":{"text":"hi"}}`).is(201)
	h.stranger().get(lobby).has(`"from":{"id":"` + ann.id + `","name":"Ann"}`).hasNot("Bob")
	for _, typ := range []string{"tally", "vote", "topic", "conversation", "left"} {
		ann.do("POST", lobby, fmt.Sprintf(`{"type":%q,"data":{}}`, typ)).fails(422, "bad_type")
	}
	ann.do("POST", "/v1/channels/user:"+ann.id+"/messages", "psst").fails(403, "forbidden")
	ann.do("POST", "/v1/channels/vote:ABCDE/messages", "psst").fails(403, "forbidden")
	ann.do("POST", "/v1/channels/made-up:thing/messages", "psst").fails(404, "no_channel")
}

func TestKeysHaveOneEffect(t *testing.T) {
	h := open(t)
	ann := h.guest("Ann")
	first := ann.do("POST", lobby, "once", "Idempotency-Key", "k1").is(201)
	second := ann.do("POST", lobby, "once", "Idempotency-Key", "k1").is(201)
	if first.body != second.body || second.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the second answer is not the first:\n%s%s", first.body, second.body)
	}
	ann.do("POST", lobby, "other", "Idempotency-Key", "k1").fails(422, "key_reused")
	h.guest("Bob").do("POST", lobby, "mine", "Idempotency-Key", "k1").is(201)
	if n := strings.Count(h.stranger().get(lobby).body, `"seq"`); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

func TestEditAndDelete(t *testing.T) {
	h := open(t)
	ann, bob := h.guest("Ann"), h.guest("Bob")
	ann.do("POST", lobby, "first draft").is(201)
	bob.do("POST", lobby, `{"type":"edit","data":{"seq":1,"text":"hacked"}}`).fails(403, "forbidden")
	bob.do("POST", lobby, `{"type":"delete","data":{"seq":1}}`).fails(403, "forbidden")
	ann.do("POST", lobby, `{"type":"edit","data":{"seq":1,"text":"final"}}`).is(201)
	bob.get(lobby).has(`"text":"final"`, `"edited"`).hasNot("first draft", "hacked")
	ann.do("POST", lobby, `{"type":"delete","data":{"seq":1}}`).is(201)
	bob.get(lobby).has(`"deleted":true`).hasNot("final", "first draft")
	ann.do("POST", lobby, `{"type":"edit","data":{"seq":1,"text":"back"}}`).fails(404, "no_message")
	ann.do("POST", lobby, `{"type":"edit","data":{"seq":99,"text":"?"}}`).fails(404, "no_message")
}

func TestPrivateRooms(t *testing.T) {
	h := open(t)
	ann, bob := h.guest("Ann"), h.guest("Bob")
	room := ann.do("POST", "/v1/rooms", `{"name":"Secret plans","private":true}`).is(201)
	id := room.value("id")
	path := "/v1/channels/room:" + id + "/messages"
	ann.do("POST", path, "the plan").is(201)
	for _, other := range []*person{bob, h.stranger()} {
		other.get("/v1/rooms/"+id).fails(404, "no_room")
		other.get(path).fails(404, "no_room")
		other.get(path+"?before=end").fails(404, "no_room")
		other.get("/v1/rooms").is(200).hasNot("Secret")
		other.get("/v1/rooms/"+id+"/members").fails(404, "no_room")
		other.get("/v1/channels/room:"+id+"/presence").fails(404, "no_room")
		other.get("/v1/messages?channel=room:lobby&channel=room:"+id).fails(404, "no_room")
	}
	bob.do("POST", path, "let me in").fails(404, "no_room")
	bob.do("PUT", "/v1/rooms/"+id+"/membership", "").fails(404, "no_room")
	bob.do("PUT", "/v1/rooms/"+id+"/membership", `{"invite":"guess"}`).fails(403, "bad_invite")
	invite := ann.do("POST", "/v1/rooms/"+id+"/invite", "").is(200)
	invite.has(h.URL + "/r/" + id + "#invite=")
	bob.do("PUT", "/v1/rooms/"+id+"/membership", fmt.Sprintf(`{"invite":%q}`, invite.value("invite"))).is(204)
	bob.get(path).is(200).has("the plan")
	bob.do("PATCH", "/v1/rooms/"+id, `{"topic":"mine now"}`).fails(403, "not_owner")
	bob.do("DELETE", "/v1/rooms/"+id+"/membership", "").is(204)
	bob.get(path).fails(404, "no_room")
	ann.do("DELETE", "/v1/rooms/"+id, "").is(204)
	ann.get("/v1/rooms/"+id).fails(404, "no_room")
}

func TestADirectMessageWaitsForWhoIsAway(t *testing.T) {
	h := open(t)
	ann, bob, eve := h.guest("Ann"), h.guest("Bob"), h.guest("Eve")
	sent := ann.do("POST", "/v1/direct/Bob/messages", "are you there?").is(201)
	name := sent.value("channel")
	if name != ann.get("/v1/direct/"+bob.id).is(200).value("channel") || name != bob.get("/v1/direct/Ann").value("channel") {
		t.Error("the two do not mean the same channel")
	}
	// Bob comes back later.
	list := bob.get("/v1/conversations").is(200)
	list.has(`"kind":"direct"`, `"name":"Ann"`, `"unread":1`)
	bob.get("/v1/channels/user:"+bob.id+"/messages").is(200).has(`"type":"conversation"`, name)
	bob.get("/v1/channels/" + name + "/messages").is(200).has("are you there?")
	bob.do("PUT", "/v1/channels/"+name+"/read", `{"seq":1}`).is(204)
	bob.get("/v1/conversations").is(200).has(`"unread":0`)
	// Nobody else gets at it.
	eve.get("/v1/channels/"+name+"/messages").fails(403, "forbidden")
	eve.do("POST", "/v1/channels/"+name+"/messages", "hi").fails(403, "forbidden")
	h.stranger().get("/v1/channels/"+name+"/messages").fails(401, "no_session")
	eve.get("/v1/channels/user:"+bob.id+"/messages").fails(403, "forbidden")
	ann.do("POST", "/v1/direct/nobody/messages", "hi").fails(404, "no_user")
}

func TestLimitsAndBadInput(t *testing.T) {
	h := open(t)
	ann := h.guest("Ann")
	ann.do("POST", lobby, strings.Repeat("x", 4001)).fails(422, "too_long")
	ann.do("POST", lobby, strings.Repeat("字", 4000)).is(201)
	ann.do("POST", lobby, strings.Repeat("x", 65537)).fails(413, "too_large")
	ann.do("POST", lobby, "", "Content-Type", "text/plain").fails(422, "empty")
	ann.do("POST", lobby, "   \n ").fails(422, "empty")
	ann.do("POST", lobby, "bad \xff UTF-8").fails(400, "bad_request")
	ann.do("POST", lobby, `{"type":"text","data":{"text":"x"}} trailing`).fails(400, "bad_request")
	ann.do("POST", lobby, `{"type":"Not A Type","data":{}}`).fails(422, "bad_type")
	ann.do("POST", lobby, `{"type":"x","data":"`+strings.Repeat("x", 17<<10)+`"}`).fails(422, "too_long")
	ann.do("POST", lobby, "<x/>", "Content-Type", "text/xml").fails(415, "unsupported_media_type")
	ann.get("/v1/channels/lobby/messages").fails(400, "bad_channel")
	ann.get("/v1/channels/room:"+strings.Repeat("x", 200)+"/messages").fails(400, "bad_channel")
	ann.get("/v1/channels/room:absent/messages").fails(404, "no_room")
	for _, after := range []string{"x", "-1", "1-", "1-!", "01", "99999999999999999999", "1-zzzzzzzzzzzz", "%00"} {
		ann.get(lobby+"?after="+after).fails(400, "bad_position")
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?limit=x", "?wait=-1", "?wait=61", "?wait=x", "?afetr=1", "?after=0&after=1", "?after=0&before=end"} {
		ann.get(lobby+query).fails(400, "bad_request")
	}
	ann.get("/v1/nothing").fails(404, "not_found")
	ann.do("DELETE", lobby, "").fails(405, "method_not_allowed")
	if a := ann.get("/v1/session", "X-Large", strings.Repeat("x", 40<<10)); a.status != 431 {
		t.Errorf("a header of 40 KiB: %d, want 431", a.status)
	}
}

func TestForeignOriginsAreRefused(t *testing.T) {
	h := open(t, func(c *parley.Config) { c.Origins = []string{"https://friend.example"} })
	ann := h.guest("Ann")
	ann.do("POST", lobby, "hi", "Origin", "https://evil.example").fails(403, "foreign_origin")
	ann.get(lobby, "Origin", "null").fails(403, "foreign_origin")
	ann.get(lobby, "Origin", "https://evil.example", "Accept", "text/event-stream").fails(403, "foreign_origin")
	ann.get("/v1/connect", "Origin", "https://evil.example", "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").fails(403, "foreign_origin")
	ann.do("POST", lobby, "hi", "Origin", h.URL).is(201)
	allowed := ann.do("POST", lobby, "hi", "Origin", "https://friend.example").is(201)
	if got := allowed.header.Get("Access-Control-Allow-Origin"); got != "https://friend.example" {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
	h.stranger().do("OPTIONS", lobby, "", "Origin", "https://friend.example", "Access-Control-Request-Method", "POST").is(204)
}

func TestRatesSayHowLongToWait(t *testing.T) {
	h := open(t, limited)
	ann, bob := h.guest("Ann"), h.guest("Bob")
	var refused *answer
	for range 60 {
		if a := ann.do("POST", lobby, "spam"); a.status != 201 {
			refused = a
			break
		}
	}
	if refused == nil {
		t.Fatal("60 messages at once were all taken")
	}
	refused.fails(429, "rate_limited").has(`"retry_after":`)
	if refused.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	bob.do("POST", lobby, "calm").is(201)
}

func TestASecondServerOnTheSameFolderIsRefused(t *testing.T) {
	folder := t.TempDir()
	first, err := parley.New(t.Context(), parley.Config{Data: folder})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parley.New(t.Context(), parley.Config{Data: folder}); err == nil || !strings.Contains(err.Error(), "process") {
		t.Errorf("a second server: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := parley.New(t.Context(), parley.Config{Data: folder})
	if err != nil {
		t.Fatalf("after the first ended: %v", err)
	}
	_ = second.Close()
	if _, err := os.Stat(filepath.Join(folder, "parley.db")); err != nil {
		t.Error(err)
	}
}

func TestLeavingAnswersWhoWaits(t *testing.T) {
	h := open(t)
	ann := h.guest("Ann")
	answered := make(chan *answer, 1)
	go func() { answered <- ann.get(lobby + "?after=0&wait=60") }()
	for !strings.Contains(ann.get("/v1/channels/room:lobby/presence").body, "Ann") {
		time.Sleep(time.Millisecond)
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	(<-answered).is(200).has(`"messages":[]`)
	if a := ann.get(lobby + "?after=0&wait=60"); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("a new long poll while leaving: %d", a.status)
	}
}

func TestAnUnknownClientCannotHoldAConnectionBySilence(t *testing.T) {
	h := open(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /v1/connect HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", strings.TrimPrefix(h.URL, "http://"))
	buf := make([]byte, 64)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 400") {
		t.Errorf("a bad handshake: %q, %v", buf[:n], err)
	}
}
