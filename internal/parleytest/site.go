// Package parleytest opens whole sites for tests.
package parleytest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"parley"
)

// Site is a server behind a real socket, which the test's end closes.
type Site struct {
	*parley.Server
	URL string
}

// Open opens a site in an empty folder. There are no limits of rates unless change sets them.
func Open(t testing.TB, change ...func(*parley.Config)) *Site {
	t.Helper()
	return OpenBehind(t, func(h http.Handler) http.Handler { return h }, change...)
}

// OpenBehind opens a site whose requests come through what door makes of its handler.
func OpenBehind(t testing.TB, door func(http.Handler) http.Handler, change ...func(*parley.Config)) *Site {
	t.Helper()
	c := parley.Config{Data: t.TempDir()}
	for _, f := range change {
		f(&c)
	}
	p, err := parley.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(door(p))
	s.Config.MaxHeaderBytes = parley.MaxHeaderBytes
	s.Listener = p.Front(s.Config, s.Listener)
	s.Start()
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		s.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Site{p, s.URL}
}
