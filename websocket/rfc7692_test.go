package websocket_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"

	"parley/websocket"
)

// The conformance tests of permessage-deflate (RFC 7692). The peers are written by hand, and refuse every reference beyond the window
// that was agreed on.

var (
	takeover   = websocket.Compression{Mode: websocket.CompressionTakeover, Threshold: -1}
	noTakeover = websocket.Compression{Mode: websocket.CompressionNoTakeover, Threshold: -1}
)

// deflatePeer is a peer that speaks permessage-deflate.
type deflatePeer struct {
	*rawPeer
	bits    int    // of the window of what it receives
	forget  bool   // what it receives does not refer back
	history []byte // of what it received
}

// openDeflate does a handshake with the offer, and returns the response's extensions.
func (s *server) openDeflate(offers ...string) (*deflatePeer, []string) {
	s.t.Helper()
	p := s.dialTCP()
	lines := s.requestLines()
	for _, offer := range offers {
		lines = append(lines, "Sec-WebSocket-Extensions: "+offer)
	}
	p.write(joinLines(lines))
	status, h, body := p.readResponse()
	if status != 101 {
		s.t.Fatalf("the handshake was answered with %d %s", status, body)
	}
	return &deflatePeer{rawPeer: p, bits: 15}, h.Values("Sec-WebSocket-Extensions")
}

// dialDeflate answers a Dial with the extensions.
func dialDeflate(t testing.TB, o *websocket.DialOptions, response string) (dialed, *deflatePeer) {
	t.Helper()
	s := rawListen(t)
	ch := s.dial(o)
	p, _, h := s.accept()
	lines := responseLines(h)
	if response != "" {
		lines = append(lines, "Sec-WebSocket-Extensions: "+response)
	}
	p.write(joinLines(lines))
	return <-ch, &deflatePeer{rawPeer: p, bits: 15}
}

// bothDeflate runs a test against a server and a client that echo and have agreed on compression; the peer is the other side.
func bothDeflate(t *testing.T, o websocket.Compression, limit int64, test func(t *testing.T, p *deflatePeer, end func() error)) {
	const takesAll = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"
	t.Run("server", func(t *testing.T) {
		s := serve(t, &websocket.AcceptOptions{Compression: o, ReadLimit: limit}, nil)
		p, _ := s.openDeflate(takesAll)
		test(t, p, s.end)
	})
	t.Run("client", func(t *testing.T) {
		response := takesAll
		if o.Mode == websocket.CompressionNoTakeover {
			response += "; server_no_context_takeover; client_no_context_takeover"
		}
		d, p := dialDeflate(t, &websocket.DialOptions{Compression: o, ReadLimit: limit}, response)
		if d.err != nil {
			t.Fatal(d.err)
		}
		ch := reading(t, d.c)
		test(t, p, func() error { t.Helper(); return await(t, ch) })
	})
}

// deflated compresses by itself, as section 7.2.1 has it, with a window of 12 bits.
func deflated(plain string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriterWindow(&b, 1<<12)
	w.Write([]byte(plain))
	w.Flush()
	return string(b.Bytes()[:b.Len()-4])
}

// receive waits for a whole message, which is in one or several frames, and decompresses it.
func (p *deflatePeer) receive() (op int, plain []byte, compressed bool) {
	p.t.Helper()
	var payload []byte
	for first := true; ; first = false {
		f, err := readWireFrame(p.br)
		if err != nil {
			p.t.Fatalf("waiting for a message: %v", err)
		}
		if first {
			op, compressed = f.op, f.rsv == rsv1
		} else if f.op != cont {
			p.t.Fatalf("opcode %d within a message", f.op)
		}
		if f.rsv&^rsv1 != 0 || (f.rsv != 0 && !first) || f.masked == p.client {
			p.t.Fatalf("frame %+v", f)
		}
		payload = append(payload, f.payload...)
		if f.fin {
			break
		}
	}
	if !compressed {
		return op, payload, false
	}
	plain, err := websocket.StrictInflate(p.bits, p.history, payload, nil)
	if err != nil {
		p.t.Fatalf("a message of %d bytes: %v", len(payload), err)
	}
	if !p.forget {
		p.history = append(p.history, plain...)
		p.history = p.history[max(0, len(p.history)-1<<p.bits):]
	}
	return op, plain, true
}

func (p *deflatePeer) expectMessage(op int, want string) {
	p.t.Helper()
	gotOp, got, compressed := p.receive()
	if gotOp != op || string(got) != want || !compressed {
		p.t.Fatalf("got opcode %d, compressed %v, %d bytes %.60q; want opcode %d, %d bytes %.60q", gotOp, compressed, len(got), got, op, len(want), want)
	}
}

func TestBoth_7692_7_2_MessagesAreCompressedBothWays(t *testing.T) {
	for _, o := range []websocket.Compression{takeover, noTakeover} {
		bothDeflate(t, o, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
			p.bits, p.forget = 12, o.Mode == websocket.CompressionNoTakeover
			for i, message := range []string{"Hello", strings.Repeat("Hello, ", 3000), "", "Hello", string(websocket.SomeText(100_000, 1, 0))} {
				op := []int{text, binaryOp}[i%2]
				p.send(fin|rsv1|op, deflated(message))
				p.expectMessage(op, message)
			}
		})
	}
}

func TestBoth_7692_EndpointsUnderstandEachOther(t *testing.T) {
	for name, o := range map[string]websocket.Compression{
		"takeover": takeover, "no takeover": noTakeover,
		"small window":            {Mode: websocket.CompressionTakeover, WindowBits: 8, Level: 9},
		"full window":             {Mode: websocket.CompressionTakeover, WindowBits: 15},
		"no takeover, 512 bytes":  {Mode: websocket.CompressionNoTakeover, WindowBits: 9},
		"only the server offered": {},
	} {
		t.Run(name, func(t *testing.T) {
			accept := o
			if o.Mode == websocket.CompressionOff {
				accept = takeover
			}
			s := serve(t, &websocket.AcceptOptions{Compression: accept}, nil)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			c, _, err := websocket.Dial(ctx, s.url(), &websocket.DialOptions{Compression: o})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			for i, n := range []int{0, 1, 127, 128, 500, 500, 5000, 70_000, 1_000_000} {
				message := websocket.SomeText(n, uint64(i%3), i%4)
				if err := c.Write(ctx, websocket.MessageBinary, message); err != nil {
					t.Fatal(err)
				}
				if _, got, err := c.Read(ctx); err != nil || !bytes.Equal(got, message) {
					t.Fatalf("%v, %d bytes, want %d", err, len(got), n)
				}
			}
		})
	}
}
