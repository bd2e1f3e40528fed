package parley_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"parley"
	"parley/gate"
	"parley/internal/parleytest"
	"parley/limit"
)

// regular is somebody who polls over one connection, and how many of their requests the server's handler has seen.
type regular struct {
	*person
	client  *http.Client
	handled *atomic.Int64
}

// openForRegulars opens a house that counts the requests which its handler sees.
func openForRegulars(t *testing.T, change ...func(*parley.Config)) (*house, *atomic.Int64) {
	t.Helper()
	handled := &atomic.Int64{}
	count := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handled.Add(1)
			h.ServeHTTP(w, r)
		})
	}
	return &house{t, parleytest.OpenBehind(t, count, change...)}, handled
}

func (p *person) regular(handled *atomic.Int64) *regular {
	transport := &http.Transport{MaxConnsPerHost: 1}
	p.t.Cleanup(transport.CloseIdleConnections)
	return &regular{p, &http.Client{Transport: transport}, handled}
}

// poll reports the answer, and whether the handler has seen the request.
func (r *regular) poll(path string, headers ...string) (a *answer, seen bool) {
	r.t.Helper()
	request, err := http.NewRequest("GET", r.URL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	before := r.handled.Load()
	response, err := r.client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	response.Header.Del("Date")
	return &answer{r.t, "GET " + path, response.StatusCode, response.Header, string(body)}, r.handled.Load() > before
}

// known polls until the handler is passed by.
func (r *regular) known(path string, headers ...string) *answer {
	r.t.Helper()
	for range 50 {
		if a, seen := r.poll(path, headers...); !seen {
			return a
		}
	}
	r.t.Fatalf("%s always passes the handler", path)
	return nil
}

// A poll that is made again is answered with the same headers as the first.
func TestRegularsAreAnsweredAsOthers(t *testing.T) {
	h, handled := openForRegulars(t, func(c *parley.Config) { c.Origins = []string{"https://friend.example"}; c.Rates = gate.DefaultRates() })
	ann := h.guest("Ann")
	ann.do("POST", lobby, "hi").is(201)
	end := ann.get(lobby).value("to")
	for _, path := range []string{lobby + "?after=" + end, lobby + "?after=0", lobby + "?wait=0.01&after=" + end, "/v1/messages?channel=room:lobby@" + end} {
		for _, headers := range [][]string{nil, {"If-None-Match", `"` + end + `"`}, {"Origin", "https://friend.example"}, {"Cookie", "parley=" + ann.token}} {
			for _, who := range []*person{ann, h.stranger()} {
				r := who.regular(handled)
				first, _ := r.poll(path, headers...)
				last := r.known(path, headers...)
				if !sameAnswer(first, last) {
					t.Errorf("%s %v:\n%d %v %s\nand the next time\n%d %v %s", path, headers, first.status, first.header, first.body, last.status, last.header, last.body)
				}
			}
		}
	}
}

func sameAnswer(a, b *answer) bool {
	if a.status != b.status || a.body != b.body || len(a.header) != len(b.header) {
		return false
	}
	for name, values := range a.header {
		if len(values) != len(b.header[name]) {
			return false
		}
		for i := range values {
			if values[i] != b.header[name][i] {
				return false
			}
		}
	}
	return true
}

// Every poll counts, whether or not it passes the handlers; and who has lost the right to read has lost it.
func TestRegularsAreHeldToTheRules(t *testing.T) {
	t.Run("rates", func(t *testing.T) {
		h, handled := openForRegulars(t, func(c *parley.Config) { c.Rates = gate.Rates{Read: limit.Rate{PerSecond: 0.001, Burst: 100}} })
		r := h.stranger().regular(handled)
		for i := range 100 {
			a, _ := r.poll(lobby)
			if a.status != 200 {
				t.Fatalf("poll %d: %d", i, a.status)
			}
		}
		if n := handled.Load(); n > 20 {
			t.Errorf("the handler has seen %d of 100 polls", n)
		}
		a, _ := r.poll(lobby)
		a.fails(429, "rate_limited")
	})
	t.Run("a private room", func(t *testing.T) {
		h, handled := openForRegulars(t)
		ann, bob := h.guest("Ann"), h.guest("Bob")
		room := ann.do("POST", "/v1/rooms", `{"name":"Secret plans","private":true}`).is(201).value("id")
		path := "/v1/channels/room:" + room + "/messages"
		invite := ann.do("POST", "/v1/rooms/"+room+"/invite", "").is(200).value("invite")
		bob.do("PUT", "/v1/rooms/"+room+"/membership", `{"invite":"`+invite+`"}`).is(204)
		r := bob.regular(handled)
		for _, params := range []string{"", "?wait=0.01"} {
			r.known(path + params).is(200)
		}
		bob.do("DELETE", "/v1/rooms/"+room+"/membership", "").is(204)
		ann.do("POST", path, "without Bob").is(201)
		a, _ := r.poll(path + "?wait=0.01")
		a.fails(404, "no_room")
	})
	t.Run("a person forgotten", func(t *testing.T) {
		h, handled := openForRegulars(t)
		ann := h.guest("Ann")
		r := ann.regular(handled)
		r.known(lobby).is(200)
		ann.do("DELETE", "/v1/session", "").is(204)
		a, _ := r.poll(lobby)
		a.fails(401, "no_session")
	})
}
