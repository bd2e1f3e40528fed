package websocket_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/websocket"
)

func wantAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// refused sends the handshake and wants the status, a text, and the same in Accept's error.
func refused(t *testing.T, s *server, lines []string, status int) (h http.Header, body string) {
	t.Helper()
	p := s.dialTCP()
	p.write(joinLines(lines))
	got, mh, body := p.readResponse()
	if got != status {
		t.Fatalf("%q was answered with %d %q, want %d", lines, got, body, status)
	}
	if strings.TrimSpace(body) == "" {
		t.Fatalf("status %d has no text", status)
	}
	e, ok := errors.AsType[*websocket.HandshakeError](s.end())
	if !ok || e.Status != status || e.Code == "" {
		t.Fatalf("Accept returned %v, want a HandshakeError with status %d", e, status)
	}
	return http.Header(mh), body
}

func TestServer_4_2_2_HandshakeIsAnsweredAsInTheExample(t *testing.T) {
	s := serve(t, nil, nil)
	p := s.dialTCP()
	p.write(joinLines(s.requestLines()))
	status, h, _ := p.readResponse()
	if status != 101 || !strings.EqualFold(h.Get("Upgrade"), "websocket") || !strings.EqualFold(h.Get("Connection"), "upgrade") {
		t.Fatalf("%d %v", status, h)
	}
	if got := h["Sec-Websocket-Accept"]; len(got) != 1 || got[0] != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("Sec-WebSocket-Accept %q", got)
	}
	for _, name := range []string{"Sec-Websocket-Protocol", "Sec-Websocket-Extensions"} {
		if h[name] != nil {
			t.Fatalf("%s was not asked for: %q", name, h[name])
		}
	}
	p.send(fin|text, "Hello")
	p.expect(text, "Hello")
}

func TestServer_4_2_1_TokensInListsAndAnyCaseAreAccepted(t *testing.T) {
	s := serve(t, nil, nil)
	lines := replaced(s.requestLines(), "Upgrade:", "uPGRADE: h2c, WebSocket")
	lines = replaced(lines, "Connection:", "connection: keep-alive, x", "CONNECTION: foo,uPgRaDe")
	p := s.dialTCP()
	p.write(joinLines(lines))
	if status, _, body := p.readResponse(); status != 101 {
		t.Fatal(status, body)
	}
}

func TestServer_4_2_1_MethodOtherThanGetIsRefused405(t *testing.T) {
	s := serve(t, nil, nil)
	h, _ := refused(t, s, replaced(s.requestLines(), "GET", "POST /chat HTTP/1.1", "Content-Length: 0"), 405)
	if h.Get("Allow") != "GET" {
		t.Fatalf("Allow %q", h.Get("Allow"))
	}
}

func TestServer_4_2_1_HTTP10IsRefused400(t *testing.T) {
	s := serve(t, nil, nil)
	refused(t, s, replaced(s.requestLines(), "GET", "GET /chat HTTP/1.0"), 400)
}

func TestServer_4_2_1_HostIsNeeded(t *testing.T) {
	s := serve(t, nil, nil)
	p := s.dialTCP() // net/http itself refuses this one before any handler
	p.write(joinLines(replaced(s.requestLines(), "Host:")))
	if status, _, _ := p.readResponse(); status != 400 {
		t.Fatal(status)
	}
	p = s.dialTCP()
	p.write(joinLines(replaced(s.requestLines(), "Host:", "Host:")))
	if status, _, _ := p.readResponse(); status != 400 {
		t.Fatal(status)
	}
}

func TestServer_4_2_1_UpgradeHeaderIsNeeded(t *testing.T) {
	s := serve(t, nil, nil)
	refused(t, s, replaced(s.requestLines(), "Upgrade:"), 400)
	refused(t, s, replaced(s.requestLines(), "Upgrade:", "Upgrade: websockets"), 400)
	refused(t, s, replaced(s.requestLines(), "Upgrade:", "Upgrade: web, socket"), 400)
}

func TestServer_4_2_1_ConnectionHeaderIsNeeded(t *testing.T) {
	s := serve(t, nil, nil)
	refused(t, s, replaced(s.requestLines(), "Connection:"), 400)
	refused(t, s, replaced(s.requestLines(), "Connection:", "Connection: keep-alive"), 400)
}

