package identity

import (
	"net/http"
	"strings"
	"time"
)

// Cookie is the name of the cookie that carries a page's token.
const Cookie = "parley"

// cookieAge is as long as browsers keep a cookie (RFC 6265bis section 5.5 caps it at 400 days).
const cookieAge = 400 * 24 * time.Hour

// TokenFrom returns the token of a request: of the header Authorization: Bearer, or else of the cookie; "" if there is
// neither. An Authorization of another scheme (a proxy's Basic) does not count.
func TokenFrom(r *http.Request) string {
	if values := r.Header["Authorization"]; len(values) > 0 {
		scheme, token, ok := strings.Cut(values[0], " ")
		if ok && strings.EqualFold(scheme, "Bearer") { // RFC 9110 section 11.1: schemes ignore case
			return strings.TrimSpace(token)
		}
	}
	if c, err := r.Cookie(Cookie); err == nil {
		return c.Value
	}
	return ""
}

// SetCookie gives the page its token for 400 days. The cookie is Secure when the request came by TLS, or secure says
// that the browser used TLS as far as a proxy.
func SetCookie(w http.ResponseWriter, r *http.Request, token string, secure bool) {
	http.SetCookie(w, cookie(token, int(cookieAge.Seconds()), secure || r.TLS != nil))
}

// ClearCookie takes the page's token away.
func ClearCookie(w http.ResponseWriter, r *http.Request, secure bool) {
	http.SetCookie(w, cookie("", -1, secure || r.TLS != nil))
}

func cookie(value string, age int, secure bool) *http.Cookie {
	return &http.Cookie{Name: Cookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
}
