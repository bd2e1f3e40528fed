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

// What requestReader accepts, net/http reads as the same request, with the same end.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(plainRequest + "\x81\x80"))
	f.Add([]byte(strings.Replace(plainRequest, "X-Empty:", "Content-Length: 5", 1)))
	f.Add([]byte(strings.Replace(plainRequest, "X-Empty:", "Transfer-Encoding: chunked", 1)))
	f.Add([]byte(strings.Replace(plainRequest, "X-Empty:", " folded: yes", 1)))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, n := (&requestReader{limit: 16 << 10, whole: true}).read(in)
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
	if r, n := (&requestReader{limit: 16 << 10, whole: true}).read([]byte(plainRequest + "behind")); r == nil || n != len(plainRequest) || len(r.Header["Cookie"]) != 2 || r.URL.Path != "/chat" {
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
		if r, _ := (&requestReader{limit: 16 << 10, whole: true}).read([]byte(in)); r != nil {
			t.Errorf("%s was read here: %+v", name, r)
		}
	}
	if r, _ := (&requestReader{limit: len(plainRequest) - 1, whole: true}).read([]byte(plainRequest)); r != nil {
		t.Error("a request over the limit was read here")
	}
}

// What is read only for the rules has of the whole request what they look at.
func FuzzParseRequest_ForTheRulesAlone(f *testing.F) {
	f.Add([]byte(plainRequest + "\x81\x80"))
	f.Add([]byte(strings.Replace(plainRequest, "X-Empty:", "Origin: http://example.com\r\nORIGIN: null", 1)))
	f.Add([]byte(strings.Replace(plainRequest, "/chat?x=%20", "/ch%20at?x", 1)))
	part := requestReader{limit: 16 << 10}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole := requestReader{limit: 16 << 10, whole: true}
		r, n := part.read(in)
		want, wantN := whole.read(in)
		if (r == nil) != (want == nil) || n != wantN {
			t.Fatalf("%v %d, wholly %v %d", r, n, want, wantN)
		}
		if r == nil {
			return
		}
		if r.Host != want.Host || r.URL.Path != want.URL.Path || r.RequestURI != want.RequestURI {
			t.Fatalf("%+v\nwholly\n%+v", r, want)
		}
		for name, values := range want.Header {
			if _, judged := canonicalName(name); judged && !reflect.DeepEqual(r.Header[name], values) {
				t.Fatalf("%s: %q, wholly %q", name, r.Header[name], values)
			}
		}
	})
}
