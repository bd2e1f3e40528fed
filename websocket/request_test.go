package websocket

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const plainRequest = "GET /chat?x=%20 HTTP/1.1\r\nHost: example.com:80\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nPragma: no-cache\r\n" +
	"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nCookie: a=b\r\nCookie: c=d\r\nX-Empty:\r\n\r\n"

// What parseRequest accepts, net/http reads as the same request, with the same end.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(plainRequest + "\x81\x80"))
	f.Add([]byte(strings.Replace(plainRequest, "X-Empty:", "Content-Length: 5", 1)))
	f.Add([]byte(strings.Replace(plainRequest, "X-Empty:", "Transfer-Encoding: chunked", 1)))
	f.Add([]byte(strings.Replace(plainRequest, "X-Empty:", " folded: yes", 1)))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, n := parseRequest(in, 16<<10)
		if r == nil {
			return
		}
		behind := bytes.NewReader(in)
		br := bufio.NewReader(behind)
		want, err := http.ReadRequest(br)
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		if read := len(in) - behind.Len() - br.Buffered(); read != n {
			t.Fatalf("it ends after %d bytes, for net/http after %d", n, read)
		}
		if body, err := io.ReadAll(want.Body); len(body) > 0 || err != nil || want.ContentLength != 0 || want.TransferEncoding != nil {
			t.Fatalf("it has a body for net/http: %q %v", body, err)
		}
		if r.Method != want.Method || r.RequestURI != want.RequestURI || r.Host != want.Host || r.Proto != want.Proto || !reflect.DeepEqual(r.URL, want.URL) {
			t.Fatalf("%+v\nnet/http has\n%+v", r, want)
		}
		if !reflect.DeepEqual(r.Header, want.Header) {
			t.Fatalf("%q\nnet/http has\n%q", r.Header, want.Header)
		}
	})
}

func TestParseRequest_OnlyThePlainestIsRead(t *testing.T) {
	if r, n := parseRequest([]byte(plainRequest+"behind"), 16<<10); r == nil || n != len(plainRequest) || len(r.Header["Cookie"]) != 2 || r.URL.Path != "/chat" {
		t.Fatalf("%+v %d", r, n)
	}
	with := func(old, new string) string { return strings.Replace(plainRequest, old, new, 1) }
	for name, in := range map[string]string{
		"part of a request":          plainRequest[:len(plainRequest)-1],
		"another method":             with("GET", "PUT"),
		"HTTP/1.0":                   with("HTTP/1.1", "HTTP/1.0"),
		"an absolute target":         with("/chat", "http://example.com/chat"),
		"a space in the target":      with("/chat", "/ch at"),
		"a bad escape":               with("/chat", "/ch%zz"),
		"no Host":                    with("Host:", "Hose:"),
		"an empty Host":              with(" example.com:80", ""),
		"two Hosts":                  with("Cookie: a=b", "Host: example.com:80"),
		"no upgrade":                 with("Upgrade: websocket", "Upgrade: h2c"),
		"a length":                   with("X-Empty:", "Content-Length: 0"),
		"an encoding":                with("X-Empty:", "transfer-encoding: chunked"),
		"an expectation":             with("X-Empty:", "Expect: 100-continue"),
		"a folded line":              with("X-Empty:", " folded: yes"),
		"a space before the colon":   with("X-Empty:", "X-Empty :"),
		"a bare line feed":           with("X-Empty:", "X-Empty: a\nContent-Length: 5"),
		"a bare carriage return":     with("X-Empty:", "X-Empty: a\rb"),
		"a zero byte":                with("a=b", "a=\x00b"),
		"a name that is none":        with("X-Empty", "X(Empty)"),
		"a line without colon":       with("X-Empty:", "X-Empty"),
		"a host that is not a host":  with("example.com:80", "example.com/"),
		"an empty line at the start": "\r\n" + plainRequest,
	} {
		if r, _ := parseRequest([]byte(in), 16<<10); r != nil {
			t.Errorf("%s was read here: %+v", name, r)
		}
	}
	if r, _ := parseRequest([]byte(plainRequest), len(plainRequest)-1); r != nil {
		t.Error("a request over the limit was read here")
	}
}
