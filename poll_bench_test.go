package parley_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley"
	"parley/gate"
	"parley/limit"
)

// BenchmarkPoll measures what the server adds to net/http for a poll that finds nothing new: 304, with the limits on.
func BenchmarkPoll(b *testing.B) {
	rates := gate.DefaultRates()
	rates.Read = limit.Rate{PerSecond: 1e9, Burst: 1e9}
	p, err := parley.New(b.Context(), parley.Config{Data: b.TempDir(), Rates: rates})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	const path = "/v1/channels/room:lobby/messages"
	post := httptest.NewRequest("POST", path, strings.NewReader("hello"))
	post.Header.Set("Content-Type", "text/plain")
	said, read := httptest.NewRecorder(), httptest.NewRecorder()
	p.ServeHTTP(said, post)
	p.ServeHTTP(read, httptest.NewRequest("GET", path, nil))
	tag := read.Header().Get("ETag")
	r := httptest.NewRequest("GET", path+"?after="+tag[1:len(tag)-1], nil)
	r.Header.Set("If-None-Match", tag)
	r.Header.Set("Authorization", "Bearer "+said.Header().Get("Parley-Token"))
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		p.ServeHTTP(w, r)
		if w.status != http.StatusNotModified {
			b.Fatal(w.status)
		}
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
