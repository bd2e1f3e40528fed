package gate

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley/problem"
)

// ErrForeignOrigin is the answer to a page of another site.
var ErrForeignOrigin = problem.New(http.StatusForbidden, "foreign_origin", "Requests from this site are not allowed")

// CheckOrigin refuses a request that a page of another origin makes (RFC 6454; for WebSocket RFC 6455 section 10.2),
// unless that origin is allowed. Programs send no Origin and are not affected.
func (g *Gate) CheckOrigin(r *http.Request) error {
	origin := header(r.Header, "Origin")
	if origin == "" {
		// Browsers that leave Origin out of a GET still say where it comes from. A link from elsewhere is a
		// navigation, which may be followed; a fetch may not.
		if site := header(r.Header, "Sec-Fetch-Site"); site == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			return ErrForeignOrigin.Detail("a page of another site may not use this server; allow it with --origin")
		}
		return nil
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return nil
	}
	if g.allowed(origin) {
		return nil
	}
	return ErrForeignOrigin.Detail("pages of %.100q may not use this server (it is %.100q here); allow them with --origin, or let your proxy pass the Host header on", origin, r.Host)
}

func (g *Gate) allowed(origin string) bool {
	return slices.ContainsFunc(g.o.Origins, func(o string) bool {
		return o == "*" || strings.EqualFold(strings.TrimSuffix(o, "/"), origin)
	})
}

// cors answers for an allowed foreign origin. Cookies are never shared with one: its pages use a bearer token.
func (g *Gate) cors(w http.ResponseWriter, r *http.Request) (preflight bool) {
	h := w.Header()
	if h["Vary"] == nil {
		h["Vary"] = varyOrigin // has no room: who adds to it copies it
	} else {
		h["Vary"] = append(h["Vary"], varyOrigin...)
	}
	origin := header(r.Header, "Origin")
	if origin == "" || !g.allowed(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "ETag, Retry-After, Parley-Token, Idempotency-Replayed")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
