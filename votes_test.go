package parley_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/websocket"
)

func (p *person) makeVote(body string) string {
	p.t.Helper()
	return p.do("POST", "/v1/votes", body).is(201).value("code")
}

func TestAVoteByOneLine(t *testing.T) {
	h := open(t, limited)
	made := h.stranger().do("POST", "/v1/votes", "Tea? | yes | no | 或许").is(201)
	code := made.value("code")
	made.has(`"url":"`+h.URL+"/v/"+code+`"`, `"text":"或许"`, `"mine":true`)
	if len(code) != 5 || strings.ContainsAny(code, "0O1IL2Z5S8B") {
		t.Errorf("the code %s has look-alike characters", code)
	}
	owner := &person{house: h, token: made.header.Get("Parley-Token")}
	ann := h.guest("Ann")
	h.stranger().do("PUT", "/v1/votes/"+code+"/ballot", "1").fails(401, "no_session")
	ann.do("PUT", "/v1/votes/"+strings.ToLower(code)+"/ballot", "2").is(200).has(`"ballot":[2]`, `"voters":1`)
	ann.do("PUT", "/v1/votes/"+code+"/ballot", `{"options":[3]}`).is(200).has(`"ballot":[3]`, `"voters":1`)
	ann.do("PUT", "/v1/votes/"+code+"/ballot", "4").fails(422, "bad_options")
	ann.do("PUT", "/v1/votes/"+code+"/ballot", "1,2").fails(422, "bad_options")
	ann.do("PUT", "/v1/votes/"+code+"/ballot", "eins").fails(422, "bad_options")
	ann.do("PATCH", "/v1/votes/"+code, `{"open":false}`).fails(403, "not_owner")
	owner.do("PATCH", "/v1/votes/"+code, `{"question":"Coffee?"}`).fails(409, "vote_locked")
	owner.do("PATCH", "/v1/votes/"+code, `{"open":false}`).is(200).has(`"open":false`)
	ann.do("PUT", "/v1/votes/"+code+"/ballot", "1").fails(409, "vote_closed")
	owner.do("PATCH", "/v1/votes/"+code, `{"open":true}`).is(200)
	ann.do("PUT", "/v1/votes/"+code+"/ballot", "1").is(200)
	h.stranger().get("/v1/votes/AAAAA").fails(404, "no_vote")
	csv := h.stranger().get("/v1/votes/" + code + ".csv").is(200)
	if want := "\ufeffid,option,count\r\n1,\"yes\",1\r\n2,\"no\",0\r\n3,\"或许\",0\r\n"; csv.body != want {
		t.Errorf("CSV %q, want %q", csv.body, want)
	}
	h.stranger().get("/v1/votes/" + code + ".json").is(200).has(`"voters":1`)
	h.stranger().get("/v1/votes/"+code+".exe").fails(404, "not_found")
	h.stranger().get("/v1/votes/"+code+"/qr.svg").is(200).has("<svg", "</svg>")
}