func TestServer_4_2_1_KeyMustBeOneOf16Bytes(t *testing.T) {
	s := serve(t, nil, nil)
	for _, with := range [][]string{
		{},
		{"Sec-WebSocket-Key:"},
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"},              // 15 bytes
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE="},          // 17 bytes
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"},            // no padding
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="},          // trailing bits
		{"Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ=="},          // not base64
		{"Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ=="},         // a space
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, another"}, // a list
		{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="},
	} {
		refused(t, s, replaced(s.requestLines(), "Sec-WebSocket-Key:", with...), 400)
	}
}

func TestServer_4_2_1_VersionIsNeeded(t *testing.T) {
	s := serve(t, nil, nil)
	refused(t, s, replaced(s.requestLines(), "Sec-WebSocket-Version:"), 400)
	refused(t, s, replaced(s.requestLines(), "Sec-WebSocket-Version:", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13"), 400)
}

func TestServer_4_4_OtherVersionIsRefused426WithOurs(t *testing.T) {
	s := serve(t, nil, nil)
	for _, version := range []string{"8", "0", "25", "013", "13.0", "x", "13, 8", ""} {
		h, _ := refused(t, s, replaced(s.requestLines(), "Sec-WebSocket-Version:", "Sec-WebSocket-Version: "+version), 426)
		if got := h["Sec-Websocket-Version"]; len(got) != 1 || got[0] != "13" {
			t.Fatalf("version %q: Sec-WebSocket-Version %q", version, got)
		}
		if h.Get("Upgrade") != "websocket" {
			t.Fatalf("Upgrade %q", h.Get("Upgrade"))
		}
	}
}

func TestServer_4_2_1_BodyIsRefused(t *testing.T) {
	s := serve(t, nil, nil)
	refused(t, s, append(s.requestLines(), "Content-Length: 5"), 400)
	refused(t, s, append(s.requestLines(), "Transfer-Encoding: chunked"), 400)
}

func TestServer_4_2_2_ForeignOriginIsRefused403(t *testing.T) {
	s := serve(t, nil, nil)
	_, body := refused(t, s, append(s.requestLines(), "Origin: https://evil.example"), 403)
	if !strings.Contains(body, "evil.example") || !strings.Contains(body, "OriginPatterns") {
		t.Fatalf("the text does not help: %q", body)
	}
	refused(t, s, append(s.requestLines(), "Origin: null"), 403)
	refused(t, s, append(s.requestLines(), "Origin: http://"+s.addr, "Origin: http://"+s.addr), 403)
	p := s.dialTCP()
	p.write(joinLines(append(s.requestLines(), "Origin: http://"+strings.ToUpper(s.addr))))
	if status, _, body := p.readResponse(); status != 101 {
		t.Fatal("its own host was refused:", body)
	}
}

func TestServer_4_2_2_OriginPatterns(t *testing.T) {
	for _, tc := range []struct {
		host, origin string
		patterns     []string
		ok           bool
	}{
		{"a.example", "https://a.example", nil, true},
		{"a.example", "https://a.example:443", nil, true},
		{"a.example:443", "https://a.example", nil, true},
		{"a.example:80", "http://a.example", nil, true},
		{"a.example", "https://a.example:8443", nil, false},
		{"a.example", "https://b.example", nil, false},
		{"a.example", "https://a.example.evil.example", nil, false},
		{"a.example", "https://b.example", []string{"*"}, true},
		{"a.example", "null", []string{"*"}, true},
		{"a.example", "null", []string{"null"}, true},
		{"a.example", "null", []string{"*.example"}, false},
		{"a.example", "https://b.example", []string{"B.example"}, true},
		{"a.example", "https://b.example:8443", []string{"b.example"}, false},
		{"a.example", "https://b.example:8443", []string{"b.example:*"}, true},
		{"a.example", "http://localhost:5173", []string{"localhost:*"}, true},
		{"a.example", "https://x.b.example", []string{"*.b.example"}, true},
		{"a.example", "https://b.example", []string{"*.b.example"}, false},
		{"a.example", "http://b.example", []string{"https://b.example"}, false},
		{"a.example", "https://b.example", []string{"https://b.example"}, true},
		{"a.example", "https://evil.example/.b.example", []string{"*.b.example"}, false},
		{"a.example", "https://b.example", []string{"[", "b.example"}, true},
		{"a.example", "://", []string{"b.example"}, false},
		{"a.example", "", nil, false},
	} {
		r := httptest.NewRequest("GET", "http://x/", nil)
		r.Host = tc.host
		r.Header = http.Header{
			"Origin": {tc.origin}, "Upgrade": {"websocket"}, "Connection": {"upgrade"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		w := httptest.NewRecorder()
		_, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: tc.patterns})
		e, _ := errors.AsType[*websocket.HandshakeError](err)
		if passed := e.Code == "no_hijack"; passed != tc.ok || (!tc.ok && (e.Code != "origin" || w.Code != 403)) {
			t.Errorf("host %q, origin %q, patterns %q: %v", tc.host, tc.origin, tc.patterns, err)
		}
	}
}

func TestServer_4_2_2_CheckOriginDecidesAlone(t *testing.T) {
	s := serve(t, &websocket.AcceptOptions{CheckOrigin: func(r *http.Request) error {
		if r.Header.Get("Origin") == "https://b.example" {
			return nil
		}
		return errors.New("only b")
	}}, nil)
	p := s.dialTCP()
	p.write(joinLines(append(s.requestLines(), "Origin: https://b.example")))
	if status, _, _ := p.readResponse(); status != 101 {
		t.Fatal(status)
	}
	refused(t, s, append(s.requestLines(), "Origin: http://"+s.addr), 403)
}

func TestServer_4_2_2_SubprotocolIsOneThatWasOffered(t *testing.T) {
	s := serve(t, &websocket.AcceptOptions{Subprotocols: []string{"v2", "v1"}}, nil)
	for _, tc := range []struct {
		offer []string
		want  string
	}{
		{nil, ""},
		{[]string{"Sec-WebSocket-Protocol: v1"}, "v1"},
		{[]string{"Sec-WebSocket-Protocol: v1, v2"}, "v2"},
		{[]string{"Sec-WebSocket-Protocol: v0,v1", "Sec-WebSocket-Protocol: v3"}, "v1"},
		{[]string{"Sec-WebSocket-Protocol: V1"}, ""}, // names are case-sensitive
		{[]string{"Sec-WebSocket-Protocol: other"}, ""},
	} {
		p := s.dialTCP()
		p.write(joinLines(append(s.requestLines(), tc.offer...)))
		status, h, _ := p.readResponse()
		got, has := h["Sec-Websocket-Protocol"]
		if status != 101 || has != (tc.want != "") || (has && (len(got) != 1 || got[0] != tc.want)) {
			t.Fatalf("offer %q: %d, %q", tc.offer, status, got)
		}
		if c := <-s.conns; c.Subprotocol() != tc.want {
			t.Fatalf("Subprotocol %q, want %q", c.Subprotocol(), tc.want)
		}
	}
}

func TestServer_4_2_1_SubprotocolOfferMustBeDifferentTokens(t *testing.T) {
	s := serve(t, nil, nil)
	for _, offer := range []string{"", "a b", "a,,b", "a, a", "a;b", "\"a\"", "é"} {
		refused(t, s, append(s.requestLines(), "Sec-WebSocket-Protocol: "+offer), 400)
	}
}

func TestServer_9_1_UnknownExtensionsAreDeclined(t *testing.T) {
	s := serve(t, nil, nil)
	p := s.dialTCP()
	p.write(joinLines(append(s.requestLines(),
		`Sec-WebSocket-Extensions: foo, bar; baz=2; q="x\y"`, "Sec-WebSocket-Extensions: bar; baz")))
	status, h, _ := p.readResponse()
	if status != 101 || h["Sec-Websocket-Extensions"] != nil {
		t.Fatal(status, h)
	}
}

func TestServer_9_1_MalformedExtensionsAreRefused(t *testing.T) {
	s := serve(t, nil, nil)
	for _, value := range []string{"", ",", "foo,", "foo;", "foo bar", "foo; =1", "foo; a=", `foo; a="b c"`, `foo; a="b`, `foo; a="b\`, "@"} {
		refused(t, s, append(s.requestLines(), "Sec-WebSocket-Extensions: "+value), 400)
	}
}

func TestServer_4_2_2_HeadersOfTheHandlerAreSent(t *testing.T) {
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header().Set("X-Split", "a\r\nEvil: yes")
		w.Header().Set("Sec-WebSocket-Extensions", "foo")
		w.Header().Set("Content-Length", "5")
		if c, err := websocket.Accept(w, r, nil); err == nil {
			defer c.CloseNow()
			echo(r.Context(), c)
		}
	}))
	defer hs.Close()
	s := &server{t: t, addr: hs.Listener.Addr().String()}
	p := s.dialTCP()
	p.write(joinLines(s.requestLines()))
	status, h, _ := p.readResponse()
	if status != 101 || h.Get("Set-Cookie") != "a=b" || h.Get("Evil") != "" || h["Sec-Websocket-Extensions"] != nil || h["Content-Length"] != nil {
		t.Fatal(status, h)
	}
}

func TestServer_4_2_2_BytesBehindTheRequestAreNotLost(t *testing.T) {
	s := serve(t, nil, nil)
	big := strings.Repeat("0123456789abcdef", 1000)
	first := rawFrame(fin|text, true, []byte("first"), 0)
	second := rawFrame(fin|text, true, []byte(big), 0)
	p := s.open(first, second[:9000])
	p.expect(text, "first")
	p.write(second[9000:])
	p.expect(text, big)
}

func TestServer_HTTP2IsRefused505(t *testing.T) {
	hs := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := websocket.Accept(w, r, nil); err == nil {
			t.Error("a WebSocket over HTTP/2")
		}
	}))
	hs.EnableHTTP2 = true
	hs.StartTLS()
	defer hs.Close()
	resp, err := hs.Client().Get(hs.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != 505 {
		t.Fatal(resp.Proto, resp.Status)
	}
}

func TestServer_WithoutHijackIsRefused500(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = http.Header{
		"Upgrade": {"websocket"}, "Connection": {"upgrade"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	w := httptest.NewRecorder()
	_, err := websocket.Accept(w, r, nil)
	if e, ok := errors.AsType[*websocket.HandshakeError](err); !ok || e.Code != "no_hijack" || w.Code != 500 {
		t.Fatal(err, w.Code)
	}
	if _, err := websocket.Accept(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), nil); err == nil {
		t.Fatal("an ordinary request was accepted")
	}
}

func TestIsUpgrade(t *testing.T) {
	for _, tc := range []struct {
		connection, upgrade []string
		want                bool
	}{
		{[]string{"Upgrade"}, []string{"websocket"}, true},
		{[]string{"keep-alive, UPGRADE"}, []string{"WebSocket"}, true},
		{[]string{"keep-alive", "upgrade"}, []string{"h2c, websocket"}, true},
		{[]string{"keep-alive"}, []string{"websocket"}, false},
		{[]string{"upgrade"}, []string{"h2c"}, false},
		{[]string{"upgrades"}, []string{"websocket"}, false},
		{nil, nil, false},
	} {
		r := &http.Request{Header: http.Header{"Connection": tc.connection, "Upgrade": tc.upgrade}}
		if got := websocket.IsUpgrade(r); got != tc.want {
			t.Errorf("%v: %v", tc, got)
		}
	}
}

func TestServer_10_6_ConnectionWorksOverTLS(t *testing.T) {
	hs := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			defer c.CloseNow()
			echo(r.Context(), c)
		}
	}))
	defer hs.Close()
	config := hs.Client().Transport.(*http.Transport).TLSClientConfig
	ctx := testContext(t)
	c, _, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(hs.URL, "https"), &websocket.DialOptions{TLSClientConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, n := range []int{0, 1, 125, 126, 127, 128, 129, 4095, 65535, 65536, 500_000} {
		roundTrip(ctx, t, c, n)
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
}

func roundTrip(ctx context.Context, t *testing.T, c *websocket.Conn, n int) {
	t.Helper()
	want := strings.Repeat("x", n)
	if err := c.Write(ctx, websocket.MessageText, []byte(want)); err != nil {
		t.Fatal(n, err)
	}
	kind, got, err := c.Read(ctx)
	if err != nil || kind != websocket.MessageText || string(got) != want {
		t.Fatal(n, kind, len(got), err)
	}
}
