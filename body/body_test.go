package body_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"parley/body"
	"parley/problem"
)

type room struct {
	Name  string `json:"name"`
	Limit int    `json:"limit"`
}

func post(t *testing.T, contentType string, content io.Reader) (*httptest.ResponseRecorder, *http.Request) {
	t.Helper()
	r := httptest.NewRequest("POST", "/", content)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return httptest.NewRecorder(), r
}

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, content string
		want                 *problem.Problem // nil: taken
		says                 string
	}{
		"an object":           {"application/json", `{"name":"Lobby","limit":3}`, nil, ""},
		"with a charset":      {"application/json; charset=UTF-8", ` {"name":"Lobby","limit":3} `, nil, ""},
		"no Content-Type":     {"", `{"name":"Lobby","limit":3}`, nil, ""},
		"a field twice":       {"application/json", `{"name":"x","name":"Lobby","limit":3}`, nil, ""},
		"unknown field":       {"application/json", `{"nmae":"Lobby"}`, problem.BadField, `"nmae"`},
		"wrong type":          {"application/json", `{"limit":"3"}`, problem.BadRequest, `"limit"`},
		"number too big":      {"application/json", `{"limit":1e99}`, problem.BadRequest, `"limit"`},
		"trailing value":      {"application/json", `{"name":"a"}{"name":"b"}`, problem.BadRequest, "follows"},
		"trailing junk":       {"application/json", `{"name":"a"}]`, problem.BadRequest, "follows"},
		"an array":            {"application/json", `[1]`, problem.BadRequest, "object"},
		"null":                {"application/json", `null`, problem.BadRequest, "object"},
		"empty":               {"application/json", ``, problem.BadRequest, "empty"},
		"broken off":          {"application/json", `{"name":"a"`, problem.BadRequest, "breaks off"},
		"malformed":           {"application/json", `{"name":'a'}`, problem.BadRequest, "byte"},
		"not UTF-8":           {"application/json", "{\"name\":\"\xff\"}", problem.BadRequest, "UTF-8"},
		"too deep":            {"application/json", `{"name":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, problem.BadRequest, "64"},
		"brackets in a text":  {"application/json", `{"limit":3,"name":"Lobby","name":"\"` + strings.Repeat("[", 70) + `"}`, nil, ""},
		"a form":              {"application/x-www-form-urlencoded", `{"name":"a"}`, body.ErrMediaType, "--json"},
		"another charset":     {"application/json; charset=gbk", `{}`, body.ErrMediaType, "gbk"},
		"a malformed type":    {"application/json; =", `{}`, body.ErrMediaType, "malformed"},
		"longer than allowed": {"application/json", `{"name":"` + strings.Repeat("a", 200) + `"}`, problem.TooLarge, "128 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var in room
			w, r := post(t, c.contentType, strings.NewReader(c.content))
			err := body.JSON(w, r, 128, &in)
			if name == "too deep" || name == "brackets in a text" {
				w, r = post(t, c.contentType, strings.NewReader(c.content))
				err = body.JSON(w, r, 1024, &in)
			}
			if c.want == nil {
				if err != nil || in.Name == "" || in.Limit != 3 {
					t.Fatalf("got %+v, %v", in, err)
				}
				return
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %v that says %q", err, c.want, c.says)
			}
		})
	}
}

// countingReader tells whether anybody read.
type countingReader struct{ n int }

func (c *countingReader) Read(p []byte) (int, error) { c.n += len(p); return len(p), nil }

func TestNothingIsReadOfABodyThatSaysItIsTooLong(t *testing.T) {
	endless := &countingReader{}
	w, r := post(t, "application/json", endless)
	r.ContentLength = 1 << 30
	if err := body.JSON(w, r, 128, &room{}); !errors.Is(err, problem.TooLarge) {
		t.Fatalf("got %v", err)
	}
	if endless.n != 0 {
		t.Fatalf("%d bytes were read", endless.n)
	}
}

func TestABodyThatNeverEndsIsCut(t *testing.T) {
	endless := &countingReader{}
	w, r := post(t, "text/plain", endless)
	r.ContentLength = -1 // chunked
	if _, err := body.Text(w, r, 128); !errors.Is(err, problem.TooLarge) {
		t.Fatalf("got %v", err)
	}
	if endless.n > 64<<10 {
		t.Fatalf("%d bytes were read for a limit of 128", endless.n)
	}
}

// A body that is cut off on its way is no mistake of the client's, which may repeat it: a status that says so.
func TestABodyThatBreaksOffMayBeSentAgain(t *testing.T) {
	w, r := post(t, "application/json", io.MultiReader(strings.NewReader(`{"name":"a"`), iotest.ErrReader(io.ErrUnexpectedEOF)))
	err := body.JSON(w, r, 128, &room{})
	if !errors.Is(err, body.ErrIncomplete) || problem.Of(err).Status() != http.StatusRequestTimeout {
		t.Fatalf("got %v", err)
	}
}

func TestText(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, content string
		want                 *problem.Problem
	}{
		"plain":                 {"text/plain; charset=utf-8", "hello\n", nil},
		"curl -d":               {"application/x-www-form-urlencoded", "a=b&c=%20+", nil},
		"not UTF-8":             {"text/plain", "\xff", problem.BadRequest},
		"JSON is no text":       {"application/json", "{}", body.ErrMediaType},
		"another character set": {"text/plain; charset=utf-16", "hello", body.ErrMediaType},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := post(t, c.contentType, strings.NewReader(c.content))
			got, err := body.Text(w, r, 128)
			if c.want != nil {
				if !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				return
			}
			if err != nil || got != c.content || !body.IsText(r) {
				t.Fatalf("got %q, %v", got, err)
			}
		})
	}
}
