package websocket_test

import (
	"bytes"
	"context"
	"errors"
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
func deflated(plain string) string { return deflatedWithin(12, plain) }

func deflatedWithin(bits int, plain string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriterWindow(&b, 1<<bits)
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

func TestBoth_7692_6_ReservedBitsAreRefused1002(t *testing.T) {
	hello := deflated("Hello")
	for name, frames := range map[string]func(p *deflatePeer) []byte{
		"RSV1 on a continuation": func(p *deflatePeer) []byte {
			return append(p.frame(rsv1|text, hello[:3]), p.frame(fin|rsv1|cont, hello[3:])...)
		},
		"RSV1 on a continuation of an uncompressed message": func(p *deflatePeer) []byte {
			return append(p.frame(text, "a"), p.frame(fin|rsv1|cont, hello)...)
		},
		"RSV1 on a ping":   func(p *deflatePeer) []byte { return p.frame(fin|rsv1|ping, hello) },
		"RSV1 on a pong":   func(p *deflatePeer) []byte { return p.frame(fin|rsv1|pong, hello) },
		"RSV1 on a Close":  func(p *deflatePeer) []byte { return p.frame(fin|rsv1|closeOp, "") },
		"RSV2":             func(p *deflatePeer) []byte { return p.frame(fin|rsv2|text, hello) },
		"RSV1 and RSV3":    func(p *deflatePeer) []byte { return p.frame(fin|rsv1|rsv3|text, hello) },
		"RSV1 on opcode 3": func(p *deflatePeer) []byte { return p.frame(fin|rsv1|3, hello) },
	} {
		t.Run(name, func(t *testing.T) {
			bothDeflate(t, takeover, 0, func(t *testing.T, p *deflatePeer, end func() error) {
				p.write(frames(p))
				p.expectFailure(1002)
				p.nc.Close()
				wantProtocolError(t, end(), websocket.StatusProtocolError)
			})
		})
	}
}

func TestBoth_7692_6_RSV1WithoutNegotiationIsRefused1002(t *testing.T) {
	s := serve(t, &websocket.AcceptOptions{Compression: takeover}, nil)
	p, _ := s.openDeflate() // offers nothing
	p.send(fin|rsv1|text, deflated("Hello"))
	p.expectFailure(1002)
	d, q := dialDeflate(t, &websocket.DialOptions{Compression: takeover}, "")
	if d.err != nil {
		t.Fatal(d.err)
	}
	reading(t, d.c)
	q.send(fin|rsv1|text, deflated("Hello"))
	q.expectFailure(1002)
}

func TestBoth_7692_6_1_FragmentsAreOneCompressedMessage(t *testing.T) {
	bothDeflate(t, takeover, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
		const message = "Hello, compressed and fragmented World"
		body := deflated(message)
		for n := 0; n <= len(body); n++ { // also empty fragments; a ping lies between them, which is not compressed
			p.write(p.frame(rsv1|text, body[:n]), p.frame(fin|ping, "Hello, Hello, Hello"), p.frame(cont, ""), p.frame(fin|cont, body[n:]))
			f, err := readWireFrame(p.br)
			if err != nil || f.op != pong || f.rsv != 0 || string(f.payload) != "Hello, Hello, Hello" {
				t.Fatalf("%+v %v", f, err)
			}
			p.expectMessage(text, message)
		}
	})
}

// Section 7.2.3 has the bytes, and 7.2.1 what may stand at the end of a message.
func TestBoth_7692_7_2_3_ExamplesAreUnderstood(t *testing.T) {
	bothDeflate(t, takeover, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
		for _, example := range []struct{ name, payload, plain string }{
			{"7.2.3.1", "\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello"},
			{"7.2.3.2, the window of the message before", "\xf2\x00\x11\x00\x00", "Hello"},
			{"7.2.3.3, a block without compression", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello"},
			{"7.2.3.4, BFINAL", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"},
			{"7.2.3.4, BFINAL without the byte behind it", "\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello"},
			{"7.2.3.5, two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"},
			{"7.2.3.6, empty", "\x00", ""},
			{"7.2.1, an empty final block", "\x01\x00\x00\xff\xff\x00", ""},
			{"7.2.1, an empty block with fixed codes", "\x02\x00", ""},
			{"nothing was left out", "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", "Hello"},
			{"no bytes at all", "", ""},
		} {
			p.send(fin|rsv1|text, example.payload)
			op, got, _ := p.receive()
			if op != text || string(got) != example.plain {
				t.Fatalf("%s: opcode %d, %q", example.name, op, got)
			}
		}
		p.write(p.frame(rsv1|text, "\xf2\x48\xcd"), p.frame(fin|cont, "\xc9\xc9\x07\x00")) // as 7.2.3.1 fragments it
		p.expectMessage(text, "Hello")
	})
}

func TestBoth_7692_7_2_2_DataThatIsNotDEFLATEIsRefused1007(t *testing.T) {
	for name, payload := range map[string]string{
		"reserved block type":         "\x06",
		"lengths that do not agree":   "\x00\x05\x00\xff\xff\x48\x65\x6c\x6c\x6f\x00",
		"cut within a block":          "\xf2\x48\xcd\xc9",
		"a reference before the data": "\x02\x11\x00\x00",
		"plain text":                  "Hello, World",
	} {
		t.Run(name, func(t *testing.T) {
			bothDeflate(t, noTakeover, 0, func(t *testing.T, p *deflatePeer, end func() error) {
				p.send(fin|rsv1|binaryOp, payload)
				p.expectFailure(1007)
				p.nc.Close()
				wantProtocolError(t, end(), websocket.StatusInvalidPayload)
			})
		})
	}
}

// A window is what was agreed on: references within it are followed, further ones refused.
func TestServer_7692_7_1_2_ReferencesBeyondTheWindowAreRefused1007(t *testing.T) {
	for _, distance := range []int{256, 257} {
		s := serve(t, &websocket.AcceptOptions{Compression: takeover}, nil)
		p, _ := s.openDeflate("permessage-deflate; client_max_window_bits=8")
		first := string(websocket.SomeText(distance, 7, 1))
		p.send(fin|rsv1|binaryOp, "\x00"+string([]byte{byte(distance), byte(distance >> 8), ^byte(distance), ^byte(distance >> 8)})+first+"\x00")
		p.expectMessage(binaryOp, first)
		p.send(fin|rsv1|binaryOp, repeatFrom(t, first))
		if distance == 256 {
			p.expectMessage(binaryOp, first[:64])
		} else {
			p.expectFailure(1007)
		}
	}
}

// repeatFrom compresses the first 64 bytes of what was sent before as references to it.
func repeatFrom(t testing.TB, before string) string {
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, 9, []byte(before))
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(before[:64]))
	w.Flush()
	if b.Len() > 40 {
		t.Fatalf("%d bytes: there is no reference", b.Len())
	}
	return string(b.Bytes()[:b.Len()-4])
}

