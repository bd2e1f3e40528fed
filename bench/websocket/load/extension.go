package load

import (
	"fmt"
	"strconv"
	"strings"

	"parley/bench/side"
)

// Offers of permessage-deflate (RFC 7692).
const (
	OfferNone       = ""
	OfferBrowser    = "permessage-deflate; client_max_window_bits" // what browsers say
	OfferNoTakeover = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
)

// Extension is what a server agreed to.
type Extension struct {
	Agreed                             bool
	ServerNoTakeover, ClientNoTakeover bool
	ClientBits                         int // 0: 15
}

func (e Extension) clientWindow() int {
	if e.ClientBits == 0 {
		return 1 << 15
	}
	return 1 << e.ClientBits
}

func parseExtension(header, offer string) (Extension, error) {
	name, params, _ := strings.Cut(header, ";")
	if name = strings.TrimSpace(name); name == "" {
		return Extension{}, nil
	}
	if offer == "" || name != "permessage-deflate" {
		return Extension{}, fmt.Errorf("the server answered %q to the offer %q", header, offer)
	}
	e := Extension{Agreed: true}
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch name {
		case "server_no_context_takeover":
			e.ServerNoTakeover = true
		case "client_no_context_takeover":
			e.ClientNoTakeover = true
		case "client_max_window_bits":
			bits, err := strconv.Atoi(strings.Trim(value, `"`))
			if err != nil || bits < 8 || bits > 15 {
				return e, fmt.Errorf("client_max_window_bits %q", value)
			}
			e.ClientBits = bits
		case "server_max_window_bits", "": // we can inflate them all
		default:
			return e, fmt.Errorf("unknown parameter %q", p)
		}
	}
	if offer == OfferNoTakeover {
		e.ClientNoTakeover = true // offered, so ours to do, whether or not the server repeats it
	}
	return e, nil
}

// supports says whether the answer is what the offer was made for.
func supports(x Extension, offer string) error {
	switch {
	case offer == OfferNone || x.Agreed && (offer == OfferNoTakeover) == x.ServerNoTakeover:
		return nil
	case !x.Agreed:
		return fmt.Errorf("%w: permessage-deflate was declined", side.ErrUnsupported)
	case offer == OfferNoTakeover:
		return fmt.Errorf("the server did not agree to server_no_context_takeover, which was asked of it")
	}
	return fmt.Errorf("%w: no context takeover", side.ErrUnsupported)
}
