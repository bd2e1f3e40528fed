package transport

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// chunk is how much a client must accept within WriteTimeout: little enough for a slow line that works.
const chunk = 32 << 10

// writer writes an answer in chunks, each with a deadline of its own, so that a client which takes nothing ends its own answer
// and holds nobody. An error is final: the connection is of no more use.
type writer struct {
	t    *Transport
	w    http.ResponseWriter
	ctrl *http.ResponseController
}

func (t *Transport) writer(w http.ResponseWriter) writer {
	return writer{t, w, http.NewResponseController(w)}
}

// write hands p to the kernel.
func (w writer) write(p []byte) error {
	for len(p) > 0 {
		// Where the ResponseWriter has no deadlines there is only the server's own WriteTimeout.
		_ = w.ctrl.SetWriteDeadline(time.Now().Add(w.t.o.WriteTimeout))
		if err := w.t.cut.Err(); err != nil {
			return err
		}
		n := min(len(p), chunk)
		if _, err := w.w.Write(p[:n]); err != nil {
			return err
		}
		if err := w.ctrl.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		p = p[n:]
	}
	return nil
}

// cutOff ends a write that is under way, and all after it.
func (w writer) cutOff() { _ = w.ctrl.SetWriteDeadline(time.Unix(1, 0)) }

// done lifts the deadline from the connection, which may carry another request.
func (w writer) done() { _ = w.ctrl.SetWriteDeadline(time.Time{}) }

// little is what net/http holds in its own buffers until the handler has returned, and the kernel takes from a client that has read
// what it was sent before: it needs no deadline of its own, nor a flush.
const little = 2 << 10

var jsonType = []string{"application/json"}

// send answers with JSON.
func (t *Transport) send(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if len(body) <= little { // its length is told by net/http
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	out := t.writer(w)
	if out.write(body) == nil { // an error: the client is gone, or takes nothing
		out.done()
	}
}

// sendValue answers with v in JSON.
func (t *Transport) sendValue(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	t.send(w, status, append(body, '\n'))
	return nil
}
