package websocket

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// checkOrigin decides whether the page that makes the request may (RFC 6455, sections 4.2.2 and 10.2): browsers send its origin, and
// send cookies along whichever page it is.
func checkOrigin(r *http.Request, patterns []string) error {
	values := r.Header["Origin"]
	switch len(values) {
	case 0:
		return nil // no browser's page
	case 1:
	default:
		return fmt.Errorf("the request has %d Origin headers", len(values))
	}
	if scheme, host, ok := strings.Cut(values[0], "://"); ok && host == r.Host && (scheme == "http" || scheme == "https") && isHost(host) {
		return nil // as nearly always
	}
	origin := strings.ToLower(values[0])
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && withoutDefaultPort(u.Scheme, u.Host) == withoutDefaultPort(u.Scheme, strings.ToLower(r.Host)) {
		return nil
	}
	for _, pattern := range patterns {
		pattern = strings.ToLower(pattern)
		subject := origin
		if pattern != "*" && !strings.Contains(pattern, "://") && u != nil && u.Host != "" {
			subject = u.Host
		}
		if pattern == "*" || pattern == subject {
			return nil
		}
		// path.Match keeps * from crossing a slash, which a host does not have.
		if ok, err := path.Match(pattern, subject); ok && err == nil {
			return nil
		}
	}
	return fmt.Errorf("pages of %q may not connect to %q; the server's OriginPatterns must name their host", values[0], r.Host)
}

func withoutDefaultPort(scheme, host string) string {
	switch scheme {
	case "http", "ws":
		return strings.TrimSuffix(host, ":80")
	case "https", "wss":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}
