package websocket

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
)

// acceptGUID is "258EAFA5-…" of RFC 6455, section 1.3: a server that answers with its hash shows that it understood the request as
// a WebSocket handshake.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// acceptKey returns the Sec-WebSocket-Accept for a Sec-WebSocket-Key (section 4.2.2).
func acceptKey(key string) string { return string(appendAcceptKey(nil, key)) }

func appendAcceptKey(dst []byte, key string) []byte {
	var both [24 + len(acceptGUID)]byte
	sum := sha1.Sum(append(append(both[:0], key...), acceptGUID...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// newKey returns a Sec-WebSocket-Key: 16 random bytes (section 4.1).
func newKey() string {
	var nonce [16]byte
	rand.Read(nonce[:])
	return base64.StdEncoding.EncodeToString(nonce[:])
}

var strictBase64 = base64.StdEncoding.Strict()

// isKey reports whether the value decodes to 16 bytes, as a Sec-WebSocket-Key must (section 4.2.1).
func isKey(value string) bool {
	if len(value) != 24 {
		return false
	}
	var nonce [18]byte
	n, err := strictBase64.Decode(nonce[:], []byte(value))
	return err == nil && n == 16
}

// hasToken reports whether a header, a comma-separated list that may stand on several lines, has the token in any case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h[name] {
		for more := true; more; {
			var item string
			item, line, more = strings.Cut(line, ",")
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// isToken reports whether s is a token of RFC 7230: visible ASCII without separators.
func isToken(s string) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenBytes = func() (is [256]bool) {
	for b := byte('!'); b < 0x7F; b++ {
		is[b] = strings.IndexByte(`()<>@,;:\"/[]?={}`, b) < 0
	}
	return is
}()