func TestBoth_7692_7_1_1_WithoutTakeoverNothingIsRemembered(t *testing.T) {
	bothDeflate(t, noTakeover, 0, func(t *testing.T, p *deflatePeer, end func() error) {
		p.forget = true // receive refuses references to other messages
		message := strings.Repeat("some words that come again ", 3)
		for range 3 {
			p.send(fin|rsv1|text, deflated(message))
			p.expectMessage(text, message)
		}
		p.send(fin|rsv1|text, repeatFrom(t, message))
		p.expectFailure(1007)
		p.nc.Close()
		wantProtocolError(t, end(), websocket.StatusInvalidPayload)
	})
}

func TestBoth_7692_7_1_1_WithTakeoverMessagesReferToThoseBefore(t *testing.T) {
	bothDeflate(t, takeover, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
		message := string(websocket.SomeText(300, 3, 0))
		p.send(fin|rsv1|binaryOp, deflated(message))
		p.expectMessage(binaryOp, message)
		p.send(fin|rsv1|binaryOp, repeatFrom(t, message))
		f, err := readWireFrame(p.br)
		if err != nil || f.rsv != rsv1 || len(f.payload) > 40 {
			t.Fatalf("64 bytes that were sent before are sent as %d, %v", len(f.payload), err)
		}
		got, err := websocket.StrictInflate(12, p.history, f.payload, nil)
		if err != nil || string(got) != message[:64] {
			t.Fatalf("%q %v", got, err)
		}
	})
}

// What was sent uncompressed is in no window.
func TestBoth_7692_7_2_2_UncompressedMessagesAreNotRemembered(t *testing.T) {
	o := websocket.Compression{Mode: websocket.CompressionTakeover, Threshold: 50}
	bothDeflate(t, o, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
		message := string(websocket.SomeText(300, 3, 0))
		for range 3 {
			p.send(fin|rsv1|binaryOp, deflated(message))
			p.expectMessage(binaryOp, message)
			p.send(fin|binaryOp, message[:49])
			if op, got, compressed := p.receive(); op != binaryOp || compressed || string(got) != message[:49] {
				t.Fatalf("%q, compressed %v", got, compressed)
			}
			p.send(fin|rsv1|binaryOp, repeatFrom(t, message)) // its distances count from the compressed message
			p.expectMessage(binaryOp, message[:64])
		}
	})
}

