package transport

import (
	"bytes"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"weak"

	"parley/channel"
	"parley/internal/plain"
)

// A client that polls sends the same request again and again, on one connection: byte for byte the last one, but for the positions
// that it names and the tag in If-None-Match, which say where it is by now. The first goes through net/http and all handlers. Then its text is kept, as a
// pattern with holes where those are, and what fits the pattern is known without being parsed: as the text is the same, so is
// everything that net/http, the handlers and negotiate made of it. What the text does not decide (whether the session goes on, the rights, the limits)
// is asked each time; see Regular.
//
// So no HTTP parser of our own is needed, which could understand a request otherwise than net/http does: that is how requests are smuggled.
// Equality decides. A hole takes only characters that mean nothing to a parser of requests, headers or URLs, so nothing in it can move a boundary.
// Whatever does not fit (another header or order, a body, two requests at once, half of one) is net/http's, with all its bytes.

// repeatedMost is how long a request may be that is recognised, in bytes: what net/http reads at once.
const repeatedMost = 4 << 10

// pattern is the text of a request with holes. Connections whose requests differ only in what is in the holes share one.
type pattern struct {
	text  []string // before, between and behind the holes
	holes []hole
	query query // starts has the positions that are not in holes
}

// hole is what may stand in one: a start's position, by its index; or
type hole int

const (
	tagHole    hole = -1 - iota // the value of If-None-Match, or
	secretHole                  // a value that tells who asks, which is each connection's own, and stays the same
)

// isOneHead reports whether the text is exactly one request's head, as far as where it ends is concerned.
func isOneHead(text string) bool {
	if !strings.HasPrefix(text, "GET ") || strings.Index(text, "\r\n\r\n") != len(text)-4 {
		return false
	}
	for i := range len(text) {
		if c := text[i]; c == 0 || c == '\n' && (i == 0 || text[i-1] != '\r') { // net/http takes LF alone for a line's end too
			return false
		}
	}
	return true
}

// learn makes a pattern of the text of the request r, which asked for q, and returns what this connection has in the secret holes. It is
// nil for a text that is not of this plain kind.
func learn(text string, r *http.Request, q *query) (p *pattern, secrets string) {
	target, headers, _ := strings.Cut(text, " HTTP/1.1\r\n")
	path, params, _ := strings.Cut(target, "?")
	if !isOneHead(text) || target != "GET "+r.RequestURI || q.history {
		return nil, ""
	}
	p = &pattern{query: *q}
	p.query.starts = slices.Clone(q.starts)
	m := mold{pattern: p, rest: text}
	m.at = len(path) + 1
	if !m.positions(params, q) {
		return nil, ""
	}
	m.at = len(target) + len(" HTTP/1.1\r\n")
	if !m.headers(headers, r.Header["If-None-Match"]) {
		return nil, ""
	}
	p.text = append(p.text, m.rest)
	return p, m.secrets
}

// mold makes a pattern while it goes through a text.
type mold struct {
	*pattern
	rest    string // behind the last hole
	cut     int    // where that is in the text
	at      int    // where we are in it
	secrets string
}

// hole makes one of what begins at i and has n bytes.
func (m *mold) hole(h hole, i, n int) {
	m.text, m.holes = append(m.text, m.rest[:i-m.cut]), append(m.holes, h)
	m.rest, m.cut = m.rest[i-m.cut+n:], i+n
}

// positions makes holes of those in the URL.
func (m *mold) positions(params string, q *query) bool {
	name := "after="
	if q.many {
		name = "channel="
	}
	found := 0
	for param := range strings.SplitSeq(params, "&") {
		if value, ok := strings.CutPrefix(param, name); ok {
			from := 0
			if q.many {
				from = max(strings.LastIndex(value, "@")+1, strings.LastIndex(value, "%40")+3)
				if !strings.Contains(value, "@") && !strings.Contains(value, "%40") {
					from = len(value)
				}
			}
			if found == len(q.starts) {
				return false
			}
			if text := value[from:]; len(text) > 0 && plain.IsDigit(text[0]) && run(text, inPosition) == len(text) {
				if at, err := channel.ParsePosition(text); err != nil || at != q.starts[found].after {
					return false
				}
				m.hole(hole(found), m.at+len(name)+from, len(text))
			}
			found++
		}
		m.at += len(param) + 1
	}
	for i, s := range q.starts {
		if s.after == channel.End && !slices.Contains(m.holes, hole(i)) {
			return false // the log would have to be asked each time
		}
	}
	return !q.many || found == len(q.starts) // else a name was written in another way
}

