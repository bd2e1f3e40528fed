package websocket_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"parley/websocket"
)

// bothRoles runs a test against the server and against the client; p is the other side, and end returns how the endpoint's reading
// ended. The endpoint echoes.
func bothRoles(t *testing.T, o *websocket.AcceptOptions, test func(t *testing.T, p *rawPeer, end func() error)) {
	t.Run("server", func(t *testing.T) {
		s := serve(t, o, nil)
		test(t, s.open(), s.end)
	})
	t.Run("client", func(t *testing.T) {
		var d *websocket.DialOptions
		if o != nil {
			d = &websocket.DialOptions{
				ReadLimit: o.ReadLimit, FrameLimit: o.FrameLimit, PingInterval: o.PingInterval, PongTimeout: o.PongTimeout,
				WriteTimeout: o.WriteTimeout, CloseTimeout: o.CloseTimeout, MessageTimeout: o.MessageTimeout,
			}
		}
		c, p := meet(t, d)
		ch := reading(t, c)
		test(t, p, func() error { t.Helper(); return await(t, ch) })
	})
}

// refusedFrames sends the bytes in both roles and wants the connection failed with the code.
func refusedFrames(t *testing.T, code websocket.StatusCode, section string, bytesOf func(p *rawPeer) []byte) {
	t.Helper()
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
		t.Helper()
		p.write(bytesOf(p))
		p.expectFailure(int(code))
		p.nc.Close()
		if e := wantProtocolError(t, end(), code); e.Section != section || e.Text == "" {
			t.Fatalf("the error names section %s: %v", e.Section, e)
		}
	})
}

func TestServer_5_1_UnmaskedClientFrameIsRefused1002(t *testing.T) {
	for _, b0 := range []int{fin | text, fin | binaryOp, text, fin | ping, fin | pong, fin | closeOp} {
		s := serve(t, nil, nil)
		p := s.open()
		p.write(rawFrame(b0, false, []byte("ab"), 0))
		p.expectFailure(1002)
		p.nc.Close()
		wantProtocolError(t, s.end(), websocket.StatusProtocolError)
	}
}

func TestClient_5_1_MaskedServerFrameIsRefused1002(t *testing.T) {
	for _, b0 := range []int{fin | text, fin | binaryOp, text, fin | ping, fin | pong, fin | closeOp} {
		c, p := meet(t, nil)
		ch := reading(t, c)
		p.write(rawFrame(b0, true, []byte("ab"), 0))
		p.expectFailure(1002)
		p.nc.Close()
		wantProtocolError(t, await(t, ch), websocket.StatusProtocolError)
	}
}

func TestServer_5_1_FramesAreNotMasked(t *testing.T) {
	s := serve(t, nil, nil)
	p := s.open()
	p.send(fin|text, "Hello")
	if f := p.expect(text, "Hello"); f.masked {
		t.Fatal("masked")
	}
	p.send(fin|ping, "x")
	if f := p.expect(pong, "x"); f.masked {
		t.Fatal("masked")
	}
	p.sendClose(1000, "")
	if f := p.expectClose(1000); f.masked {
		t.Fatal("masked")
	}
}

func TestClient_5_3_FramesAreMaskedEachWithAFreshKey(t *testing.T) {
	c, p := meet(t, nil)
	ctx := testContext(t)
	message := []byte("Hello, this is the caller's slice")
	kept := bytes.Clone(message)
	keys := map[[4]byte]bool{}
	for range 50 {
		if err := c.Write(ctx, websocket.MessageText, message); err != nil {
			t.Fatal(err)
		}
		f := p.expect(text, string(kept))
		if !f.masked || keys[f.key] {
			t.Fatalf("masked %v, key %x", f.masked, f.key)
		}
		keys[f.key] = true
	}
	if !bytes.Equal(message, kept) {
		t.Fatal("the caller's slice was masked")
	}
	go c.Read(ctx)
	p.send(fin|ping, "x")
	if f := p.expect(pong, "x"); !f.masked || keys[f.key] {
		t.Fatalf("pong: masked %v, key %x", f.masked, f.key)
	}
	p.sendClose(1000, "")
	if f := p.expectClose(1000); !f.masked {
		t.Fatal("the Close frame is not masked")
	}
}

func TestServer_5_3_EveryKeyAndLengthIsUnmasked(t *testing.T) {
	s := serve(t, nil, nil)
	p := s.open()
	for n := range 70 {
		payload := strings.Repeat("abcdefghijklmnop", 5)[:n]
		p.send(fin|binaryOp, payload)
		p.expect(binaryOp, payload)
	}
}

