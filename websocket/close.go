package websocket

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// maxReason is what a control frame's 125 bytes leave beside the status code (RFC 6455, section 5.5.1).
const maxReason = maxControl - 2

// parseClose reads the payload of a Close frame: nothing, or a status code and a reason in UTF-8.
func parseClose(p []byte) (StatusCode, string, *ProtocolError) {
	switch len(p) {
	case 0:
		return StatusNoStatus, "", nil
	case 1:
		return 0, "", violation("5.5.1", "a Close frame has a payload of one byte")
	}
	code := StatusCode(binary.BigEndian.Uint16(p))
	if !code.onWire() {
		return 0, "", violation("7.4", "a Close frame has a status code that may not be sent")
	}
	if !utf8.Valid(p[2:]) {
		return 0, "", &ProtocolError{Code: StatusInvalidPayload, Section: "8.1", Text: "the reason of a Close frame is not UTF-8"}
	}
	return code, string(p[2:]), nil
}

// appendClose appends the payload of a Close frame. [StatusNoStatus] is written as no payload at all. A reason that
// is too long is cut at a character's border, and what is not UTF-8 in it replaced: a Close must not fail for it.
func appendClose(dst []byte, code StatusCode, reason string) []byte {
	if code == StatusNoStatus {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, fitReason(reason)...)
}

func fitReason(reason string) string {
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) <= maxReason {
		return reason
	}
	cut := maxReason
	for cut > 0 && !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}
