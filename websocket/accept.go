package websocket

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"
)

// Accept makes a WebSocket of the request. If it returns an error, it has already answered: 400 for a bad handshake, 403 for an origin
// that may not, 405 for a method other than GET, 426 for a version other than 13, 500 where the connection cannot be taken over, 505
// for HTTP/2 without an extended CONNECT; with a line of text that says what is wrong. The error is a [*HandshakeError].
//
// Headers set on w before, such as cookies, are sent with the 101. Afterwards w and r.Body are of no use. r.Context() is cancelled
// when the handler returns; a connection that outlives the handler needs another context. o may be nil.
//
// Over HTTP/2 (RFC 8441; package enablehttp2 tells what a server needs for it) the answer is a 200, and the connection is one stream of
// the client's, which ends when the handler returns. So there the handler must stay as long as the connection is used, by whatever goroutine,
// and call Close or CloseNow before it returns; [Conn.Done] is a way to wait. A server whose clients may be hostile sets
// http.Server.HTTP2.WriteByteTimeout: it is what ends a client that takes nothing more on any of its streams.
func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Conn, error) {
	if o == nil {
		o = &AcceptOptions{}
	}
	a, refusal := o.judge(r)
	if refusal != nil {
		return nil, refuse(w, r, refusal)
	}
	l := o.limits()
	return accept(w, r, &a, &l, nil)
}

// agreement is what an opening handshake has come to.
type agreement struct {
	subprotocol string
	extensions  string // as the answer has them
	deflate     deflateParams
	value       any // of the connection
}

// judge decides about a client's opening handshake, by the rules of RFC 6455, section 4.2, and by the options.
func (o *AcceptOptions) judge(r *http.Request) (a agreement, refusal *HandshakeError) {
	if refusal := checkRequest(r); refusal != nil {
		return a, refusal
	}
	offered, ok := offeredSubprotocols(r.Header)
	if !ok {
		return a, &HandshakeError{
			Status: http.StatusBadRequest, Code: "bad_handshake",
			Text: "the Sec-WebSocket-Protocol header must be a list of different tokens",
		}
	}
	a.subprotocol = chooseSubprotocol(o.Subprotocols, offered)
	compression, refusal := o.Compression.withDefaults()
	if refusal != nil {
		refusal.Status = http.StatusInternalServerError
		return a, refusal
	}
	a.deflate, a.extensions = acceptDeflate(r.Header, compression)
	var err error
	if o.CheckOrigin != nil {
		err = o.CheckOrigin(r)
	} else {
		err = checkOrigin(r, o.OriginPatterns)
	}
	if err != nil {
		return a, &HandshakeError{Status: http.StatusForbidden, Code: "origin", Text: "the origin may not connect", cause: err}
	}
	return a, nil
}

// accept answers a request that was judged well, and makes the connection.
func accept(w http.ResponseWriter, r *http.Request, a *agreement, l *limits, s *Server) (*Conn, error) {
	if r.ProtoMajor == 2 {
		nc, err := respondHTTP2(w, r, a.subprotocol, a.extensions)
		if err != nil {
			return nil, err
		}
		return newConn(nc, nil, false, a, l, s), nil
	}
	response := appendResponse(nil, r.Header.Get("Sec-Websocket-Key"), a, w.Header())
	nc, brw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, r, &HandshakeError{
			Status: http.StatusInternalServerError, Code: "no_hijack",
			Text: "the server, or a middleware around its ResponseWriter, cannot hand over the connection", cause: err,
		})
	}
	if err := respond(nc, response, l.writeTimeout); err != nil {
		nc.Close()
		return nil, &HandshakeError{Status: http.StatusSwitchingProtocols, Code: "lost", Text: "the client is gone", cause: err}
	}
	var br *bufio.Reader
	if brw != nil {
		br = brw.Reader
	}
	if rc, ok := nc.(*resumed); ok && len(rc.head) == 0 {
		nc = rc.TCPConn
	}
	return newConn(nc, br, false, a, l, s), nil
}

func respond(nc net.Conn, response []byte, timeout time.Duration) error {
	nc.SetDeadline(time.Time{}) // those of the HTTP server do not apply any more
	if timeout > 0 {
		nc.SetWriteDeadline(time.Now().Add(timeout))
		defer nc.SetWriteDeadline(time.Time{})
	}
	_, err := nc.Write(response)
	return err
}

// refuse answers the request with the error's status and text.
func refuse(w http.ResponseWriter, r *http.Request, e *HandshakeError) *HandshakeError {
	h := w.Header()
	switch e.Code {
	case "version":
		h.Set("Sec-WebSocket-Version", "13") // "MUST" of section 4.4
		h.Set("Upgrade", "websocket")        // RFC 9110, section 15.5.22
		h.Set("Connection", "Upgrade")
	case "body":
		h.Set("Connection", "close") // else net/http would wait for the body before it answers
	case "method":
		h.Set("Allow", http.MethodGet)
	}
	if r.ProtoMajor > 1 { // which has no such headers (RFC 9113, section 8.2.2)
		h.Del("Upgrade")
		h.Del("Connection")
	}
	text := e.Text
	if e.Status == http.StatusForbidden && e.cause != nil {
		text += ": " + e.cause.Error()
	}
	if errors.Is(e.cause, http.ErrHijacked) {
		return e // somebody has taken the connection: there is nothing to answer on
	}
	http.Error(w, text, e.Status)
	return e
}
