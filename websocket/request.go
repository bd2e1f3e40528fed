package websocket

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// parseRequest reads a request for a WebSocket from the beginning of p, n bytes long: a GET over HTTP/1.1 without a body, written in the plainest
// way. r is nil for everything else: what is not complete, not a WebSocket's, wrong, or only unusual. That is for net/http to read, so that no two
// readers of HTTP here ever disagree on where a request ends.
func parseRequest(p []byte, limit int) (r *http.Request, n int) {
	n = bytes.Index(p[:min(len(p), limit)], []byte("\r\n\r\n")) + 4
	if n < 4 || !bytes.HasPrefix(p, []byte("GET /")) {
		return nil, 0
	}
	head := string(p[:n-2])
	line, rest, _ := strings.Cut(head, "\r\n")
	target, ok := strings.CutSuffix(line[len("GET "):], " HTTP/1.1")
	if !ok || !isVisible(target) {
		return nil, 0
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, 0
	}
	r = &http.Request{
		Method: http.MethodGet, URL: u, RequestURI: target,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody,
	}
	if !parseHeader11(rest, r) || r.Host == "" || !hasToken(r.Header, "Upgrade", "websocket") {
		return nil, 0
	}
	return r, n
}

// parseHeader11 reads the lines of a header, each of which ends with CRLF.
func parseHeader11(lines string, r *http.Request) bool {
	count := strings.Count(lines, "\r\n")
	r.Header = make(http.Header, count)
	values := make([]string, count) // of all of them, in one piece of memory
	for i := range count {
		line, rest, _ := strings.Cut(lines, "\r\n")
		lines = rest
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return false // also a line that continues the one before
		}
		value = strings.Trim(value, " \t")
		if !isFieldValue(value) {
			return false
		}
		switch name = canonicalName(name); name {
		case "Host":
			if r.Host != "" || !isHost(value) {
				return false
			}
			r.Host = value
			continue
		case "Content-Length", "Transfer-Encoding", "Trailer", "Expect", "Pragma":
			if name != "Pragma" || value != "no-cache" {
				return false
			}
		}
		if before, ok := r.Header[name]; ok {
			r.Header[name] = append(before, value)
			continue
		}
		values[i] = value
		r.Header[name] = values[i : i+1 : i+1]
	}
	if _, ok := r.Header["Pragma"]; ok && r.Header["Cache-Control"] == nil {
		r.Header["Cache-Control"] = []string{"no-cache"} // as net/http has it (RFC 7234, section 5.4)
	}
	return true
}

// canonicalName is textproto.CanonicalMIMEHeaderKey, without allocating for what browsers send with a handshake.
func canonicalName(name string) string {
	switch name {
	case "Sec-WebSocket-Key":
		return "Sec-Websocket-Key"
	case "Sec-WebSocket-Version":
		return "Sec-Websocket-Version"
	case "Sec-WebSocket-Extensions":
		return extensionsHeader
	case "Sec-WebSocket-Protocol":
		return subprotocolHeader
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7F {
			return false
		}
	}
	return true
}

// isFieldValue reports whether s has no control characters but tabs (RFC 9110, section 5.5).
func isFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7F {
			return false
		}
	}
	return true
}

// isHost reports whether s has only what the names, addresses and ports of hosts are made of.
func isHost(s string) bool {
	for i := range len(s) {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		case b == '.' || b == '-' || b == ':' || b == '_' || b == '[' || b == ']':
		default:
			return false
		}
	}
	return s != ""
}
