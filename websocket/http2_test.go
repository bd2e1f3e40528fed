package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"parley/websocket"
)

// The tests of RFC 8441, by its sections.

func TestServer_8441_3_SettingIsAnnounced(t *testing.T) {
	s := serveH2(t, nil, nil)
	if got := connectH2(t, s.addr).settings[http2.SettingEnableConnectProtocol]; got != 1 {
		t.Fatalf("SETTINGS_ENABLE_CONNECT_PROTOCOL is %d", got)
	}
}

func TestServer_8441_5_HandshakeIsAnsweredAsInTheExample(t *testing.T) {
	s := serveH2(t, &websocket.AcceptOptions{Subprotocols: []string{"chat"}}, nil)
	p := connectH2(t, s.addr)
	stream, h := p.request(append(p.connectFields(), [2]string{"sec-websocket-protocol", "superchat, chat"}, [2]string{"sec-websocket-extensions", "x-unknown"})...)
	delete(h, "date")
	want := map[string]string{":status": "200", "sec-websocket-protocol": "chat", "set-cookie": "a=b"}
	for name, values := range h {
		if len(values) != 1 || want[name] != values[0] {
			t.Errorf("%s: %q, want %q", name, values, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("the answer has no %v", want)
	}
	if c := <-s.conns; c.Subprotocol() != "chat" || c.LocalAddr().String() != s.addr || c.RemoteAddr().String() != p.tls.LocalAddr().String() {
		t.Error(c.Subprotocol(), c.LocalAddr(), c.RemoteAddr())
	}
	stream.endStream()
	s.end()
}

func TestServer_8441_5_FramesAreThoseOfRFC6455(t *testing.T) {
	s := serveH2(t, nil, nil)
	h2 := connectH2(t, s.addr)
	first, _ := h2.open()
	second, _ := h2.open() // another stream of the same connection
	big := strings.Repeat("0123456789abcdef", 10_000)
	for _, p := range []*rawPeer{first, second, first} {
		p.send(fin|text, "hello")
		p.expect(text, "hello")
		p.send(fin|ping, "are you there")
		p.expect(pong, "are you there")
		p.write(p.frame(binaryOp, big), p.frame(fin|ping, "between"), p.frame(fin|cont, "end"))
		p.expect(pong, "between")
		p.expect(binaryOp, big+"end")
		for _, b := range p.frame(fin|text, "byte by byte") {
			p.write([]byte{b})
		}
		p.expect(text, "byte by byte")
	}
}

func TestServer_8441_4_BadHandshakesAreRefused(t *testing.T) {
	s := serveH2(t, nil, nil)
	p := connectH2(t, s.addr)
	for name, c := range map[string]struct {
		change       [][2]string // fields that replace those of the name; "" leaves one out
		status, code string
	}{
		"a GET":                     {[][2]string{{":method", "GET"}, {":protocol", ""}}, "505", "http2"},
		"another protocol":          {[][2]string{{":protocol", "connect-udp"}}, "505", "http2"},
		"no version":                {[][2]string{{"sec-websocket-version", ""}}, "400", "bad_handshake"},
		"another version":           {[][2]string{{"sec-websocket-version", "8"}}, "426", "version"},
		"a foreign origin":          {[][2]string{{"origin", "https://evil.example"}}, "403", "origin"},
		"a length":                  {[][2]string{{"content-length", "5"}}, "400", "body"},
		"equal subprotocols":        {[][2]string{{"sec-websocket-protocol", "a, a"}}, "400", "bad_handshake"},
		"malformed extensions":      {[][2]string{{"sec-websocket-extensions", "a;;b"}}, "400", "bad_handshake"},
		"nothing wrong, the origin": {[][2]string{{"origin", ""}}, "200", ""},
	} {
		fields := p.connectFields()
		for _, change := range c.change {
			var kept [][2]string
			for _, f := range fields {
				if f[0] != change[0] {
					kept = append(kept, f)
				}
			}
			if fields = kept; change[1] != "" {
				at := 0
				if change[0][0] != ':' {
					at = len(fields)
				}
				fields = append(fields[:at:at], append([][2]string{change}, fields[at:]...)...)
			}
		}
		stream, h := p.request(fields...)
		if got := h[":status"][0]; got != c.status || h["connection"] != nil || h["upgrade"] != nil {
			t.Errorf("%s: %v", name, h)
		}
		if c.status == "426" && h["sec-websocket-version"][0] != "13" {
			t.Errorf("%s: %v", name, h)
		}
		stream.endStream()
		e, _ := errors.AsType[*websocket.HandshakeError](s.end())
		if c.code != "" && (e == nil || e.Code != c.code) {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestServer_8441_5_ClosingHandshakeEndsTheStream(t *testing.T) {
	s := serveH2(t, nil, nil)
	p, stream := connectH2(t, s.addr).open()
	p.sendClose(4001, "bye")
	p.expectClose(4001)
	if _, err := stream.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the stream ended with %v, not END_STREAM", err)
	}
	wantClose(t, s.end(), 4001, "bye")
}

func TestServer_8441_5_CloseOfTheServerIsAnswered(t *testing.T) {
	s := serveH2(t, nil, func(ctx context.Context, c *websocket.Conn) error { return c.Close(4002, "enough") })
	p, stream := connectH2(t, s.addr).open()
	if f := p.expectClose(4002); string(f.payload[2:]) != "enough" {
		t.Fatalf("%q", f.payload)
	}
	p.sendClose(4002, "")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the stream ended with %v, not END_STREAM", err)
	}
}

// END_STREAM and RST_STREAM are what the end and the reset of TCP are otherwise.
func TestServer_8441_5_EndOfTheStreamWithoutCloseFrameIs1006(t *testing.T) {
	s := serveH2(t, nil, nil)
	h2 := connectH2(t, s.addr)
	_, ended := h2.open()
	ended.endStream()
	err := s.end()
	wantClose(t, err, websocket.StatusAbnormalClosure, "")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	p, stream := h2.open()
	p.send(fin|text, "open") // once this is echoed, Accept has returned
	p.expect(text, "open")
	stream.reset(http2.ErrCodeCancel)
	err = s.end()
	wantClose(t, err, websocket.StatusAbnormalClosure, "")
	if errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal("a reset looks like an orderly end:", err)
	}
	p, _ = h2.open()
	p.send(fin|text, "open")
	p.expect(text, "open")
	h2.tls.Close()
	wantClose(t, s.end(), websocket.StatusAbnormalClosure, "")
}

func TestServer_8441_5_PeerThatBreaksARuleIsToldWhich(t *testing.T) {
	s := serveH2(t, nil, nil)
	p, _ := connectH2(t, s.addr).open()
	p.write(rawFrame(fin|text, false, []byte("not masked"), 0), p.frame(fin|text, "unread"))
	p.expectFailure(1002) // without waiting for the peer's Close frame
	wantProtocolError(t, s.end(), 1002)
}

func TestConn_HTTP2_CancelledReadLeavesTheConnectionUsable(t *testing.T) {
	s := serveH2(t, nil, func(ctx context.Context, c *websocket.Conn) error {
		for range 3 {
			short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
			_, _, err := c.Read(short)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
		if err := c.Write(ctx, websocket.MessageText, []byte("go on")); err != nil {
			return err
		}
		return echo(ctx, c)
	})
	p, stream := connectH2(t, s.addr).open()
	p.expect(text, "go on")
	p.send(fin|text, "usable")
	p.expect(text, "usable")
	stream.endStream()
	wantClose(t, s.end(), 1006, "")
}

// The server's own timeouts (of serveH2) are for requests, not for what they become; nor does a passed deadline of a write that is
// done harm the next.
func TestConn_HTTP2_WriteToAPeerThatDoesNotRead(t *testing.T) {
	s := serveH2(t, &websocket.AcceptOptions{WriteTimeout: 300 * time.Millisecond}, func(ctx context.Context, c *websocket.Conn) error {
		if err := c.Write(ctx, websocket.MessageText, []byte("first")); err != nil {
			return err
		}
		select {
		case <-time.After(350 * time.Millisecond): // longer than WriteTimeout
		case <-c.Done():
		}
		if err := c.Write(ctx, websocket.MessageText, []byte("second")); err != nil {
			return err
		}
		return c.Write(ctx, websocket.MessageBinary, bytes.Repeat([]byte("x"), 1<<20))
	})
	h2 := connectH2(t, s.addr)
	_, stream := h2.openHeld()
	if err := s.end(); !errors.Is(err, websocket.ErrWriteTimeout) {
		t.Fatal(err)
	}
	for { // what fitted in the window, and then the reset
		if _, err := stream.Read(make([]byte, 4096)); err != nil {
			if e, ok := errors.AsType[http2.StreamError](err); !ok || e.Code == http2.ErrCodeNo {
				t.Fatal(err)
			}
			break
		}
	}
	p, _ := h2.open() // other streams are not harmed
	p.expect(text, "first")
}

// CloseNow in another goroutine while this one writes: nothing may touch the ResponseWriter once CloseNow has returned.
func TestConn_HTTP2_CloseNowWaitsForTheWriter(t *testing.T) {
	s := serveH2(t, nil, func(ctx context.Context, c *websocket.Conn) error {
		errs := make(chan error, 1)
		go func() { errs <- writeUntilError(ctx, c) }()
		select { // the window is full
		case <-time.After(20 * time.Millisecond):
		case <-c.Done():
		}
		c.CloseNow()
		go func() { // also later
			c.Write(ctx, websocket.MessageText, []byte("late"))
			c.Ping(ctx)
			c.CloseNow()
		}()
		return <-errs
	})
	h2 := connectH2(t, s.addr)
	for range 10 {
		h2.openHeld()
		if err := s.end(); !errors.Is(err, websocket.ErrClosed) {
			t.Fatal(err)
		}
	}
}

// A handler that returns without closing ends the connection, and whoever still uses it gets errors.
func TestConn_HTTP2_EndsWithItsHandler(t *testing.T) {
	kept := make(chan *websocket.Conn, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		kept <- c
	})
	hs := httptest.NewUnstartedServer(handler)
	hs.EnableHTTP2 = true
	hs.StartTLS()
	defer hs.Close()
	_, stream := connectH2(t, hs.Listener.Addr().String()).open()
	if _, err := stream.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the stream ended with %v, not END_STREAM", err)
	}
	c := <-kept
	if err := c.Write(testContext(t), websocket.MessageText, []byte("late")); !errors.Is(err, websocket.ErrClosed) {
		t.Fatal(err)
	}
	if _, _, err := c.Read(testContext(t)); err == nil {
		t.Fatal("there is nobody to read from")
	}
	c.CloseNow()
}

func TestConn_HTTP2_SilentPeerIsPingedThenLeft(t *testing.T) {
	s := serveH2(t, &websocket.AcceptOptions{PingInterval: 30 * time.Millisecond, PongTimeout: 50 * time.Millisecond}, nil)
	p, _ := connectH2(t, s.addr).open()
	p.expect(ping, "")
	if err := s.end(); !errors.Is(err, websocket.ErrPongTimeout) {
		t.Fatal(err)
	}
	p.expectEnd()
}

func TestConn_HTTP2_NothingIsLeftOf500Streams(t *testing.T) {
	s := serveH2(t, nil, nil)
	h2 := connectH2(t, s.addr)
	p, _ := h2.open()
	p.sendClose(1000, "")
	s.end()
	before := runtime.NumGoroutine()
	for i := range 50 {
		var peers []*h2Stream
		for range 10 {
			p, stream := h2.open()
			p.send(fin|text, "x")
			p.expect(text, "x")
			peers = append(peers, stream)
		}
		var wg sync.WaitGroup
		for j, stream := range peers {
			wg.Go(func() {
				switch (i + j) % 3 {
				case 0:
					stream.reset(http2.ErrCodeCancel)
				case 1:
					stream.endStream()
				case 2:
					stream.Write(rawFrame(fin|closeOp, true, []byte("\x03\xe8"), 0))
				}
			})
		}
		wg.Wait()
		for range peers {
			s.end()
		}
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before+1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines more than before", runtime.NumGoroutine()-before)
		}
	}
}

