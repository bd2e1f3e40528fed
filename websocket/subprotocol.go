package websocket

import (
	"net/http"
	"slices"
	"strings"
)

const subprotocolHeader = "Sec-Websocket-Protocol"

// offeredSubprotocols reads a request's list; the names "MUST all be unique strings" and tokens (RFC 6455, section 4.1). ok is false for
// any other list.
func offeredSubprotocols(h http.Header) (names []string, ok bool) {
	for _, line := range h[subprotocolHeader] {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if !isToken(name) || slices.Contains(names, name) {
				return nil, false
			}
			names = append(names, name)
		}
	}
	return names, true
}

// chooseSubprotocol returns the first of ours that was offered, "" for none.
func chooseSubprotocol(ours, offered []string) string {
	for _, name := range ours {
		if slices.Contains(offered, name) {
			return name
		}
	}
	return ""
}
