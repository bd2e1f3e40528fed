package identity_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"parley/identity"
)

func TestTokenFrom(t *testing.T) {
	for _, test := range []struct{ what, header, cookie, want string }{
		{"neither", "", "", ""},
		{"the header", "Bearer abc", "", "abc"},
		{"the scheme ignores case", "bearer abc", "", "abc"},
		{"the cookie", "", "def", "def"},
		{"the header counts", "Bearer abc", "def", "abc"},
		{"an empty header counts", "Bearer ", "def", ""},
		{"a proxy's password does not", "Basic dTpw", "def", "def"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if test.header != "" {
			r.Header.Set("Authorization", test.header)
		}
		if test.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "parley", Value: test.cookie})
		}
		if got := identity.TokenFrom(r); got != test.want {
			t.Errorf("%s: %q; want %q", test.what, got, test.want)
		}
	}
}

func TestCookies(t *testing.T) {
	plain := httptest.NewRequest("GET", "/", nil)
	encrypted := httptest.NewRequest("GET", "/", nil)
	encrypted.TLS = &tls.ConnectionState{}
	for _, test := range []struct {
		r      *http.Request
		secure bool
		want   string
	}{
		{plain, false, "parley=abc; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax"},
		{plain, true, "parley=abc; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax"},
		{encrypted, false, "parley=abc; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		identity.SetCookie(w, test.r, "abc", test.secure)
		if got := w.Header().Get("Set-Cookie"); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	w := httptest.NewRecorder()
	identity.ClearCookie(w, plain, false)
	if got, want := w.Header().Get("Set-Cookie"), "parley=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