func TestVoteRules(t *testing.T) {
	h := open(t)
	ann, bob := h.guest("Ann"), h.guest("Bob")
	for _, bad := range []string{
		`{"question":"","options":["a","b"]}`, `{"question":"q","options":["a"]}`, `{"question":"q","options":["a","a"]}`,
		`{"question":"q","options":["a","b"],"min":0,"max":3}`, `{"question":"q","options":["a","b"],"results":"never"}`,
		`{"question":"q","options":["a","b"],"closes":"2001-01-01T00:00:00Z"}`, `{"question":"q","options":["a","b"],"closes_in":-5}`,
		fmt.Sprintf(`{"question":%q,"options":["a","b"]}`, strings.Repeat("q", 301)),
	} {
		if a := ann.do("POST", "/v1/votes", bad); a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	once := ann.makeVote(`{"question":"Final?","options":["a","b"],"change":false}`)
	bob.do("PUT", "/v1/votes/"+once+"/ballot", "1").is(200)
	bob.do("PUT", "/v1/votes/"+once+"/ballot", "1").is(200) // repeated, not changed
	bob.do("PUT", "/v1/votes/"+once+"/ballot", "2").fails(409, "already_voted")
	many := ann.makeVote(`{"question":"Several?","options":["a","b","c"],"min":2,"max":3}`)
	bob.do("PUT", "/v1/votes/"+many+"/ballot", "1").fails(422, "bad_options")
	bob.do("PUT", "/v1/votes/"+many+"/ballot", "1,1").fails(422, "bad_options")
	bob.do("PUT", "/v1/votes/"+many+"/ballot", "3,1").is(200).has(`"ballot":[1,3]`)
	named := ann.makeVote(`{"question":"Who?","options":["a","b"],"named":true}`)
	bob.do("PUT", "/v1/votes/"+named+"/ballot", "2").is(200)
	ann.get("/v1/votes/" + named).has(`"who":[{"id":"` + bob.id + `","name":"Bob"}]`)
	anonymous := ann.makeVote(`{"question":"Who?","options":["a","b"]}`)
	bob.do("PUT", "/v1/votes/"+anonymous+"/ballot", "2").is(200)
	for _, path := range []string{"/v1/votes/" + anonymous, "/v1/votes/" + anonymous + ".json", "/v1/votes/" + anonymous + ".csv", "/v1/channels/vote:" + anonymous + "/messages"} {
		ann.get(path).is(200).hasNot("Bob", bob.id)
	}
	private := ann.do("POST", "/v1/rooms", `{"name":"Club","private":true}`).value("id")
	inside := ann.makeVote(fmt.Sprintf(`{"question":"Inside?","options":["a","b"],"room":%q}`, private))
	for _, path := range []string{"/v1/votes/" + inside, "/v1/votes/" + inside + ".csv", "/v1/channels/vote:" + inside + "/messages"} {
		if a := bob.get(path); a.status != 404 {
			t.Errorf("%s for one who is not in the room: %d %s", path, a.status, a.body)
		}
	}
	bob.do("PUT", "/v1/votes/"+inside+"/ballot", "1").fails(404, "no_room")
	ann.get("/v1/channels/room:"+private+"/messages").has(`"type":"vote"`, inside)
}

func TestAVoteClosesAtItsDeadline(t *testing.T) {
	h := open(t)
	ann := h.guest("Ann")
	code := ann.makeVote(`{"question":"Quick?","options":["a","b"],"closes_in":1}`)
	ann.do("PUT", "/v1/votes/"+code+"/ballot", "1").is(200)
	position := ann.get("/v1/channels/vote:" + code + "/messages").value("to")
	closed := ann.get("/v1/channels/vote:" + code + "/messages?wait=20&after=" + position).is(200)
	closed.has(`"open":false`, `"count":1`)
	ann.do("PUT", "/v1/votes/"+code+"/ballot", "2").fails(409, "vote_closed")
}

// TestEveryPathHidesAlike asks for the counts of each kind of vote, as each kind of viewer, at each stage, on every path
// there is, and demands that all paths agree with the rule.
func TestEveryPathHidesAlike(t *testing.T) {
	h := open(t)
	owner, voter, idle := h.guest("Owner"), h.guest("Voter"), h.guest("Idle")
	rules := map[string]func(who *person, open bool) bool{
		"always": func(*person, bool) bool { return true },
		"voted":  func(who *person, open bool) bool { return who == owner || who == voter || !open },
		"closed": func(who *person, open bool) bool { return who == owner || !open },
		"owner":  func(who *person, _ bool) bool { return who == owner },
	}
	for results, visible := range rules {
		code := owner.makeVote(fmt.Sprintf(`{"question":"?","options":["a","b"],"named":true,"results":%q}`, results))
		voter.do("PUT", "/v1/votes/"+code+"/ballot", "2").is(200)
		for _, open := range []bool{true, false} {
			if !open {
				owner.do("PATCH", "/v1/votes/"+code, `{"open":false}`).is(200)
			}
			for name, who := range map[string]*person{"owner": owner, "voter": voter, "idle": idle, "stranger": h.stranger()} {
				want := visible(who, open)
				for path, text := range pathsTo(who, code) {
					shows := strings.Contains(text, `"count":1`) || strings.Contains(text, `"b",1`)
					if shows != want {
						t.Errorf("results %s, open %v: %s sees the counts by %s: %v, want %v: %s", results, open, name, path, shows, want, text)
					}
					if !want && (strings.Contains(text, `"visible":true`) || strings.Contains(text, `"Voter"`)) {
						t.Errorf("results %s, open %v: %s sees too much by %s: %s", results, open, name, path, text)
					}
				}
			}
		}
	}
}

// pathsTo reads a vote in every way that there is.
func pathsTo(who *person, code string) map[string]string {
	who.t.Helper()
	messages := "/v1/channels/vote:" + code + "/messages"
	return map[string]string{
		"GET":       who.get("/v1/votes/" + code).is(200).body,
		"CSV":       who.get("/v1/votes/" + code + ".csv").is(200).body,
		"JSON":      who.get("/v1/votes/" + code + ".json").is(200).body,
		"poll":      who.get(messages).is(200).body,
		"long poll": who.get(messages + "?wait=5").is(200).body,
		"history":   who.get(messages + "?before=end").is(200).body,
		"many":      who.get("/v1/messages?channel=vote:" + code + "@0").is(200).body,
		"SSE":       who.firstEvent(messages, "batch"),
		"WebSocket": who.firstFrame(messages, `"messages"`),
	}
}

// firstEvent is the data of the first SSE event of a name.
func (p *person) firstEvent(path, event string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", p.URL+path, nil)
	req.Header.Set("Accept", "text/event-stream")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		text.Write(buf[:n])
		if _, rest, found := strings.Cut(text.String(), "event: "+event+"\n"); found {
			if body, _, whole := strings.Cut(rest, "\n\n"); whole {
				return body
			}
		}
		if err == io.EOF || err != nil {
			p.t.Fatalf("no %s event: %v: %s", event, err, text.String())
		}
	}
}

// firstFrame is the first WebSocket message with something in it.
func (p *person) firstFrame(path, part string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	header := http.Header{}
	if p.token != "" {
		header.Set("Authorization", "Bearer "+p.token)
	}
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(p.URL, "http")+path, &websocket.DialOptions{Header: header})
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.CloseNow()
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			p.t.Fatal(err)
		}
		if !json.Valid(data) {
			p.t.Fatalf("not JSON: %s", data)
		}
		if strings.Contains(string(data), part) {
			return string(data)
		}
	}
}
