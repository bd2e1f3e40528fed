package transport

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"parley/problem"
)

// isProblem fails for an error that a client could not be shown.
func isProblem(t *testing.T, err error) {
	t.Helper()
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Status() != http.StatusBadRequest {
		t.Fatalf("got %v", err)
	}
}

func FuzzQuery(f *testing.F) {
	for _, raw := range []string{
		"", "after=0", "after=42-abc&wait=25", "before=end&limit=50", "limit=1000&wait=60", "wait=NaN", "wait=.", "wait=0.5.5", "after=1&after=2",
		"channel=room:a@1-z&channel=room:b", "channel=room:a@", "channel=room:a&channel=room:a", "%zz", "a;b", "limit=00001", "wait=1e5",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		check := func(q query, err error) {
			t.Helper()
			switch {
			case err != nil:
				isProblem(t, err)
			case q.limit < 1 || q.limit > MaxLimit || q.wait < 0 || q.wait > MaxWait || len(q.starts) < 1 || len(q.starts) > MaxChannels:
				t.Fatalf("%q gives %+v", raw, q)
			}
		}
		check(parseOne("room:a", raw))
		check(parseMany(raw))
	})
}

func FuzzCommand(f *testing.F) {
	for _, text := range []string{
		`{"op":"subscribe","ref":1,"channel":"room:a","after":"0"}`, `{"op":"publish","ref":"x","channel":"room:a","id":"k","type":"text","data":null}`,
		`{"op":"ping","ref":-1.5e3}`, `{"op":"ping","ref":null}`, `{"op":"ping","ref":{"a":1}}`, `{"op":`, `[]`, `{"ref":"\ud800"}`, `{"OP":"ping"}`, "\xff",
		`{"op":"signal","channel":"room:a","type":"typing","data":{}}`, `{"op":"unsubscribe","channel":"room:a"}`, `{"op":"dance","ref":true}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCommand(data)
		if err != nil {
			isProblem(t, err)
		} else if _, known := fields[c.Op]; !known {
			t.Fatalf("%q is taken for a command", data)
		}
		// Whatever was sent, its ref can be given back.
		if c.Ref != nil {
			if reply, err := json.Marshal(map[string]json.RawMessage{"ref": c.Ref}); err != nil || len(c.Ref) > maxRef {
				t.Fatalf("%q has the ref %q: %s, %v", data, c.Ref, reply, err)
			}
		}
	})
}

func FuzzIfNoneMatch(f *testing.F) {
	for _, header := range []string{`"1-a"`, `W/"1-a"`, `*`, `"x", "1-a"`, `"1-a`, `,,"1-a",`, `"a,"1-a"`, `W/W/"1-a"`, ``} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if matches([]string{header}, `"1-a"`) && !strings.Contains(header, `"1-a"`) {
			t.Fatalf("%q matches", header)
		}
	})
}
