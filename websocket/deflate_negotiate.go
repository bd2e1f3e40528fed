package websocket

import (
	"net/http"
	"strconv"
	"strings"
)

const deflateName = "permessage-deflate"

// deflateTerms are the parameters of one offer or response (RFC 7692, section 7.1).
type deflateTerms struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits, clientBits             int // 0 if absent
	clientBitsBare                     bool
}

// parseDeflate reads an element of Sec-WebSocket-Extensions. ok is false if a parameter is unknown, stands twice, or has a value
// that it may not have: then an offer is declined and a response fails the connection (section 7.1).
func parseDeflate(e extension, isResponse bool) (t deflateTerms, ok bool) {
	for i, p := range e.params {
		for _, before := range e.params[:i] {
			if before.name == p.name {
				return t, false
			}
		}
		switch p.name {
		case "server_no_context_takeover":
			t.serverNoTakeover, ok = true, !p.hasValue
		case "client_no_context_takeover":
			t.clientNoTakeover, ok = true, !p.hasValue
		case "server_max_window_bits":
			t.serverBits, ok = parseWindowBits(p)
		case "client_max_window_bits":
			if !p.hasValue && !isResponse {
				t.clientBitsBare, ok = true, true
			} else {
				t.clientBits, ok = parseWindowBits(p)
			}
		default:
			ok = false
		}
		if !ok {
			return t, false
		}
	}
	return t, true
}

// parseWindowBits reads "a decimal integer value without leading zeroes between 8 to 15" (section 7.1.2).
func parseWindowBits(p param) (int, bool) {
	n, err := strconv.Atoi(p.value)
	return n, err == nil && n >= minWindowBits && n <= maxWindowBits && strconv.Itoa(n) == p.value
}

func (t deflateTerms) String() string {
	var b strings.Builder
	b.WriteString(deflateName)
	if t.serverNoTakeover {
		b.WriteString("; server_no_context_takeover")
	}
	if t.clientNoTakeover {
		b.WriteString("; client_no_context_takeover")
	}
	if t.serverBits != 0 {
		b.WriteString("; server_max_window_bits=" + strconv.Itoa(t.serverBits))
	}
	if t.clientBits != 0 {
		b.WriteString("; client_max_window_bits=" + strconv.Itoa(t.clientBits))
	} else if t.clientBitsBare {
		b.WriteString("; client_max_window_bits")
	}
	return b.String()
}

// acceptDeflate is the server's side of the negotiation: it takes the first offer that keeps the rules, since offers stand in the client's
// order of preference and there is none that we could not meet. response is the header's value, "" if nothing is agreed.
func acceptDeflate(h http.Header, o Compression) (p deflateParams, response string) {
	offers, ok := parseExtensions(h)
	if !ok || o.Mode == CompressionOff {
		return deflateParams{}, ""
	}
	for _, e := range offers {
		if e.name != deflateName {
			continue
		}
		if offer, ok := parseDeflate(e, false); ok {
			p, t := answerDeflate(offer, o)
			return p, t.String()
		}
	}
	return deflateParams{}, ""
}

// answerDeflate answers an offer. What the client sends is bounded to our window if it said that it can be told so; if not, it is told
// not to take over its context, which every client must understand (section 7.1.1.2): so no client can make us keep more.
func answerDeflate(offer deflateTerms, o Compression) (deflateParams, deflateTerms) {
	takeover := o.Mode == CompressionTakeover
	p := deflateParams{
		on: true, level: o.Level, threshold: o.Threshold,
		out: deflateDirection{bits: o.WindowBits, takeover: takeover && !offer.serverNoTakeover},
		in:  deflateDirection{bits: maxWindowBits, takeover: takeover && !offer.clientNoTakeover},
	}
	var t deflateTerms
	if offer.serverBits != 0 {
		p.out.bits = min(p.out.bits, offer.serverBits)
		t.serverBits = p.out.bits
	}
	if offer.clientBits != 0 || offer.clientBitsBare {
		p.in.bits = o.WindowBits
		if offer.clientBits != 0 {
			p.in.bits = min(p.in.bits, offer.clientBits)
		}
		t.clientBits = p.in.bits
	}
	if p.in.bits > o.WindowBits {
		p.in.takeover = false
	}
	t.serverNoTakeover, t.clientNoTakeover = !p.out.takeover, !p.in.takeover
	return p, t
}

// offerDeflate is what a client offers. A server that cannot bound its window has a second offer to take, without takeover on its side.
func offerDeflate(o Compression) string {
	t := deflateTerms{clientBitsBare: true}
	if o.Mode == CompressionNoTakeover {
		t.serverNoTakeover, t.clientNoTakeover = true, true
	}
	if o.WindowBits == maxWindowBits {
		return t.String()
	}
	second := t
	t.serverBits = o.WindowBits
	second.serverNoTakeover = true
	return t.String() + ", " + second.String()
}

// agreeDeflate judges the server's response to offerDeflate. ok is false if it answers none of the offers; then the client must fail
// the connection (section 7.1). A server may also give up its takeover, bound its window, or ask us to give up ours, without having
// been asked (sections 7.1.1 and 7.1.2.1).
func agreeDeflate(h http.Header, o Compression) (p deflateParams, ok bool) {
	list, ok := parseExtensions(h)
	if !ok || len(list) == 0 {
		return p, ok
	}
	if len(list) > 1 || list[0].name != deflateName || o.Mode == CompressionOff {
		return p, false
	}
	t, ok := parseDeflate(list[0], true)
	bounded := o.WindowBits == maxWindowBits || (t.serverBits != 0 && t.serverBits <= o.WindowBits)
	if !ok || !(t.serverNoTakeover || (o.Mode == CompressionTakeover && bounded)) {
		return p, false
	}
	p = deflateParams{
		on: true, level: o.Level, threshold: o.Threshold,
		out: deflateDirection{bits: o.WindowBits, takeover: o.Mode == CompressionTakeover && !t.clientNoTakeover},
		in:  deflateDirection{bits: maxWindowBits, takeover: !t.serverNoTakeover},
	}
	if t.clientBits != 0 {
		p.out.bits = min(p.out.bits, t.clientBits)
	}
	if t.serverBits != 0 {
		p.in.bits = t.serverBits
	}
	return p, true
}