func TestServer_8441_5_ExtensionsAreNegotiatedAsEver(t *testing.T) {
	s := serveH2(t, &websocket.AcceptOptions{Compression: websocket.Compression{Mode: websocket.CompressionTakeover}}, nil)
	p := connectH2(t, s.addr)
	_, h := p.request(append(p.connectFields(), [2]string{"sec-websocket-extensions", "permessage-deflate"})...)
	if got := h["sec-websocket-extensions"]; len(got) != 1 || !strings.HasPrefix(got[0], "permessage-deflate") {
		t.Fatal(h)
	}
}

// The handler form: ServeHTTP stays as long as the connection does, and Shutdown says 1001.
func TestConn_HTTP2_HandlerForm(t *testing.T) {
	ended := make(chan error, 1)
	ws := &websocket.Server{Handler: websocket.Handler{
		OnMessage: func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
			c.Write(context.Background(), typ, data)
		},
		OnClose: func(_ *websocket.Conn, err error) { ended <- err },
	}}
	hs := httptest.NewUnstartedServer(ws)
	hs.EnableHTTP2 = true
	hs.StartTLS()
	defer hs.Close()
	p, stream := connectH2(t, hs.Listener.Addr().String()).open()
	p.send(fin|text, "hello")
	p.expect(text, "hello")
	shut := make(chan error, 1)
	go func() { shut <- ws.Shutdown(testContext(t)) }()
	p.expectClose(1001)
	p.sendClose(1001, "")
	if err := await(t, shut); err != nil {
		t.Fatal(err)
	}
	await(t, ended)
	if _, err := stream.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the stream ended with %v, not END_STREAM", err)
	}
}
