package parley_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/engine/redis/redistest"
	"parley/gate"
	"parley/limit"
)

// finds searches, and returns the texts that are found, page by page.
func (p *person) finds(query string, more ...string) []string {
	p.t.Helper()
	texts := []string{}
	path := "/v1/search?q=" + url.QueryEscape(query) + strings.Join(append([]string{""}, more...), "&")
	for before := ""; ; {
		var in struct {
			Results []struct {
				Channel, Position string
				Message           struct{ Data struct{ Text string } }
			}
			Next, Searched string
		}
		p.get(path + before).is(200).into(&in)
		for _, r := range in.Results {
			texts = append(texts, r.Message.Data.Text)
		}
		if in.Next == "" {
			return texts
		}
		before = "&before=" + url.QueryEscape(in.Next)
	}
}

func (p *person) wantsFound(query string, want ...string) {
	p.t.Helper()
	if got := p.finds(query); !slices.Equal(got, want) {
		p.t.Fatalf("%q finds %q; want %q", query, got, want)
	}
}

func TestSearch(t *testing.T) {
	h := open(t)
	ann, bob, eve := h.guest("Ann"), h.guest("Bob"), h.guest("Eve")
	ann.do("POST", lobby, "请大家投票吧").is(201)
	room := ann.do("POST", "/v1/rooms", `{"name":"Plans","private":true}`).is(201).value("id")
	plans := "/v1/channels/room:" + room + "/messages"
	said := ann.do("POST", plans, "<b>Hello</b> 🎉").is(201)
	bob.do("POST", "/v1/direct/Ann/messages", "hello, Ann").is(201)

	ann.wantsFound("hello", "hello, Ann", "<b>Hello</b> 🎉")
	bob.wantsFound("hello", "hello, Ann")
	eve.wantsFound("hello")
	ann.wantsFound("投票", "请大家投票吧")
	h.stranger().get("/v1/search?channel=room:lobby&q="+url.QueryEscape("投票")).is(200).has(`"channel":"room:lobby","position":"1-`, `"message":{"seq":1,`, `请大家投票吧`).hasNot(`"next"`, `"searched"`)

	ann.do("POST", plans, fmt.Sprintf(`{"type":"edit","data":{"seq":%s,"text":"Good bye"}}`, said.value("seq"))).is(201)
	ann.wantsFound("hello", "hello, Ann")
	ann.wantsFound("bye good", "Good bye")
	ann.do("POST", plans, fmt.Sprintf(`{"type":"delete","data":{"seq":%s}}`, said.value("seq"))).is(201)
	ann.wantsFound("bye")

	for i := range 5 {
		ann.do("POST", plans, fmt.Sprintf("tea %d", i)).is(201)
	}
	want := []string{"tea 4", "tea 3", "tea 2", "tea 1", "tea 0"}
	for _, in := range []string{"limit=2", "limit=2&channel=room:" + room, "limit=1&channel=room:" + room, "limit=100"} {
		if got := ann.finds("tea", in); !slices.Equal(got, want) {
			t.Errorf("%s: %q", in, got)
		}
	}
	ann.get("/v1/search?q=tea&limit=2").is(200).has(`"next":"`, `"searched":"20`)
	ann.get("/v1/search?q=tea&before=5&channel=room:" + room).is(200).has("tea 0").hasNot("tea 1")

	eve.get("/v1/search?q=tea&channel=room:"+room).fails(404, "no_room")
	eve.get("/v1/search?q=tea&channel=direct:"+min(ann.id, bob.id)+"."+max(ann.id, bob.id)).fails(403, "forbidden")
	eve.get("/v1/search?q=tea&channel=user:"+eve.id).fails(404, "no_channel")
	eve.get("/v1/search?q=tea&channel=lobby").fails(400, "bad_channel")
	h.stranger().get("/v1/search?q=tea").fails(401, "no_session")
	for _, query := range []string{"", "q=", "q=%3F%21", "q=%ff", "q=tea&limit=0", "q=tea&limit=101", "q=tea&limit=x", "q=tea&q=milk", "q=tea&query=x", "q=%zz"} {
		eve.get("/v1/search?"+query).fails(400, "bad_request")
	}
	eve.get("/v1/search?q=tea&before=42").fails(400, "bad_position")
	eve.get("/v1/search?q=tea&before=x&channel=room:lobby").fails(400, "bad_position")
	eve.get("/v1/search?q="+strings.Repeat("a", 201)).fails(422, "too_long")
	eve.do("POST", "/v1/search?q=tea", "").fails(405, "method_not_allowed")
}

func TestSearchesHaveARate(t *testing.T) {
	h := open(t, func(c *parley.Config) { c.Rates = gate.Rates{Search: limit.Rate{PerSecond: 0.01, Burst: 2}} })
	ann, bob := h.guest("Ann"), h.guest("Bob")
	for range 2 {
		ann.get("/v1/search?q=tea").is(200)
		h.stranger().get("/v1/search?q=tea&channel=room:lobby").is(200)
	}
	ann.get("/v1/search?q=tea").fails(429, "rate_limited")
	h.stranger().get("/v1/search?q=tea&channel=room:lobby").fails(429, "rate_limited")
	bob.get("/v1/search?q=tea").is(200)
}

// TestSearchAfterMigrating: nothing of an index is copied, and everything is found in the new place.
func TestSearchAfterMigrating(t *testing.T) {
	first, second := parley.Config{Data: t.TempDir()}, parley.Config{Data: t.TempDir()}
	shared := parley.Config{Engine: redistest.Start(t).URL()}
	var ann person
	t.Run("before", func(t *testing.T) {
		h := open(t, func(c *parley.Config) { c.Data = first.Data })
		ann = *h.guest("Ann")
		ann.do("POST", lobby, "green tea").is(201)
		ann.do("POST", lobby, "black tea").is(201)
		ann.do("POST", lobby, `{"type":"edit","data":{"seq":1,"text":"绿茶 tea"}}`).is(201)
		ann.wantsFound("tea", "black tea", "绿茶 tea")
	})
	for _, way := range [][2]parley.Config{{first, shared}, {shared, second}} {
		if err := parley.Migrate(t.Context(), way[0], way[1], func(float64, int64) {}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []parley.Config{shared, second, first} {
		t.Run(c.Where(), func(t *testing.T) {
			ann := ann.at(open(t, func(to *parley.Config) { to.Data, to.Engine = c.Data, c.Engine }))
			ann.wantsFound("tea", "black tea", "绿茶 tea")
			ann.wantsFound("茶", "绿茶 tea")
			ann.wantsFound("green")
		})
	}
}
