package websocket_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/websocket"
)

func TestClient_4_1_RequestIsAsTheRFCHasIt(t *testing.T) {
	s := rawListen(t)
	ctx := testContext(t)
	keys := map[string]bool{}
	for _, tc := range []struct{ path, target string }{
		{"", "/"}, {"/", "/"}, {"/chat", "/chat"}, {"/chat?a=b&c=%20d", "/chat?a=b&c=%20d"}, {"?x", "/?x"}, {"/a%2Fb", "/a%2Fb"},
	} {
		go func() {
			if c, _, err := websocket.Dial(ctx, "ws://"+s.addr+tc.path, nil); err == nil {
				c.CloseNow()
			}
		}()
		p, line, h := s.accept()
		p.nc.Close()
		if line != "GET "+tc.target+" HTTP/1.1" {
			t.Errorf("request line %q for %q", line, tc.path)
		}
		for name, want := range map[string]string{"Host": s.addr, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Version": "13"} {
			if got := h[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		for _, name := range []string{"Origin", "Sec-Websocket-Protocol", "Content-Length", "Transfer-Encoding"} {
			if h[name] != nil {
				t.Errorf("%s: %q", name, h[name])
			}
		}
		key := h["Sec-Websocket-Key"]
		if nonce, err := base64.StdEncoding.DecodeString(key[0]); len(key) != 1 || err != nil || len(nonce) != 16 || keys[key[0]] {
			t.Errorf("Sec-WebSocket-Key %q", key)
		}
		keys[key[0]] = true
	}
}

func TestClient_4_1_HeadersAndCredentialsAreSent(t *testing.T) {
	s := rawListen(t)
	s.addr = "ann:s3cret@" + s.addr
	ch := s.dial(&websocket.DialOptions{
		Header:       http.Header{"Origin": {"https://a.example"}, "Cookie": {"a=b"}, "host": {"other.example"}},
		Subprotocols: []string{"v2", "v1"},
	})
	p, _, h := s.accept()
	p.write(joinLines(append(responseLines(h), "Sec-WebSocket-Protocol: v1")))
	d := <-ch
	if d.err != nil || d.c.Subprotocol() != "v1" || d.resp.StatusCode != 101 {
		t.Fatal(d)
	}
	for name, want := range map[string]string{
		"Host": "other.example", "Origin": "https://a.example", "Cookie": "a=b", "Sec-Websocket-Protocol": "v2, v1",
		"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:s3cret")),
	} {
		if got := h[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestClient_3_BadAddressesAndOptionsAreRefused(t *testing.T) {
	for _, tc := range []struct {
		address string
		o       *websocket.DialOptions
		code    string
	}{
		{"http://127.0.0.1/", nil, "bad_url"},
		{"127.0.0.1:80", nil, "bad_url"},
		{"ws:///path", nil, "bad_url"},
		{"ws://127.0.0.1/#here", nil, "bad_url"},
		{"ws://%zz/", nil, "bad_url"},
		{"ws://127.0.0.1/", &websocket.DialOptions{Header: http.Header{"upgrade": {"x"}}}, "bad_option"},
		{"ws://127.0.0.1/", &websocket.DialOptions{Header: http.Header{"Sec-WebSocket-Key": {"x"}}}, "bad_option"},
		{"ws://127.0.0.1/", &websocket.DialOptions{Subprotocols: []string{"a b"}}, "bad_option"},
		{"ws://127.0.0.1/", &websocket.DialOptions{Subprotocols: []string{"a", "a"}}, "bad_option"},
	} {
		_, _, err := websocket.Dial(testContext(t), tc.address, tc.o)
		if e, ok := errors.AsType[*websocket.HandshakeError](err); !ok || e.Code != tc.code {
			t.Errorf("%q: %v", tc.address, err)
		}
	}
}

// answered dials and answers with the lines that change makes of the right ones.
func answered(t *testing.T, o *websocket.DialOptions, change func([]string) []string) dialed {
	t.Helper()
	s := rawListen(t)
	ch := s.dial(o)
	p, _, h := s.accept()
	p.write(joinLines(change(responseLines(h))))
	p.nc.Close()
	return <-ch
}

func TestClient_4_1_ResponseIsVerified(t *testing.T) {
	for name, change := range map[string]func([]string) []string{
		"status 200":       func(l []string) []string { return replaced(l, "HTTP/1.1", "HTTP/1.1 200 OK") },
		"status 400":       func(l []string) []string { return replaced(l, "HTTP/1.1", "HTTP/1.1 400 Bad Request") },
		"no Upgrade":       func(l []string) []string { return replaced(l, "Upgrade:") },
		"other Upgrade":    func(l []string) []string { return replaced(l, "Upgrade:", "Upgrade: websockets") },
		"no Connection":    func(l []string) []string { return replaced(l, "Connection:") },
		"other Connection": func(l []string) []string { return replaced(l, "Connection:", "Connection: close") },
		"no Accept":        func(l []string) []string { return replaced(l, "Sec-WebSocket-Accept:") },
		"wrong Accept": func(l []string) []string {
			return replaced(l, "Sec-WebSocket-Accept:", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
		},
		"Accept twice":      func(l []string) []string { return append(l, l[3]) },
		"unknown extension": func(l []string) []string { return append(l, "Sec-WebSocket-Extensions: permessage-deflate") },
		"unasked protocol":  func(l []string) []string { return append(l, "Sec-WebSocket-Protocol: v3") },
		"two protocols": func(l []string) []string {
			return append(l, "Sec-WebSocket-Protocol: v1", "Sec-WebSocket-Protocol: v2")
		},
		"protocol list":  func(l []string) []string { return append(l, "Sec-WebSocket-Protocol: v1, v2") },
		"empty protocol": func(l []string) []string { return append(l, "Sec-WebSocket-Protocol:") },
		"not HTTP":       func(l []string) []string { return []string{"SSH-2.0-OpenSSH"} },
		"endless header": func(l []string) []string { return append(l, "X: "+strings.Repeat("x", 100_000)) },
	} {
		t.Run(name, func(t *testing.T) {
			d := answered(t, &websocket.DialOptions{Subprotocols: []string{"v1", "v2"}}, change)
			e, ok := errors.AsType[*websocket.HandshakeError](d.err)
			if d.c != nil || !ok {
				t.Fatalf("got %v, want a HandshakeError", d.err)
			}
			if name == "unasked protocol" && !strings.Contains(e.Error(), "v3") {
				t.Fatalf("the text does not help: %v", e)
			}
		})
	}
}

func TestClient_4_1_ResponseTokensMayBeInAnyCase(t *testing.T) {
	d := answered(t, nil, func(l []string) []string {
		l = replaced(l, "Upgrade:", "UPGRADE: WebSocket")
		return replaced(l, "Connection:", "connection: keep-alive, uPGRADE")
	})
	if d.err != nil {
		t.Fatal(d.err)
	}
}

func TestClient_4_1_InformationalAnswersAreSkipped(t *testing.T) {
	d := answered(t, nil, func(l []string) []string {
		return append([]string{"HTTP/1.1 103 Early Hints", "Link: </x>", ""}, l...)
	})
	if d.err != nil {
		t.Fatal(d.err)
	}
}

func TestClient_4_1_RedirectIsNotFollowed(t *testing.T) {
	d := answered(t, nil, func([]string) []string {
		return []string{"HTTP/1.1 302 Found", "Location: ws://b.example/", "Content-Length: 0"}
	})
	e, ok := errors.AsType[*websocket.HandshakeError](d.err)
	if !ok || e.Code != "redirect" || e.Status != 302 || !strings.Contains(e.Text, "b.example") || d.resp.StatusCode != 302 {
		t.Fatal(d.err)
	}
}

func TestClient_4_1_BodyOfARefusalIsKept(t *testing.T) {
	d := answered(t, nil, func([]string) []string {
		return []string{"HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Basic", "Content-Length: 13", "", "no name given"}
	})
	if d.err == nil || d.resp == nil || d.resp.StatusCode != 401 || d.resp.Header.Get("Www-Authenticate") != "Basic" {
		t.Fatal(d)
	}
	if body, _ := io.ReadAll(d.resp.Body); string(body) != "no name given" {
		t.Fatalf("body %q", body)
	}
	d = answered(t, nil, func([]string) []string { // one without end
		return []string{"HTTP/1.1 500 Oops", "Content-Length: 1000000", "", strings.Repeat("x", 500_000)}
	})
	if body, _ := io.ReadAll(d.resp.Body); d.err == nil || len(body) == 0 || len(body) > 16<<10 {
		t.Fatal(d.err, len(body))
	}
}

func TestClient_4_1_BytesBehindTheResponseAreNotLost(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 1000)
	frames := append(rawFrame(fin|text, false, []byte("first"), 0), rawFrame(fin|text, false, []byte(big), 0)...)
	c, p := meet(t, nil, frames[:9000])
	p.write(frames[9000:])
	for _, want := range []string{"first", big} {
		if _, got, err := c.Read(testContext(t)); err != nil || string(got) != want {
			t.Fatalf("%.20q %v", got, err)
		}
	}
}

func TestClient_4_1_SilentServerIsLeft(t *testing.T) {
	s := rawListen(t)
	ch := s.dial(&websocket.DialOptions{HandshakeTimeout: 500 * time.Millisecond})
	s.accept()
	d := <-ch
	if e, ok := errors.AsType[*websocket.HandshakeError](d.err); !ok || e.Code != "timeout" || !errors.Is(d.err, context.DeadlineExceeded) {
		t.Fatal(d.err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error, 1)
	go func() {
		_, _, err := websocket.Dial(ctx, s.url(), nil)
		errs <- err
	}()
	s.accept()
	cancel()
	if err := await(t, errs); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestClient_4_1_RefusedConnectionIsAnError(t *testing.T) {
	s := rawListen(t)
	s.ln.Close()
	d := <-s.dial(nil)
	if e, ok := errors.AsType[*websocket.HandshakeError](d.err); !ok || e.Code != "connect" || d.resp != nil {
		t.Fatal(d.err)
	}
}

func TestClient_4_1_OneConnectingAtATimeWithAQueue(t *testing.T) {
	s := rawListen(t)
	o := &websocket.DialOptions{Queue: new(websocket.DialQueue)}
	first, second := s.dial(o), s.dial(o)
	p1, _, h1 := s.accept()
	accepted := make(chan struct{})
	var p2 *rawPeer
	var h2 textproto.MIMEHeader
	go func() {
		p2, _, h2 = s.accept()
		close(accepted)
	}()
	select {
	case <-accepted:
		t.Fatal("a second connection was begun while the first was connecting")
	case <-time.After(100 * time.Millisecond): // nothing to await: it must not happen
	}
	p1.write(joinLines(responseLines(h1)))
	<-accepted
	p2.write(joinLines(responseLines(h2)))
	for _, ch := range []<-chan dialed{first, second} {
		if d := <-ch; d.err != nil {
			t.Fatal(d.err)
		}
	}
	// A dial that gives up does not keep the turn.
	ch := s.dial(o)
	s.accept()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, _, err := websocket.Dial(ctx, s.url(), o); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	_ = ch
}

// proxyServer is an HTTP proxy that knows CONNECT.
func proxyServer(t *testing.T, status string, wantAuth string) (addr string, targets chan string) {
	ln := listen(t)
	t.Cleanup(func() { ln.Close() })
	targets = make(chan string, 10)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				p := &rawPeer{t: t, nc: nc, br: newReader(nc)}
				line, h := p.readRequest()
				targets <- line
				if got := h.Get("Proxy-Authorization"); got != wantAuth {
					t.Errorf("Proxy-Authorization %q", got)
				}
				fmt.Fprintf(nc, "HTTP/1.1 %s\r\n\r\n", status)
				if !strings.HasPrefix(status, "200") {
					return
				}
				up, err := net.Dial("tcp", strings.Fields(line)[1])
				if err != nil {
					t.Error(err)
					return
				}
				defer up.Close()
				go func() { io.Copy(up, p.br); up.Close() }()
				io.Copy(nc, up)
			}()
		}
	}()
	return ln.Addr().String(), targets
}

func TestClient_4_1_ProxyIsAskedToConnect(t *testing.T) {
	s := serve(t, nil, nil)
	addr, targets := proxyServer(t, "200 OK", "Basic "+base64.StdEncoding.EncodeToString([]byte("u:p")))
	ctx := testContext(t)
	c, _, err := websocket.Dial(ctx, s.url(), &websocket.DialOptions{Proxy: func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "http" {
			t.Errorf("the proxy function saw %v", r.URL)
		}
		return url.Parse("http://u:p@" + addr)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if line := <-targets; line != "CONNECT "+s.addr+" HTTP/1.1" {
		t.Fatalf("the proxy was asked %q", line)
	}
	roundTrip(ctx, t, c, 70_000)
}

func TestClient_4_1_ProxyThatRefusesIsAnError(t *testing.T) {
	addr, _ := proxyServer(t, "407 Proxy Authentication Required", "")
	for _, proxy := range []string{"http://" + addr, "gopher://" + addr} {
		_, resp, err := websocket.Dial(testContext(t), "ws://a.example/", &websocket.DialOptions{
			Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy) },
		})
		if e, ok := errors.AsType[*websocket.HandshakeError](err); !ok || e.Code != "connect" || resp != nil {
			t.Fatal(err)
		}
	}
}

func TestClient_4_1_NetDialIsUsed(t *testing.T) {
	s := serve(t, nil, nil)
	ctx := testContext(t)
	c, _, err := websocket.Dial(ctx, "ws://a.example:1234/x", &websocket.DialOptions{
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if network != "tcp" || addr != "a.example:1234" {
				t.Errorf("NetDial(%q, %q)", network, addr)
			}
			nc, err := new(net.Dialer).DialContext(ctx, network, s.addr)
			return struct{ net.Conn }{nc}, err // a type of its own, so not a raw socket
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, n := range []int{0, 1, 127, 128, 129, 4096, 100_000} {
		roundTrip(ctx, t, c, n)
	}
}

func TestClient_4_1_NothingIsSentBeforeTheAnswer(t *testing.T) {
	s := rawListen(t)
	ch := s.dial(&websocket.DialOptions{PingInterval: time.Millisecond})
	p, _, h := s.accept()
	p.nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // nothing to await: it must not happen
	if b, err := p.br.ReadByte(); err == nil {
		t.Fatalf("byte %#x came before the answer", b)
	}
	p.nc.SetReadDeadline(time.Now().Add(patience))
	p.write(joinLines(responseLines(h)))
	if d := <-ch; d.err != nil {
		t.Fatal(d.err)
	}
	if f := p.recv(); f.op != ping { // and from then on
		t.Fatal(f)
	}
}

func TestClient_4_1_UntrustedCertificateIsRefused(t *testing.T) {
	hs := httptest.NewUnstartedServer(http.NotFoundHandler())
	hs.Config.ErrorLog = log.New(io.Discard, "", 0)
	hs.StartTLS()
	defer hs.Close()
	_, _, err := websocket.Dial(testContext(t), "wss"+strings.TrimPrefix(hs.URL, "https"), nil)
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Fatal(e, err)
	}
}
