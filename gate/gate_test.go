package gate

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"parley/limit"
	"parley/problem"
)

func request(peer string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://chat.example/v1/rooms", nil)
	r.RemoteAddr = peer
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestAddress(t *testing.T) {
	g := New(Options{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8")}})
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"direct", "203.0.113.5:1234", nil, "203.0.113.5"},
		{"a stranger's header does not count", "203.0.113.5:1234", []string{"198.51.100.1"}, "203.0.113.5"},
		{"behind a trusted proxy", "127.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client wrote before the proxy does not count", "127.0.0.1:1234", []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		{"two trusted proxies", "127.0.0.1:1234", []string{"198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		{"two headers", "127.0.0.1:1234", []string{"1.2.3.4", "198.51.100.1"}, "198.51.100.1"},
		{"nonsense ends the walk", "127.0.0.1:1234", []string{"198.51.100.1, unknown"}, "127.0.0.1"},
		{"only trusted ones", "127.0.0.1:1234", []string{"10.0.0.1"}, "10.0.0.1"},
		{"no header", "127.0.0.1:1234", nil, "127.0.0.1"},
		{"IPv4 in IPv6", "[::ffff:203.0.113.5]:1234", nil, "203.0.113.5"},
	} {
		var headers []string
		for _, f := range c.forwarded {
			headers = append(headers, "X-Forwarded-For", f)
		}
		if got := g.Address(request(c.peer, headers...)).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if key := g.Key(request("[2001:db8:1:2:3:4:5:6]:1")).String(); key != "2001:db8:1:2::" {
		t.Errorf("an IPv6 subscriber counts as %s", key)
	}
	if !g.Secure(request("127.0.0.1:1", "X-Forwarded-Proto", "https")) || g.Secure(request("203.0.113.5:1", "X-Forwarded-Proto", "https")) {
		t.Error("X-Forwarded-Proto counts from a trusted proxy, and from nobody else")
	}
}

func TestOrigin(t *testing.T) {
	g := New(Options{Origins: []string{"https://friend.example/"}})
	for _, c := range []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"a program", nil, true},
		{"the same host", []string{"Origin", "https://chat.example"}, true},
		{"the same host in capitals", []string{"Origin", "https://CHAT.example"}, true},
		{"another port", []string{"Origin", "https://chat.example:8443"}, false},
		{"another host", []string{"Origin", "https://evil.example"}, false},
		{"a host that begins alike", []string{"Origin", "https://chat.example.evil.example"}, false},
		{"null", []string{"Origin", "null"}, false},
		{"nonsense", []string{"Origin", "::"}, false},
		{"an allowed one", []string{"Origin", "https://friend.example"}, true},
		{"a link from elsewhere", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, true},
		{"a fetch from elsewhere without Origin", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, false},
		{"its own page", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}, true},
	} {
		if err := g.CheckOrigin(request("203.0.113.5:1", c.headers...)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if New(Options{Origins: []string{"*"}}).CheckOrigin(request("203.0.113.5:1", "Origin", "https://any.example")) != nil {
		t.Error("* does not allow all")
	}
}

func TestHold(t *testing.T) {
	g := New(Options{Rates: Rates{Streams: 2}})
	one, two := request("203.0.113.5:1"), request("203.0.113.6:1")
	release, err := g.Hold(one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Hold(one); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Hold(one); err == nil || problem.Of(err).Code() != "too_many_connections" || problem.Of(err).RetryAfter() == 0 {
		t.Errorf("the third stream: %v", err)
	}
	if _, err := g.Hold(two); err != nil {
		t.Errorf("another address pays for it: %v", err)
	}
	release()
	release() // once more does no harm
	if _, err := g.Hold(one); err != nil {
		t.Errorf("after one was released: %v", err)
	}
	if _, err := g.Hold(one); err == nil {
		t.Error("a release counted twice")
	}
}

func TestWrap(t *testing.T) {
	g := New(Options{Rates: Rates{Address: limit.Rate{PerSecond: 1, Burst: 1}, Read: limit.Rate{PerSecond: 1, Burst: 3}}})
	h := g.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("panic") {
			panic("a defect")
		}
	}))
	do := func(method, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := do("GET", "/?panic"); w.Code != 500 || !strings.Contains(w.Body.String(), `"internal"`) || strings.Contains(w.Body.String(), "defect") {
		t.Errorf("a panic: %d %s", w.Code, w.Body)
	}
	if w := do("POST", "/"); w.Code != 200 {
		t.Errorf("the first change: %d", w.Code)
	}
	if w := do("POST", "/"); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("the second change at once: %d", w.Code)
	}
	if w := do("GET", "/"); w.Code != 200 {
		t.Errorf("reading counts as changing: %d", w.Code)
	}
	if w := do("HEAD", "/"); w.Code != 200 {
		t.Errorf("the third read: %d", w.Code)
	}
	if w := do("GET", "/"); w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "reads from your address") {
		t.Errorf("the fourth read at once: %d %s", w.Code, w.Body)
	}
}