// headers makes holes of the values of If-None-Match, and of those that tell who asks.
func (m *mold) headers(lines string, listed []string) bool {
	if len(listed) > 1 {
		return false
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(lines, "\r\n\r\n"), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || name[0] == ' ' || name[0] == '\t' {
			return false
		}
		value = strings.TrimLeft(value, " \t")
		at := m.at + len(line) - len(value)
		switch strings.ToLower(name) {
		case "if-none-match":
			if value == "" || run(value, inTag) != len(value) || value != listed[0] {
				return false
			}
			m.hole(tagHole, at, len(value))
		case "authorization", "cookie":
			m.hole(secretHole, at, len(value))
			m.secrets += value + "\r"
		}
		m.at += len(line) + len("\r\n")
	}
	return true
}

// brought is the position to which an answer has brought a client, and its tag, which tells no other; "" if that is not known.
type brought struct {
	at  channel.Position
	tag string
}

// fits reports whether text is a request of this pattern with these secrets, most likely by a client who was brought somewhere. Then it has put the
// positions into starts, and returns the tag.
func (p *pattern) fits(text []byte, secrets string, starts []start, by brought) (tag string, ok bool) {
	for i, h := range p.holes {
		if text, ok = cutPrefix(text, p.text[i]); !ok {
			return "", false
		}
		n := 0
		switch h {
		case tagHole:
			n = run(text, inTag)
			if tag = by.tag; string(text[:n]) != tag {
				tag = string(text[:n])
			}
			ok = n > 0
		case secretHole:
			n = strings.IndexByte(secrets, '\r')
			ok = len(text) >= n && string(text[:n]) == secrets[:n]
			secrets = secrets[n+1:]
		default:
			if n = run(text, inPosition); n == 0 || !plain.IsDigit(text[0]) {
				return "", false
			}
			if len(by.tag) == n+2 && by.tag[1:n+1] == string(text[:n]) {
				starts[h].after = by.at
				break
			}
			var err error
			starts[h].after, err = channel.ParsePosition(string(text[:n]))
			ok = err == nil
		}
		if !ok {
			return "", false
		}
		text = text[n:]
	}
	return tag, string(text) == p.text[len(p.holes)]
}

func cutPrefix(text []byte, prefix string) ([]byte, bool) {
	if len(text) < len(prefix) || string(text[:len(prefix)]) != prefix {
		return nil, false
	}
	return text[len(prefix):], true
}

// run is how many bytes of text are of a kind, from its beginning.
func run[T string | []byte](text T, kind func(c byte) bool) int {
	n := 0
	for n < len(text) && kind(text[n]) {
		n++
	}
	return n
}

func inPosition(c byte) bool { return plain.IsDigit(c) || c >= 'a' && c <= 'z' || c == '-' }

func inTag(c byte) bool {
	return inPosition(c) || c >= 'A' && c <= 'Z' || c == '_' || c == '"' || c == '/'
}

// patterns are those in use, by their texts.
type patterns struct {
	mu  sync.Mutex
	all map[string]weak.Pointer[pattern]
}

// shared returns the pattern of which there is one already, or p.
func (s *patterns) shared(p *pattern) *pattern {
	key := p.key()
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.all[key].Value(); one != nil {
		return one
	}
	if s.all == nil {
		s.all = map[string]weak.Pointer[pattern]{}
	}
	s.all[key] = weak.Make(p)
	runtime.AddCleanup(p, s.forget, key)
	return p
}

// forget removes one that nobody has any more, unless it has been made again.
func (s *patterns) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[key].Value() == nil {
		delete(s.all, key)
	}
}

// key is the text with the holes; a text has no zero byte. What of the text is in no hole decides everything else.
func (p *pattern) key() string {
	var b bytes.Buffer
	for i, h := range p.holes {
		b.WriteString(p.text[i])
		b.Write([]byte{0, byte(h + 3)})
	}
	b.WriteString(p.text[len(p.holes)])
	return b.String()
}
