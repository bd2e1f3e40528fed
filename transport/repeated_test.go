package transport

import (
	"bufio"
	"io"
	"maps"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/channel"
)

const chrome = " HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nCookie: parley=p1_abc; b=c\r\n\r\n"

// understood is what net/http and the query's parser make of a text, as the handlers do. It is nil for what is no poll.
func understood(text string) (*http.Request, *query) {
	in := bufio.NewReader(strings.NewReader(text))
	r, err := http.ReadRequest(in)
	if err != nil || r.Method != "GET" || r.ContentLength != 0 || !r.ProtoAtLeast(1, 1) {
		return nil, nil
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		return nil, nil // it goes on: what is served is not all of the text
	}
	var q query
	if r.URL.Path == "/v1/messages" {
		q, err = parseMany(r.URL.RawQuery)
	} else {
		q, err = parseOne("room:a", r.URL.RawQuery)
	}
	if err != nil {
		return nil, nil
	}
	return r, &q
}

func TestRepeatedRequests(t *testing.T) {
	one := "GET /v1/channels/room:a/messages?after=5-zz&wait=25" + chrome
	many := "GET /v1/messages?limit=5&channel=room:a@5-zz&channel=room:b%407&channel=room:c" + chrome
	tagged := strings.Replace(one, "\r\n\r\n", "\r\nif-none-match: \"5-zz\"\r\n\r\n", 1)
	for _, c := range []struct {
		name, first, then string
		fits              bool
	}{
		{"the same", one, one, true},
		{"another position", one, strings.Replace(one, "5-zz", "1234-abcdef", 1), true},
		{"the beginning", one, strings.Replace(one, "5-zz", "0", 1), true},
		{"the end", one, strings.Replace(one, "5-zz", "end", 1), false},
		{"no position", one, strings.Replace(one, "5-zz", "x", 1), false},
		{"nothing", one, strings.Replace(one, "5-zz", "", 1), false},
		{"a parameter in it", one, strings.Replace(one, "5-zz", "5-zz&limit=5", 1), false},
		{"another parameter", one, strings.Replace(one, "wait=25", "wait=26", 1), false},
		{"another channel", one, strings.Replace(one, "room:a", "room:b", 1), false},
		{"another person", one, strings.Replace(one, "p1_abc", "p1_abd", 1), false},
		{"another method", one, strings.Replace(one, "GET", "HEAD", 1), false},
		{"another header", one, strings.Replace(one, "\r\n\r\n", "\r\nX: y\r\n\r\n", 1), false},
		{"a header less", one, strings.Replace(one, "Accept: */*\r\n", "", 1), false},
		{"another protocol", one, strings.Replace(one, "1.1", "1.0", 1), false},
		{"two", one, one + one, false},
		{"half", one, one[:len(one)-2], false},
		{"a tag more", one, tagged, false},
		{"another tag", tagged, strings.Replace(tagged, `"5-zz"`, `W/"6-aa"`, 1), true},
		{"a line in the tag", tagged, strings.Replace(tagged, `"5-zz"`, "\"6\"\r\nX: y", 1), false},
		{"two tags", tagged, strings.Replace(tagged, `"5-zz"`, `"6", "7"`, 1), false},
		{"many", many, strings.NewReplacer("5-zz", "6", "407", "408-a").Replace(many), true},
		{"many, another channel", many, strings.Replace(many, "room:c", "room:d", 1), false},
		{"many, one more", many, strings.Replace(many, "&channel=room:c", "&channel=room:c@5", 1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, q := understood(c.first)
			p, secrets := learn(c.first, r, q)
			if p == nil {
				t.Fatal("nothing was learned")
			}
			starts := append([]start(nil), p.query.starts...)
			tag, fits := p.fits([]byte(c.then), secrets, starts, brought{})
			if fits != c.fits {
				t.Fatalf("it fits: %v", fits)
			}
			if !fits {
				return
			}
			r, q = understood(c.then)
			if !reflect.DeepEqual(starts, q.starts) || tag != r.Header.Get("If-None-Match") {
				t.Fatalf("got %v %q of %s", starts, tag, c.then)
			}
		})
	}
}

