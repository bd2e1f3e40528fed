package websocket

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// requestReader reads requests for a WebSocket. Unless the whole of them is wanted, the header that it hands out has only what the rules of the
// handshake look at, the URL only the path, and both are valid until the next call: what nobody asks for need not be made.
type requestReader struct {
	limit int // bytes of a request
	whole bool

	request http.Request
	url     url.URL
	header  http.Header
	values  []string
}

// read reads a request from the beginning of p, n bytes long: a GET over HTTP/1.1 without a body, written in the plainest way. r is nil for
// everything else: what is not complete, not a WebSocket's, wrong, or only unusual. That is for net/http to read, so that no two readers of HTTP
// here ever disagree on where a request ends.
func (q *requestReader) read(p []byte) (r *http.Request, n int) {
	n = bytes.Index(p[:min(len(p), q.limit)], []byte("\r\n\r\n")) + 4
	if n < 4 || !bytes.HasPrefix(p, []byte("GET /")) {
		return nil, 0
	}
	head := string(p[:n-2])
	line, lines, _ := strings.Cut(head, "\r\n")
	target, ok := strings.CutSuffix(line[len("GET "):], " HTTP/1.1")
	if !ok || !isVisible(target) {
		return nil, 0
	}
	q.begin(lines)
	q.request = http.Request{
		Method: http.MethodGet, URL: q.parseTarget(target), RequestURI: target,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: q.header, Body: http.NoBody,
	}
	r = &q.request
	if r.URL == nil || !q.parseHeader(lines) || r.Host == "" || !hasToken(r.Header, "Upgrade", "websocket") {
		return nil, 0
	}
	return r, n
}

// begin makes room for the header.
func (q *requestReader) begin(lines string) {
	switch {
	case q.whole:
		count := strings.Count(lines, "\n")
		q.header = make(http.Header, count)
		q.values = make([]string, 0, count) // of all of them, in one piece of memory
	case q.header == nil:
		q.header = make(http.Header, judgedHeaders)
		q.values = make([]string, 0, judgedHeaders)
	default:
		clear(q.header)
		q.values = q.values[:0]
	}
}

// parseTarget returns nil for a target that is none.
func (q *requestReader) parseTarget(target string) *url.URL {
	if !q.whole && strings.IndexByte(target, '%') < 0 { // nothing else can be wrong
		q.url.Path, _, _ = strings.Cut(target, "?")
		return &q.url
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil
	}
	return u
}

// parseHeader reads the lines of a header, each of which ends with CRLF.
func (q *requestReader) parseHeader(lines string) bool {
	header, host := q.header, &q.request.Host
	for lines != "" {
		end := strings.IndexByte(lines, '\r')
		if lines[end+1] != '\n' { // there is one more byte, as lines end with CRLF
			return false
		}
		line := lines[:end]
		lines = lines[end+2:]
		colon := strings.IndexByte(line, ':')
		if colon < 0 || !isToken(line[:colon]) {
			return false // also a line that continues the one before
		}
		value := trimSpace(line[colon+1:])
		if !isFieldValue(value) {
			return false
		}
		name, judged := canonicalName(line[:colon])
		switch name {
		case "Host":
			if *host != "" || !isHost(value) {
				return false
			}
			*host = value
			continue
		case "Content-Length", "Transfer-Encoding", "Trailer", "Expect", "Pragma":
			if name != "Pragma" || value != "no-cache" {
				return false
			}
		}
		if !judged && !q.whole {
			continue
		}
		if before, ok := header[name]; ok {
			header[name] = append(before, value)
			continue
		}
		q.values = append(q.values, value)
		last := len(q.values)
		header[name] = q.values[last-1 : last : last]
	}
	if _, ok := header["Pragma"]; ok && header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"no-cache"} // as net/http has it (RFC 7234, section 5.4)
	}
	return true
}

// judgedHeaders is how many different headers the rules of the handshake look at, beside Host.
const judgedHeaders = 7

// canonicalName is textproto.CanonicalMIMEHeaderKey, without allocating for what browsers send with a handshake. It also tells whether the rules of the
// handshake look at the header.
func canonicalName(name string) (canonical string, judged bool) {
	switch name {
	case "Upgrade", "Connection", "Origin":
		return name, true
	case "Host", "User-Agent", "Accept-Encoding", "Accept-Language", "Cache-Control", "Pragma", "Cookie":
		return name, false
	case "Sec-WebSocket-Key":
		return "Sec-Websocket-Key", true
	case "Sec-WebSocket-Version":
		return "Sec-Websocket-Version", true
	case "Sec-WebSocket-Extensions":
		return extensionsHeader, true
	case "Sec-WebSocket-Protocol":
		return subprotocolHeader, true
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Upgrade", "Connection", "Origin", "Sec-Websocket-Key", "Sec-Websocket-Version", extensionsHeader, subprotocolHeader:
		return name, true
	}
	return name, false
}

// trimSpace drops spaces and tabs around a value.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
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
