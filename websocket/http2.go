package websocket

import (
	"net"
	"net/http"
)

// isExtendedConnect reports whether the request is the one that begins a WebSocket on a stream of an HTTP/2 connection (RFC 8441, section 4):
// the method CONNECT with ":protocol" websocket, which net/http hands on as a header.
func isExtendedConnect(r *http.Request) bool {
	return r.ProtoMajor == 2 && r.Method == http.MethodConnect && r.Header.Get(":protocol") == "websocket"
}

// checkHTTP2 is checkRequest for HTTP/2: the version and the extensions are as ever, and what proved that a server understood the request
// (Key, Upgrade, Connection; RFC 8441, section 5) is not there.
func checkHTTP2(r *http.Request) *HandshakeError {
	bad := func(text string) *HandshakeError {
		return &HandshakeError{Status: http.StatusBadRequest, Code: "bad_handshake", Text: text}
	}
	switch {
	case !isExtendedConnect(r):
		return &HandshakeError{Status: http.StatusHTTPVersionNotSupported, Code: "http2", Text: "over " + r.Proto + " a WebSocket begins with " +
			"CONNECT and :protocol websocket (RFC 8441), which the server must have announced (see package enablehttp2); or use HTTP/1.1"}
	case r.URL.Path == "" || r.Host == "":
		return bad("an extended CONNECT needs :path and :authority")
	case r.ContentLength > 0:
		return &HandshakeError{Status: http.StatusBadRequest, Code: "body", Text: "a WebSocket handshake has no length of its body"}
	}
	if err := checkVersion(r); err != nil {
		return err
	}
	return checkExtensions(r)
}

// respondHTTP2 answers with 200 and returns the stream, whose bytes are those of a WebSocket from now on.
func respondHTTP2(w http.ResponseWriter, r *http.Request, subprotocol, extensions string) (net.Conn, *HandshakeError) {
	h := w.Header()
	for name := range protocolHeaders {
		h.Del(name)
	}
	if subprotocol != "" {
		h.Set(subprotocolHeader, subprotocol)
	}
	if extensions != "" {
		h.Set(extensionsHeader, extensions)
	}
	s := newHTTP2Stream(w, r)
	w.WriteHeader(http.StatusOK)
	if err := s.rc.Flush(); err != nil {
		s.Close()
		return nil, &HandshakeError{Status: http.StatusOK, Code: "lost", Text: "the client is gone", cause: err}
	}
	return s, nil
}