func TestWhatIsNotLearned(t *testing.T) {
	one := "GET /v1/channels/room:a/messages?after=5-zz&wait=25" + chrome
	for name, text := range map[string]string{
		"the past":         strings.Replace(one, "after=5-zz&wait=25", "before=5", 1),
		"the end":          strings.Replace(one, "5-zz", "end", 1),
		"a bare line feed": strings.Replace(one, "Accept: */*\r\n", "Accept: */*\n", 1),
		"lists of tags":    strings.Replace(one, "\r\n\r\n", "\r\nIf-None-Match: \"a\", \"b\"\r\n\r\n", 1),
		"two lists":        strings.Replace(one, "\r\n\r\n", "\r\nIf-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n\r\n", 1),
		"a folded line":    strings.Replace(one, "\r\n\r\n", "\r\nX: a\r\n b\r\n\r\n", 1),
		"a name in code":   strings.Replace("GET /v1/messages?%63hannel=room:a@5&channel=room:b@5"+chrome, "", "", 1),
	} {
		r, q := understood(text)
		if r == nil {
			t.Fatalf("%s: the test's own text is not a request", name)
		}
		if p, _ := learn(text, r, q); p != nil {
			t.Errorf("%s was learned: %q", name, p.text)
		}
	}
}

// Whatever fits a pattern, net/http understands as it understood the first, but for the positions and the tag, which are as fits says; and it
// ends where net/http thinks that it ends.
func FuzzRepeatedRequests(f *testing.F) {
	f.Add("GET /v1/channels/room:a/messages?after=5-zz&wait=25"+chrome, "6-ab", `"6-ab"`, "")
	f.Add("GET /v1/messages?channel=room:a@5&channel=room%3Ab%407&wait=0.5 HTTP/1.1\r\nHost: a\r\nIF-NONE-MATCH:\t\"a\"\r\nauthorization: Bearer x\r\n\r\n", "8", "*", "x")
	f.Add("GET http://a/v1/messages?channel=room:a@5 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", "end", "", "\r\n")
	f.Fuzz(func(t *testing.T, text, position, tag, behind string) {
		r, q := understood(text)
		if r == nil {
			return
		}
		p, secrets := learn(text, r, q)
		if p == nil {
			return
		}
		starts := append([]start(nil), p.query.starts...)
		if _, ok := p.fits([]byte(text), secrets, starts, brought{}); !ok || !reflect.DeepEqual(starts, q.starts) {
			t.Fatalf("%q does not fit itself: %v", text, starts)
		}
		var b strings.Builder
		rest := secrets
		for i, h := range p.holes {
			b.WriteString(p.text[i])
			switch h {
			case tagHole:
				b.WriteString(tag)
			case secretHole:
				value, others, _ := strings.Cut(rest, "\r")
				b.WriteString(value)
				rest = others
			default:
				b.WriteString(position)
			}
		}
		then := b.String() + p.text[len(p.holes)] + behind
		got, ok := p.fits([]byte(then), secrets, starts, brought{})
		if at, err := channel.ParsePosition(position); err == nil && at != channel.End { // it is the same for whom an answer has brought there
			again := append([]start(nil), p.query.starts...)
			tag, fits := p.fits([]byte(then), secrets, again, brought{at, `"` + at.String() + `"`})
			if fits != ok || ok && (tag != got || !reflect.DeepEqual(again, starts)) {
				t.Fatalf("%q: brought there %v %v %q, and otherwise %v %v %q", then, fits, again, tag, ok, starts, got)
			}
		}
		if !ok {
			return
		}
		r2, q2 := understood(then)
		if r2 == nil {
			t.Fatalf("%q fits, and is no poll", then)
		}
		if !reflect.DeepEqual(starts, q2.starts) || got != r2.Header.Get("If-None-Match") {
			t.Fatalf("%q is understood as %v %q", then, starts, got)
		}
		q.starts, q2.starts = nil, nil
		r.Header.Del("If-None-Match")
		r2.Header.Del("If-None-Match")
		if !reflect.DeepEqual(q, q2) || r.URL.Path != r2.URL.Path || r.Host != r2.Host || r.Close != r2.Close || !maps.EqualFunc(r.Header, r2.Header, func(a, b []string) bool { return reflect.DeepEqual(a, b) }) {
			t.Fatalf("%q is another request than %q", then, text)
		}
	})
}

// A pattern is kept once for all, and for as long as somebody has it.
func TestPatternsAreShared(t *testing.T) {
	var all patterns
	text := "GET /v1/channels/room:a/messages?after=5-zz&wait=25" + chrome
	of := func(text string) *pattern {
		r, q := understood(text)
		p, _ := learn(text, r, q)
		return all.shared(p)
	}
	first := of(text)
	if of(strings.NewReplacer("5-zz", "6", "p1_abc", "p1_d").Replace(text)) != first || of(strings.Replace(text, "wait=25", "wait=26", 1)) == first {
		t.Fatal("what differs in the holes alone is to be one")
	}
	if first.query.starts[0].name != channel.Name("room:a") {
		t.Fatal(first.query)
	}
	runtime.KeepAlive(first)
	first = nil
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		all.mu.Lock()
		n := len(all.all)
		all.mu.Unlock()
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d patterns that nobody has are kept", n)
		}
	}
}
