package parley_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"parley"
	"parley/gate"
	"parley/internal/parleytest"
)

// house is a whole server behind a real socket.
type house struct {
	t *testing.T
	*parleytest.Site
}

func open(t *testing.T, change ...func(*parley.Config)) *house {
	t.Helper()
	return &house{t, parleytest.Open(t, change...)}
}

func limited(c *parley.Config) { c.Rates = gate.DefaultRates() }

// person is somebody at a terminal. The zero token is nobody.
type person struct {
	*house
	id, name, token string
}

func (h *house) stranger() *person { return &person{house: h} }

func (h *house) guest(name string) *person {
	h.t.Helper()
	var in struct {
		Token string
		User  struct{ ID, Name string }
	}
	h.stranger().do("POST", "/v1/session", fmt.Sprintf(`{"name":%q}`, name)).is(201).into(&in)
	return &person{h, in.User.ID, in.User.Name, in.Token}
}

// answer is what came back.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

// do sends a request: a body that begins with { is JSON, any other is text. Headers are given as name, value, ….
func (p *person) do(method, path, body string, headers ...string) *answer {
	p.t.Helper()
	req, err := http.NewRequest(method, p.URL+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		req.Header.Set("Content-Type", "text/plain")
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return &answer{p.t, method + " " + path, resp.StatusCode, resp.Header, string(data)}
}

func (p *person) get(path string, headers ...string) *answer {
	p.t.Helper()
	return p.do("GET", path, "", headers...)
}

// is demands a status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %s", a.what, a.status, status, a.body)
	}
	return a
}

// fails demands a problem with a code, in the shape of RFC 9457.
func (a *answer) fails(status int, code string) *answer {
	a.t.Helper()
	var p struct {
		Type, Title, Code string
		Status            int
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		a.t.Fatalf("%s: status %d, not a problem: %s", a.what, a.status, a.body)
	}
	if a.status != status || p.Code != code || p.Status != status || p.Type != "urn:parley:error:"+code || p.Title == "" || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Fatalf("%s: %d %s, want %d %s: %s", a.what, a.status, p.Code, status, code, a.body)
	}
	return a
}

func (a *answer) into(v any) *answer {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
	return a
}

func (a *answer) has(parts ...string) *answer {
	a.t.Helper()
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			a.t.Fatalf("%s: no %s in %s", a.what, part, a.body)
		}
	}
	return a
}

func (a *answer) hasNot(parts ...string) *answer {
	a.t.Helper()
	for _, part := range parts {
		if strings.Contains(a.body, part) {
			a.t.Fatalf("%s: %s in %s", a.what, part, a.body)
		}
	}
	return a
}

// value is one field of a JSON answer, by a path like owner.name.
func (a *answer) value(path string) string {
	a.t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader([]byte(a.body)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
	for field := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			a.t.Fatalf("%s: no %s in %s", a.what, path, a.body)
		}
		v = m[field]
	}
	return fmt.Sprint(v)
}