func TestBoth_7692_6_SmallMessagesAreSentAsTheyAre(t *testing.T) {
	o := websocket.Compression{Mode: websocket.CompressionTakeover} // the default threshold
	bothDeflate(t, o, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
		for n, want := range map[int]bool{0: false, 127: false, 128: true, 200: true} {
			message := strings.Repeat("x", n)
			p.send(fin|text, message)
			if _, got, compressed := p.receive(); string(got) != message || compressed != want {
				t.Fatalf("%d bytes: compressed %v", n, compressed)
			}
		}
	})
}

func TestBoth_7692_7_2_LimitIsOfDecompressedBytes(t *testing.T) {
	const limit = 10_000
	bothDeflate(t, takeover, limit, func(t *testing.T, p *deflatePeer, end func() error) {
		for _, kind := range []int{0, 1, 2} { // noise too, which compression makes longer
			message := string(websocket.SomeText(limit, 1, kind))
			p.send(fin|rsv1|binaryOp, deflated(message))
			p.expectMessage(binaryOp, message)
		}
		p.send(fin|rsv1|binaryOp, deflated(strings.Repeat("x", limit+1)))
		p.expectFailure(1009)
		p.nc.Close()
		if err := end(); !errors.Is(err, websocket.ErrMessageTooBig) {
			t.Fatal(err)
		}
	})
}

func TestBoth_7692_7_2_EmptyBlocksWithoutEndAreRefused1009(t *testing.T) {
	const limit = 10_000
	bothDeflate(t, takeover, limit, func(t *testing.T, p *deflatePeer, _ func() error) {
		blocks := strings.Repeat("\x00\x00\x00\xff\xff", limit/10)
		p.send(rsv1|binaryOp, blocks)
		p.send(cont, blocks)
		p.send(cont, blocks)
		p.expectFailure(1009)
	})
}

func TestBoth_7692_7_2_TextIsCheckedAsItIsDecompressed(t *testing.T) {
	for name, plain := range map[string]string{"bad byte": "abc\xffdef", "cut character": "abc\xe2\x82", "surrogate": "\xed\xa0\x80"} {
		t.Run(name, func(t *testing.T) {
			bothDeflate(t, takeover, 0, func(t *testing.T, p *deflatePeer, end func() error) {
				p.send(fin|rsv1|binaryOp, deflated(plain)) // bytes may be anything
				p.expectMessage(binaryOp, plain)
				p.send(fin|rsv1|text, deflated(plain))
				p.expectFailure(1007)
				p.nc.Close()
				wantProtocolError(t, end(), websocket.StatusInvalidPayload)
			})
		})
	}
	t.Run("before the message ends", func(t *testing.T) {
		bothDeflate(t, takeover, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
			p.send(rsv1|text, "\x00\x02\x00\xfd\xffa\xff") // a stored block with a byte that is in no text
			p.expectFailure(1007)
		})
	})
	t.Run("a character across fragments", func(t *testing.T) {
		bothDeflate(t, takeover, 0, func(t *testing.T, p *deflatePeer, _ func() error) {
			p.write(p.frame(rsv1|text, "\x00\x02\x00\xfd\xff\xe2\x82"), p.frame(fin|cont, "\x00\x01\x00\xfe\xff\xac\x00"))
			p.expectMessage(text, "€")
		})
	})
}

// A stream is compressed as one message, in fragments of which only the first is marked.
func TestBoth_7692_6_1_WriterCompressesItsFragments(t *testing.T) {
	write := func(t *testing.T, c *websocket.Conn, message string) {
		w, err := c.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		for rest := message; rest != ""; {
			n := min(1000, len(rest))
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []websocket.Compression{takeover, noTakeover, {Mode: websocket.CompressionTakeover, WindowBits: 15}} {
		s := serve(t, &websocket.AcceptOptions{Compression: o}, func(ctx context.Context, c *websocket.Conn) error {
			<-ctx.Done()
			return nil
		})
		p, _ := s.openDeflate("permessage-deflate")
		c := <-s.conns
		p.forget = o.Mode == websocket.CompressionNoTakeover
		for i, n := range []int{100_000, 5000, 4096, 4097, 200} {
			message := string(websocket.SomeText(n, uint64(i), 0))
			write(t, c, message)
			p.expectMessage(text, message)
			if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
				t.Fatal(err)
			}
			p.expectMessage(text, message)
		}
	}
}
