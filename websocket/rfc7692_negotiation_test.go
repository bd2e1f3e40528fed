package websocket_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"parley/websocket"
)

func TestServer_7692_7_1_OffersAreAnswered(t *testing.T) {
	const d = "permessage-deflate"
	takeover, noTakeover := websocket.CompressionTakeover, websocket.CompressionNoTakeover
	for _, test := range []struct {
		name   string
		mode   websocket.CompressionMode
		bits   int
		offers []string
		want   string
	}{
		{"none", takeover, 0, nil, ""},
		{"not wanted here", websocket.CompressionOff, 0, []string{d}, ""},
		{"7.1.2.2: a client that cannot be told its window must forget", takeover, 0, []string{d}, d + "; client_no_context_takeover"},
		{"full window", takeover, 15, []string{d}, d},
		{"7.1.2.2: as browsers offer", takeover, 0, []string{d + "; client_max_window_bits"}, d + "; client_max_window_bits=12"},
		{"7.1.2.2: a window smaller than ours", takeover, 0, []string{d + "; client_max_window_bits=8"}, d + "; client_max_window_bits=8"},
		{"7.1.2.2: a window bigger than ours", takeover, 9, []string{d + "; client_max_window_bits=15"}, d + "; client_max_window_bits=9"},
		{"7.1.2.1: a window smaller than ours", takeover, 15, []string{d + "; server_max_window_bits=8"}, d + "; server_max_window_bits=8"},
		{"7.1.2.1: a window bigger than ours", takeover, 10, []string{d + "; server_max_window_bits=14; client_max_window_bits"},
			d + "; server_max_window_bits=10; client_max_window_bits=10"},
		{"7.1.1.1", takeover, 15, []string{d + "; server_no_context_takeover"}, d + "; server_no_context_takeover"},
		{"7.1.1.2", takeover, 15, []string{d + "; client_no_context_takeover"}, d + "; client_no_context_takeover"},
		{"no takeover wanted here", noTakeover, 0, []string{d + "; client_max_window_bits"},
			d + "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=15"},
		{"quoted values", takeover, 0, []string{d + `; client_max_window_bits="10"; server_max_window_bits="\9"`},
			d + "; server_max_window_bits=9; client_max_window_bits=10"},
		{"the first of several", takeover, 0, []string{d + "; client_max_window_bits=9, " + d + "; client_max_window_bits=10"},
			d + "; client_max_window_bits=9"},
		{"the first that keeps the rules", takeover, 0, []string{d + "; unheard_of, " + d + "; client_max_window_bits=7", d + "; client_max_window_bits=10"},
			d + "; client_max_window_bits=10"},
		{"behind another extension", takeover, 15, []string{"x-other; a=b", d}, d},
		{"only another extension", takeover, 0, []string{"x-webkit-deflate-frame"}, ""},
		{"an unknown parameter", takeover, 0, []string{d + "; max_window_bits=10"}, ""},
		{"a parameter twice", takeover, 0, []string{d + "; client_max_window_bits; client_max_window_bits=10"}, ""},
		{"the same parameter twice", takeover, 0, []string{d + "; server_no_context_takeover; server_no_context_takeover"}, ""},
		{"7.1.1.1: a value where there is none", takeover, 0, []string{d + "; server_no_context_takeover=1"}, ""},
		{"7.1.1.2: a value where there is none", takeover, 0, []string{d + "; client_no_context_takeover=true"}, ""},
		{"7.1.2.1: no value", takeover, 0, []string{d + "; server_max_window_bits"}, ""},
		{"7.1.2.1: too small", takeover, 0, []string{d + "; server_max_window_bits=7"}, ""},
		{"7.1.2.1: too big", takeover, 0, []string{d + "; server_max_window_bits=16"}, ""},
		{"7.1.2.1: leading zero", takeover, 0, []string{d + "; server_max_window_bits=08"}, ""},
		{"7.1.2.1: no number", takeover, 0, []string{d + "; server_max_window_bits=x"}, ""},
		{"7.1.2.1: a sign", takeover, 0, []string{d + "; server_max_window_bits=+9"}, ""},
		{"7.1.2.2: too big", takeover, 0, []string{d + "; client_max_window_bits=16"}, ""},
		{"7.1.2.2: empty", takeover, 0, []string{d + `; client_max_window_bits=12a`}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, &websocket.AcceptOptions{Compression: websocket.Compression{Mode: test.mode, WindowBits: test.bits}}, nil)
			p, got := s.openDeflate(test.offers...)
			if strings.Join(got, "|") != test.want {
				t.Fatalf("%q is answered with %q, want %q", test.offers, got, test.want)
			}
			p.send(fin|text, "uncompressed") // always allowed (section 6)
			p.expect(text, "uncompressed")
		})
	}
}

