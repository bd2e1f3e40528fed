package parley_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/engine/redis/redistest"
)

// twoNodes are two servers on one Redis.
func twoNodes(t *testing.T) (one, two *house) {
	t.Helper()
	url := redistest.Start(t).URL()
	onRedis := func(c *parley.Config) { c.Data, c.Engine = "", url }
	return open(t, onRedis), open(t, onRedis)
}

// at is the same person at another node.
func (p *person) at(h *house) *person { return &person{h, p.id, p.name, p.token} }

// listening is a stream of events that somebody reads.
type listening struct {
	t    *testing.T
	body io.ReadCloser
	text strings.Builder
}

func (p *person) listen(path string) *listening {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	p.t.Cleanup(cancel)
	req, _ := http.NewRequestWithContext(ctx, "GET", p.URL+path, nil)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	return &listening{t: p.t, body: resp.Body}
}

// until reads until a text comes, and returns all that came.
func (l *listening) until(text string) string {
	l.t.Helper()
	buf := make([]byte, 4096)
	for !strings.Contains(l.text.String(), text) {
		n, err := l.body.Read(buf)
		l.text.Write(buf[:n])
		if err != nil && !strings.Contains(l.text.String(), text) {
			l.t.Fatalf("no %q came: %v: %s", text, err, l.text.String())
		}
	}
	return l.text.String()
}

func TestRightsEndOnEveryNode(t *testing.T) {
	one, two := twoNodes(t)
	ann, bob := one.guest("Ann"), two.guest("Bob")
	room := ann.do("POST", "/v1/rooms", `{"name":"Plans","private":true}`).is(201).value("id")
	path, membership := "/v1/channels/room:"+room+"/messages", "/v1/rooms/"+room+"/membership"
	bob.get(path).fails(404, "no_room") // and so node two remembers that he is not in
	invite := ann.at(two).do("POST", "/v1/rooms/"+room+"/invite", "").is(200).value("invite")
	join := fmt.Sprintf(`{"invite":%q}`, invite)
	bob.at(one).do("PUT", membership, join).is(204)
	stream := bob.listen(path + "?after=0")
	ann.do("POST", path, "the plan").is(201)
	stream.until("the plan")

	bob.at(one).do("DELETE", membership, "").is(204)
	ann.do("POST", path, "not for Bob").is(201)
	if got := stream.until("event: ended"); strings.Contains(got, "not for Bob") {
		t.Fatalf("who left hears on: %s", got)
	}
	bob.get(path).fails(404, "no_room")

	// One who is forgotten on one node is nobody on the other.
	bob.do("PUT", membership, join).is(204)
	stream = bob.listen(path + "?after=0")
	stream.until("not for Bob")
	bob.at(one).do("DELETE", "/v1/session", "").is(204)
	ann.do("POST", path, "Bob is gone").is(201)
	if got := stream.until("event: ended"); strings.Contains(got, "Bob is gone") {
		t.Fatalf("who is forgotten hears on: %s", got)
	}
	bob.get("/v1/session").fails(401, "no_session")
	two.guest("Bob") // the name is free
}

func TestNamesAreTheSameOnEveryNode(t *testing.T) {
	one, two := twoNodes(t)
	ann := one.guest("Ann")
	two.stranger().do("POST", "/v1/session", `{"name":"ann"}`).fails(409, "name_taken")
	const lobby = "/v1/channels/room:lobby/messages"
	ann.at(two).do("POST", lobby, "first").is(201)
	ann.do("PATCH", "/v1/session", `{"name":"Anna"}`).is(200)
	ann.at(two).do("POST", lobby, "second").is(201)
	var got struct {
		Messages []struct {
			Type string
			From struct{ Name string }
		}
	}
	one.stranger().get(lobby).is(200).into(&got)
	if n := len(got.Messages); n != 2 || got.Messages[0].From.Name != "Ann" || got.Messages[1].From.Name != "Anna" {
		t.Fatalf("%+v", got)
	}
	two.guest("Ann")
}
