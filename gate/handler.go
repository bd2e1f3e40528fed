package gate

import (
	"net/http"
	"runtime/debug"
	"strings"

	"parley/problem"
)

// Wrap puts the gate before a handler of the API: a panic becomes a problem and a line in the log, foreign origins are
// refused, allowed ones get their CORS headers, and requests count against their address's rates.
func (g *Gate) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer g.recover(w, r)
		w.Header()["X-Content-Type-Options"] = noSniff
		if err := g.CheckOrigin(r); err != nil {
			problem.Of(err).Write(w)
			return
		}
		if g.cors(w, r) {
			return
		}
		count := g.Changing
		switch r.Method {
		case http.MethodGet, http.MethodHead, http.MethodConnect: // CONNECT: a WebSocket over HTTP/2
			count = g.Reading
		}
		if err := count(r); err != nil {
			problem.Of(err).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var (
	noSniff    = []string{"nosniff"}
	varyOrigin = []string{"Origin"}
)

// header is Get for a name that is canonical already, which is on the way of every request.
func header(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func (g *Gate) recover(w http.ResponseWriter, r *http.Request) {
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		panic(cause)
	default:
		g.o.Log.Error("panic in a handler", "method", r.Method, "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
		if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			problem.Internal.Write(w)
		}
	}
}
