package transport

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"parley/problem"
	"parley/websocket"
)

// way is how a read is answered.
type way int

const (
	overPoll way = iota
	overLongPoll
	overSSE
	overWebSocket
	overHistory
)

// negotiate finds the transport that a request asks for. What it says most plainly counts: Upgrade before Accept before wait.
func negotiate(r *http.Request, q query) (way, error) {
	upgrade, events := websocket.IsUpgrade(r), acceptsEvents(r.Header)
	switch {
	case r.Method == http.MethodConnect && !upgrade:
		return 0, problem.BadRequest.Detail("CONNECT is for WebSockets over HTTP/2, with :protocol websocket (RFC 8441)")
	case q.history && (upgrade || events):
		return 0, problem.BadRequest.Detail("before reads the past, which is a plain answer and no stream")
	case q.history:
		return overHistory, nil
	case upgrade:
		return overWebSocket, nil
	case r.Method == http.MethodHead: // it has no body to stream, and so nothing to wait for
		return overPoll, nil
	case events:
		return overSSE, nil
	case q.waits:
		return overLongPoll, nil
	}
	return overPoll, nil
}

// acceptsEvents reports whether the Accept header names text/event-stream, with a weight that is not 0 (RFC 9110, section 12.5.1).
func acceptsEvents(h http.Header) bool {
	for _, line := range h.Values("Accept") {
		if !strings.Contains(strings.ToLower(line), "event-stream") {
			continue // what nearly everything but an EventSource sends need not be parsed
		}
		for item := range strings.SplitSeq(line, ",") {
			media, params, err := mime.ParseMediaType(item)
			if err != nil || media != "text/event-stream" {
				continue
			}
			weight, weighed := params["q"]
			if q, err := strconv.ParseFloat(weight, 64); !weighed || err == nil && q > 0 {
				return true
			}
		}
	}
	return false
}
