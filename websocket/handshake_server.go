package websocket

import (
	"net/http"
	"strings"
)

// IsUpgrade reports whether the request asks for a WebSocket: whether its Connection header has the token "upgrade" and its Upgrade
// header the token "websocket", in any case; or, over HTTP/2, whether its method is CONNECT and its :protocol websocket. All else about
// it is for [Accept] to judge.
func IsUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket") || isExtendedConnect(r)
}

// checkRequest judges a client's opening handshake by the numbered list of RFC 6455, section 4.2.1.
func checkRequest(r *http.Request) *HandshakeError {
	refuse := func(status int, code, text string) *HandshakeError {
		return &HandshakeError{Status: status, Code: code, Text: text}
	}
	bad := func(text string) *HandshakeError { return refuse(http.StatusBadRequest, "bad_handshake", text) }
	keys := r.Header["Sec-Websocket-Key"]
	switch {
	case r.ProtoMajor > 1:
		return checkHTTP2(r)
	case r.Method != http.MethodGet:
		return refuse(http.StatusMethodNotAllowed, "method", "a WebSocket handshake is a GET request, not "+r.Method)
	case !r.ProtoAtLeast(1, 1):
		return bad("a WebSocket handshake needs HTTP/1.1, not " + r.Proto)
	case r.Host == "":
		return bad("the Host header is missing")
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return bad(`this address speaks the WebSocket protocol: the Upgrade header must have "websocket" (did a proxy remove it?)`)
	case !hasToken(r.Header, "Connection", "upgrade"):
		return bad(`the Connection header must have "Upgrade" (did a proxy remove it?)`)
	case checkVersion(r) != nil:
		return checkVersion(r)
	case len(keys) != 1:
		return bad("exactly one Sec-WebSocket-Key header is needed")
	case !isKey(keys[0]):
		return bad("the Sec-WebSocket-Key must be 16 bytes in base64")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return refuse(http.StatusBadRequest, "body", "a WebSocket handshake has no body")
	}
	return checkExtensions(r)
}

func checkVersion(r *http.Request) *HandshakeError {
	versions := r.Header["Sec-Websocket-Version"]
	switch {
	case len(versions) != 1:
		return &HandshakeError{Status: http.StatusBadRequest, Code: "bad_handshake", Text: "exactly one Sec-WebSocket-Version header is needed"}
	case versions[0] != "13":
		return &HandshakeError{Status: http.StatusUpgradeRequired, Code: "version", Text: "the Sec-WebSocket-Version must be 13"}
	}
	return nil
}

func checkExtensions(r *http.Request) *HandshakeError {
	if _, ok := parseExtensions(r.Header); !ok {
		return &HandshakeError{
			Status: http.StatusBadRequest, Code: "bad_handshake",
			Text: "the Sec-WebSocket-Extensions header does not follow the grammar",
		}
	}
	return nil
}

// protocolHeaders of an answer are the protocol's, whatever the handler has set.
var protocolHeaders = map[string]bool{
	"Upgrade": true, "Connection": true, "Sec-Websocket-Accept": true, subprotocolHeader: true, extensionsHeader: true,
	"Content-Length": true, "Content-Type": true, "Transfer-Encoding": true,
}

// appendResponse appends the 101 of section 4.2.2, with extra headers that the handler has set.
func appendResponse(dst []byte, key string, a *agreement, extra http.Header) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = appendAcceptKey(dst, key)
	dst = append(dst, "\r\n"...)
	if a.subprotocol != "" {
		dst = append(append(append(dst, "Sec-WebSocket-Protocol: "...), a.subprotocol...), "\r\n"...)
	}
	if a.extensions != "" {
		dst = append(append(append(dst, "Sec-WebSocket-Extensions: "...), a.extensions...), "\r\n"...)
	}
	if len(extra) > 0 {
		var rest strings.Builder
		extra.WriteSubset(&rest, protocolHeaders) // it also keeps line breaks out of values
		dst = append(dst, rest.String()...)
	}
	return append(dst, "\r\n"...)
}
