package websocket

import "fmt"

// StatusCode is the number a Close frame carries to say why a connection ends (RFC 6455, section 7.4).
type StatusCode int

// The codes of RFC 6455, section 7.4.1, and the three that IANA registered later. Applications have 4000–4999
// for themselves; 3000–3999 are registered for libraries and frameworks.
const (
	StatusNormalClosure      StatusCode = 1000 // the purpose is fulfilled
	StatusGoingAway          StatusCode = 1001 // the server stops, or the page was left
	StatusProtocolError      StatusCode = 1002 // the peer broke the protocol
	StatusUnsupportedData    StatusCode = 1003 // this type of message is not taken here
	StatusNoStatus           StatusCode = 1005 // never sent: a Close frame came without a code
	StatusAbnormalClosure    StatusCode = 1006 // never sent: the connection ended without a Close frame
	StatusInvalidPayload     StatusCode = 1007 // a text message was not UTF-8
	StatusPolicyViolation    StatusCode = 1008 // refused, and no other code fits
	StatusMessageTooBig      StatusCode = 1009 // the message exceeds the receiver's limit
	StatusMandatoryExtension StatusCode = 1010 // the client needs an extension that the server did not take
	StatusInternalError      StatusCode = 1011 // something unexpected happened
	StatusServiceRestart     StatusCode = 1012 // the service restarts; come back
	StatusTryAgainLater      StatusCode = 1013 // overloaded; come back later
	StatusBadGateway         StatusCode = 1014 // a gateway got a bad answer from behind it
	StatusTLSHandshake       StatusCode = 1015 // never sent: the TLS handshake failed
)

var statusNames = map[StatusCode]string{
	StatusNormalClosure:      "normal closure",
	StatusGoingAway:          "going away",
	StatusProtocolError:      "protocol error",
	StatusUnsupportedData:    "unsupported data",
	StatusNoStatus:           "no status received",
	StatusAbnormalClosure:    "abnormal closure",
	StatusInvalidPayload:     "invalid payload data",
	StatusPolicyViolation:    "policy violation",
	StatusMessageTooBig:      "message too big",
	StatusMandatoryExtension: "mandatory extension",
	StatusInternalError:      "internal error",
	StatusServiceRestart:     "service restart",
	StatusTryAgainLater:      "try again later",
	StatusBadGateway:         "bad gateway",
	StatusTLSHandshake:       "TLS handshake",
}

// String returns the number and, where it has one, its name: "1000 (normal closure)".
func (c StatusCode) String() string {
	if name, ok := statusNames[c]; ok {
		return fmt.Sprintf("%d (%s)", int(c), name)
	}
	return fmt.Sprintf("%d", int(c))
}

// onWire reports whether the code may stand in a Close frame, in either direction. 1005, 1006 and 1015 describe
// what no frame said and "MUST NOT be set as a status code in a Close control frame"; 1004 is reserved; below
// 1000 nothing is defined; 1016–2999 are kept for the protocol's future, and 5000 up does not exist
// (sections 7.4.1 and 7.4.2).
func (c StatusCode) onWire() bool {
	switch {
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014:
		return true
	}
	return c >= 3000 && c <= 4999
}