func TestBoth_5_2_ReservedBitsAreRefused1002(t *testing.T) {
	for _, b0 := range []int{fin | rsv1 | text, fin | rsv2 | text, fin | rsv3 | text, rsv1 | binaryOp, fin | rsv1 | ping, fin | rsv3 | closeOp} {
		refusedFrames(t, 1002, "5.2", func(p *rawPeer) []byte { return p.frame(b0, "") })
	}
}

func TestBoth_5_2_ReservedOpcodesAreRefused1002(t *testing.T) {
	for _, op := range []int{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		refusedFrames(t, 1002, "5.2", func(p *rawPeer) []byte { return p.frame(fin|op, "") })
	}
}

func TestBoth_5_2_LengthNotMinimalIsRefused1002(t *testing.T) {
	for _, tc := range []struct{ n, bits int }{{0, 16}, {125, 16}, {0, 64}, {125, 64}, {126, 64}, {65535, 64}} {
		refusedFrames(t, 1002, "5.2", func(p *rawPeer) []byte {
			return rawFrame(fin|binaryOp, p.client, make([]byte, tc.n), tc.bits)
		})
	}
}

func TestBoth_5_2_TopBitOfLengthIsRefused1002(t *testing.T) {
	refusedFrames(t, 1002, "5.2", func(p *rawPeer) []byte {
		frame := rawFrame(fin|binaryOp, p.client, nil, 64)
		frame[2] = 0x80
		return frame
	})
}

func TestBoth_5_2_AllLengthEncodingsAreUnderstoodAndWritten(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		for _, tc := range []struct{ n, bits int }{
			{0, 7}, {1, 7}, {124, 7}, {125, 7}, {126, 16}, {127, 16}, {128, 16}, {4082, 16}, {4096, 16}, {65521, 16}, {65522, 16},
			{65535, 16}, {65536, 64}, {65537, 64}, {200_000, 64},
		} {
			payload := strings.Repeat("0123456789", tc.n/10+1)[:tc.n]
			go p.nc.Write(p.frame(fin|binaryOp, payload))
			if f := p.expect(binaryOp, payload); f.bits != tc.bits {
				t.Fatalf("%d bytes: length in %d bits, want %d", tc.n, f.bits, tc.bits)
			}
		}
	})
}

func TestBoth_5_4_FragmentsMakeOneMessage(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		p.send(text, "Hel")
		p.send(fin|cont, "lo")
		p.expect(text, "Hello")
		p.send(binaryOp, "")
		p.send(cont, "a")
		p.send(cont, "")
		p.send(cont, "b")
		p.send(fin|cont, "")
		p.expect(binaryOp, "ab")
		p.send(text, "")
		p.send(fin|cont, "")
		p.expect(text, "")
		for _, b := range p.frame(text, "byte by") { // each byte in a packet of its own
			p.write([]byte{b})
		}
		for _, b := range p.frame(fin|cont, " byte") {
			p.write([]byte{b})
		}
		p.expect(text, "byte by byte")
	})
}

func TestBoth_5_4_ControlFramesBetweenFragmentsAreAnswered(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		p.send(text, "Hel")
		p.send(fin|ping, "one")
		p.expect(pong, "one")
		p.send(cont, "l")
		p.send(fin|pong, "unasked")
		p.send(fin|ping, "")
		p.expect(pong, "")
		p.send(fin|cont, "o")
		p.expect(text, "Hello")
	})
}

func TestBoth_5_4_CloseBetweenFragmentsEndsTheMessage(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
		p.send(text, "Hel")
		p.sendClose(1001, "")
		p.expectClose(1001)
		p.nc.Close()
		wantClose(t, end(), 1001, "")
	})
}

func TestBoth_5_4_ContinuationOfNothingIsRefused1002(t *testing.T) {
	refusedFrames(t, 1002, "5.4", func(p *rawPeer) []byte { return p.frame(fin|cont, "x") })
	refusedFrames(t, 1002, "5.4", func(p *rawPeer) []byte { return p.frame(cont, "") })
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		p.send(fin|text, "whole")
		p.expect(text, "whole")
		p.send(fin|cont, "more")
		p.expectFailure(1002)
	})
}

func TestBoth_5_4_NewMessageWithinAMessageIsRefused1002(t *testing.T) {
	for _, b0 := range []int{text, fin | text, binaryOp, fin | binaryOp} {
		refusedFrames(t, 1002, "5.4", func(p *rawPeer) []byte { return append(p.frame(text, "a"), p.frame(b0, "b")...) })
	}
}