func TestClient_7692_7_1_ResponsesAreJudged(t *testing.T) {
	const d = "permessage-deflate"
	takeover, noTakeover, off := websocket.CompressionTakeover, websocket.CompressionNoTakeover, websocket.CompressionOff
	for _, test := range []struct {
		name     string
		mode     websocket.CompressionMode
		bits     int
		response string
		ok       bool
	}{
		{"declined", takeover, 0, "", true},
		{"not offered", off, 0, d, false},
		{"agreed", takeover, 15, d, true},
		{"7.1.2.1: agreed with the window", takeover, 0, d + "; server_max_window_bits=12", true},
		{"7.1.2.1: with a smaller one", takeover, 0, d + `; server_max_window_bits="8"`, true},
		{"7.1.2.1: with a bigger one", takeover, 0, d + "; server_max_window_bits=13", false},
		{"7.1.2.1: the window is left out", takeover, 0, d, false},
		{"7.1.1.1: the second offer, no takeover instead of a window", takeover, 0, d + "; server_no_context_takeover", true},
		{"7.1.2.1: a window though none was asked for", takeover, 15, d + "; server_max_window_bits=10", true},
		{"7.1.1.1: no takeover though none was asked for", takeover, 15, d + "; server_no_context_takeover", true},
		{"7.1.1.2: no takeover for us", takeover, 15, d + "; client_no_context_takeover", true},
		{"7.1.2.2: a window for us", takeover, 15, d + "; client_max_window_bits=8", true},
		{"7.1.2.2: without a value", takeover, 15, d + "; client_max_window_bits", false},
		{"7.1.2.2: too small", takeover, 15, d + "; client_max_window_bits=7", false},
		{"7.1.2.1: too big", takeover, 15, d + "; server_max_window_bits=16", false},
		{"no takeover agreed", noTakeover, 0, d + "; server_no_context_takeover; client_no_context_takeover", true},
		{"7.1.1.1: no takeover asked for, and ignored", noTakeover, 0, d, false},
		{"an unknown parameter", takeover, 15, d + "; fast", false},
		{"a parameter twice", takeover, 15, d + "; server_max_window_bits=10; server_max_window_bits=10", false},
		{"7.1.1.1: a value where there is none", takeover, 15, d + "; server_no_context_takeover=0", false},
		{"two agreed", takeover, 15, d + ", " + d, false},
		{"another one", takeover, 15, "x-other", false},
		{"broken grammar", takeover, 15, d + ";", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := &websocket.DialOptions{Compression: websocket.Compression{Mode: test.mode, WindowBits: test.bits}}
			d, _ := dialDeflate(t, o, test.response)
			if test.ok {
				if d.err != nil {
					t.Fatal(d.err)
				}
				return
			}
			if e, ok := errors.AsType[*websocket.HandshakeError](d.err); !ok || e.Code != "bad_response" || d.c != nil {
				t.Fatalf("got %v", d.err)
			}
		})
	}
}

func TestClient_7692_7_1_OffersAreInOrderOfPreference(t *testing.T) {
	for _, test := range []struct {
		o    websocket.Compression
		want string
	}{
		{websocket.Compression{}, ""},
		{websocket.Compression{Mode: websocket.CompressionTakeover},
			"permessage-deflate; server_max_window_bits=12; client_max_window_bits, permessage-deflate; server_no_context_takeover; client_max_window_bits"},
		{websocket.Compression{Mode: websocket.CompressionTakeover, WindowBits: 15}, "permessage-deflate; client_max_window_bits"},
		{websocket.Compression{Mode: websocket.CompressionNoTakeover},
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"},
	} {
		s := rawListen(t)
		ch := s.dial(&websocket.DialOptions{Compression: test.o})
		p, _, h := s.accept()
		if got := h.Get("Sec-WebSocket-Extensions"); got != test.want {
			t.Errorf("%+v: offered %q, want %q", test.o, got, test.want)
		}
		p.write(joinLines(responseLines(h)))
		if d := <-ch; d.err != nil {
			t.Error(d.err)
		}
	}
}

func TestBoth_7692_7_1_OptionsThatCannotBeAreRefused(t *testing.T) {
	for _, o := range []websocket.Compression{
		{Mode: -1}, {Mode: 3}, {Mode: websocket.CompressionTakeover, Level: 10}, {Mode: websocket.CompressionTakeover, Level: -1},
		{Mode: websocket.CompressionTakeover, WindowBits: 7}, {Mode: websocket.CompressionTakeover, WindowBits: 16},
	} {
		s := serve(t, &websocket.AcceptOptions{Compression: o}, nil)
		p := s.dialTCP()
		p.write(joinLines(s.requestLines()))
		status, _, body := p.readResponse()
		if e, ok := errors.AsType[*websocket.HandshakeError](s.end()); !ok || e.Code != "bad_option" || status != http.StatusInternalServerError {
			t.Errorf("%+v: %d %s, %v", o, status, body, e)
		}
		_, _, err := websocket.Dial(context.Background(), "ws://127.0.0.1:1/", &websocket.DialOptions{Compression: o})
		if e, ok := errors.AsType[*websocket.HandshakeError](err); !ok || e.Code != "bad_option" {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