func TestBoth_5_4_WriterSendsFragmentsThatDoNotMix(t *testing.T) {
	handle := func(c *websocket.Conn) error {
		ctx := testContext(t)
		go c.Read(ctx) // answers pings
		w, err := c.Writer(ctx, websocket.MessageText)
		if err != nil {
			return err
		}
		second := make(chan error, 1)
		go func() { second <- c.Write(ctx, websocket.MessageBinary, []byte("other")) }()
		for range 3 {
			if _, err := fmt.Fprint(w, strings.Repeat("é", 3000)); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		return <-second
	}
	check := func(t *testing.T, p *rawPeer) {
		var whole []byte
		for n := 0; ; n++ {
			f := p.recv()
			if f.op == binaryOp && n == 0 { // written before the Writer began
				n--
				continue
			}
			if want := map[bool]int{true: text, false: cont}[n == 0]; f.op != want {
				t.Fatalf("frame %d has opcode %d", n, f.op)
			}
			whole = append(whole, f.payload...)
			if f.fin {
				if n < 2 {
					t.Fatalf("%d frames", n+1)
				}
				break
			}
		}
		if string(whole) != strings.Repeat("é", 9000) {
			t.Fatal("the message is another")
		}
	}
	t.Run("client", func(t *testing.T) {
		c, p := meet(t, nil)
		ch := make(chan error, 1)
		go func() { ch <- handle(c) }()
		check(t, p)
		p.expect(binaryOp, "other")
		if err := await(t, ch); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("server", func(t *testing.T) {
		s := serve(t, nil, nil)
		p := s.open()
		c := <-s.conns
		s.t.Cleanup(func() { c.CloseNow() })
		ch := make(chan error, 1)
		go func() { ch <- handle(c) }()
		check(t, p)
	})
}

func TestBoth_5_5_FragmentedControlFrameIsRefused1002(t *testing.T) {
	for _, op := range []int{ping, pong, closeOp} {
		refusedFrames(t, 1002, "5.5", func(p *rawPeer) []byte { return p.frame(op, "") })
	}
}

func TestBoth_5_5_ControlFrameOver125BytesIsRefused1002(t *testing.T) {
	for _, op := range []int{ping, pong, closeOp} {
		refusedFrames(t, 1002, "5.5", func(p *rawPeer) []byte { return p.frame(fin|op, strings.Repeat("\x03\xe8", 63)) })
		refusedFrames(t, 1002, "5.5", func(p *rawPeer) []byte { return rawFrame(fin|op, p.client, make([]byte, 65536), 0) })
	}
}

func TestBoth_5_5_2_PingIsAnsweredWithItsPayload(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		for _, payload := range []string{"", "x", "\x00\xff\xfe", strings.Repeat("y", 125)} {
			p.send(fin|ping, payload)
			p.expect(pong, payload)
		}
		frame := p.frame(fin|ping, "in two halves")
		p.write(frame[:7])
		p.write(frame[7:])
		p.expect(pong, "in two halves")
		// All pings of one packet are answered, in order, also before a message that follows them.
		var packet []byte
		payload := func(i int) string { return fmt.Sprintf("ping %120d", i) }
		for i := range 200 {
			packet = append(packet, p.frame(fin|ping, payload(i))...)
		}
		p.write(packet, p.frame(fin|text, "hello"))
		for i := range 200 {
			p.expect(pong, payload(i))
		}
		p.expect(text, "hello")
	})
}

func TestBoth_5_5_3_UnsolicitedPongIsIgnored(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		p.send(fin|pong, "")
		p.send(fin|pong, "12345678")
		p.send(fin|pong, strings.Repeat("x", 125))
		p.send(fin|text, "still here")
		p.expect(text, "still here")
	})
}

func TestBoth_5_6_TextMustBeUTF8ToBeSent(t *testing.T) {
	c, p := meet(t, nil)
	ctx := testContext(t)
	bad := []byte("a\xffb")
	if err := c.Write(ctx, websocket.MessageText, bad); err != websocket.ErrInvalidUTF8 {
		t.Fatal(err)
	}
	if err := c.WriteMany(ctx, websocket.MessageText, [][]byte{[]byte("fine"), bad}); err != websocket.ErrInvalidUTF8 {
		t.Fatal(err)
	}
	w, err := c.Writer(ctx, websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bad); err != websocket.ErrInvalidUTF8 {
		t.Fatal(err)
	}
	if err := w.Close(); err != websocket.ErrInvalidUTF8 {
		t.Fatal(err)
	}
	if err := c.Write(ctx, 0, nil); err != websocket.ErrMessageType {
		t.Fatal(err)
	}
	if err := c.Write(ctx, websocket.MessageBinary, bad); err != nil { // and nothing of the above was sent
		t.Fatal(err)
	}
	p.expect(binaryOp, string(bad))
}
