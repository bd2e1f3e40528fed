package websocket_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/websocket"
)

// handlerServer is a Server on a real socket, in the given form.
func handlerServer(t testing.TB, form string, ws *websocket.Server) *server {
	t.Helper()
	ws.Goroutines = form == goroutineForm
	s := &server{t: t}
	s.run(ws, form == portForm)
	return s
}

// eachForm runs a test with every way of reading connections.
func eachForm(t *testing.T, f func(t *testing.T, form string)) {
	for _, form := range []string{goroutineForm, loopForm, portForm} {
		t.Run(form, func(t *testing.T) { f(t, form) })
	}
}

func receiveWithin[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("waited too long")
		panic("unreachable")
	}
}

func TestHandler_LifeOfAConnection(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		events := make(chan string, 100)
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnOpen: func(c *websocket.Conn) {
				events <- "open"
				c.SetValue("Ann")
				c.Write(context.Background(), websocket.MessageText, []byte("welcome"))
			},
			OnMessage: func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
				events <- typ.String() + " " + string(data) + " from " + c.Value().(string)
			},
			OnClose: func(c *websocket.Conn, err error) {
				if c.Write(context.Background(), websocket.MessageText, nil) == nil {
					t.Error("a closed connection took a message")
				}
				events <- "close " + websocket.CloseStatus(err).String()
			},
		}})
		// The first message comes with the handshake, the second in two pieces.
		p := s.open(rawFrame(fin|text, true, []byte("hello"), 0))
		p.expect(text, "welcome")
		big := p.frame(fin|binaryOp, strings.Repeat("b", 1000))
		p.write(big[:300])
		if got := receiveWithin(t, events); got != "open" {
			t.Fatal(got)
		}
		if got := receiveWithin(t, events); got != "text hello from Ann" {
			t.Fatal(got)
		}
		p.write(big[300:])
		if got := receiveWithin(t, events); got != "binary "+strings.Repeat("b", 1000)+" from Ann" {
			t.Fatal(got)
		}
		p.sendClose(1000, "bye")
		p.expectClose(1000)
		p.expectEnd()
		if got := receiveWithin(t, events); got != "close 1000 (normal closure)" {
			t.Fatal(got)
		}
	})
}

func TestHandler_AnswersToOneReadAreOneWrite(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnMessage: func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
				c.Write(context.Background(), typ, data)
				c.Send(websocket.Prepare(typ, []byte("prepared")))
			},
		}})
		p := s.open()
		var burst []byte
		for range 10 {
			burst = append(burst, p.frame(fin|text, "echo")...)
		}
		p.write(burst)
		p.expect(text, "echo")
		if want := 10*6 + 10*10 - 6; p.br.Buffered() != want { // all of the rest came with the first byte
			t.Fatalf("the first write brought %d bytes more, want %d", p.br.Buffered(), want)
		}
		for i := range 19 {
			p.expect(text, []string{"prepared", "echo"}[i%2])
		}
	})
}

func TestHandler_CloseSaysItsCodeAndEndsWithThePeersAnswer(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		ended := make(chan error, 1)
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnMessage: func(c *websocket.Conn, _ websocket.MessageType, data []byte) {
				if string(data) == "late" {
					t.Error("a message was handed on after Close")
				}
				c.Write(context.Background(), websocket.MessageText, []byte("last"))
				if err := c.Close(4001, "enough"); err != nil {
					t.Error(err)
				}
				if r := c.Send(websocket.Prepare(websocket.MessageText, nil)); r != websocket.Closed {
					t.Error(r)
				}
				if err := c.Write(context.Background(), websocket.MessageText, nil); !errors.Is(err, websocket.ErrClosed) {
					t.Error(err)
				}
			},
			OnClose: func(_ *websocket.Conn, err error) { ended <- err },
		}})
		p := s.open()
		p.write(p.frame(fin|text, "x"), p.frame(fin|text, "late"))
		p.expect(text, "last")
		if f := p.expectClose(4001); string(f.payload[2:]) != "enough" {
			t.Fatalf("%q", f.payload)
		}
		p.send(fin|text, "late")
		p.sendClose(4001, "")
		p.expectEnd()
		wantClose(t, receiveWithin(t, ended), 4001, "")
	})
}

func TestHandler_PeerThatNeverAnswersACloseIsLeft(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		ended := make(chan error, 1)
		s := handlerServer(t, form, &websocket.Server{
			Options: websocket.AcceptOptions{CloseTimeout: 50 * time.Millisecond},
			Handler: websocket.Handler{
				OnOpen:  func(c *websocket.Conn) { c.Close(1000, "") },
				OnClose: func(_ *websocket.Conn, err error) { ended <- err },
			}})
		p := s.open()
		if err := receiveWithin(t, ended); !errors.Is(err, websocket.ErrCloseTimeout) {
			t.Fatal(err)
		}
		p.expectFailure(1000)
	})
}

func TestHandler_CloseNowFromElsewhere(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		conns, ended := make(chan *websocket.Conn, 1), make(chan error, 1)
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnOpen:  func(c *websocket.Conn) { conns <- c },
			OnClose: func(_ *websocket.Conn, err error) { ended <- err },
		}})
		p := s.open()
		receiveWithin(t, conns).CloseNow()
		if err := receiveWithin(t, ended); !errors.Is(err, websocket.ErrClosed) {
			t.Fatal(err)
		}
		p.expectEnd()
	})
}

func TestHandler_ReadIsNotForItsConnections(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		conns := make(chan *websocket.Conn, 1)
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{OnOpen: func(c *websocket.Conn) { conns <- c }}})
		s.open()
		if _, _, err := receiveWithin(t, conns).Read(testContext(t)); !errors.Is(err, websocket.ErrConcurrentRead) {
			t.Fatal(err)
		}
	})
}

func TestHandler_PeerThatTakesNothingIsBoundedAndLeft(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		conns, ended := make(chan *websocket.Conn, 1), make(chan error, 1)
		s := handlerServer(t, form, &websocket.Server{
			Options: websocket.AcceptOptions{WriteTimeout: 200 * time.Millisecond, SendLimit: 100_000},
			Handler: websocket.Handler{
				OnOpen:  func(c *websocket.Conn) { conns <- c },
				OnClose: func(_ *websocket.Conn, err error) { ended <- err },
			}})
		s.open()
		c := receiveWithin(t, conns)
		m := websocket.Prepare(websocket.MessageBinary, make([]byte, 10_000))
		full := false
		for r := websocket.Accepted; r != websocket.Closed; r = c.Send(m) {
			if n := c.Buffered(); n > 110_100 {
				t.Fatalf("%d bytes wait", n)
			}
			if r == websocket.Full {
				full = true
				if err := c.Write(testContext(t), websocket.MessageBinary, nil); err != nil && !errors.Is(err, websocket.ErrFull) && !errors.Is(err, websocket.ErrClosed) {
					t.Fatal(err)
				}
			}
		}
		if err := receiveWithin(t, ended); !full || !errors.Is(err, websocket.ErrWriteTimeout) {
			t.Fatal(full, err)
		}
		if n := c.Buffered(); n != 0 {
			t.Fatalf("%d bytes wait after the end", n)
		}
	})
}

func TestHandler_EchoToAPeerThatReadsLateLosesNothing(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		ws := &websocket.Server{Options: websocket.AcceptOptions{SendLimit: 50_000}}
		ws.Handler.OnMessage = func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
			if err := c.Write(context.Background(), typ, data); err != nil {
				t.Error(err)
			}
		}
		p := handlerServer(t, form, ws).open()
		p.nc.(*net.TCPConn).SetReadBuffer(64 << 10)
		const n = 1000
		frame := p.frame(fin|binaryOp, strings.Repeat("x", 10_000))
		var sending sync.WaitGroup
		sending.Go(func() {
			for range n {
				if _, err := p.nc.Write(frame); err != nil {
					t.Error(err)
					return
				}
			}
		})
		time.Sleep(100 * time.Millisecond) // the peer is slow; whatever the kernel holds by now, the rest comes later
		for i := range n {
			f, err := readWireFrame(p.br)
			if err != nil || f.op != binaryOp || string(f.payload) != strings.Repeat("x", 10_000) {
				t.Errorf("message %d: %v, opcode %d, %.20q", i, err, f.op, f.payload)
				p.nc.Close()
				break
			}
		}
		sending.Wait()
	})
}

// What a handler sends back of a big message is sent as it was, whatever becomes of the message then, and in order with everything else; also if
// others write meanwhile, and the peer takes it late.
func TestHandler_BigMessagesAreTheHandlersAgainOnceWritten(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		ctx := context.Background()
		write := func(c *websocket.Conn, p []byte) {
			if err := c.Write(ctx, websocket.MessageBinary, p); err != nil {
				t.Error(err)
			}
		}
		ws := &websocket.Server{Options: websocket.AcceptOptions{SendLimit: -1}}
		ws.Handler.OnMessage = func(c *websocket.Conn, _ websocket.MessageType, data []byte) {
			var others sync.WaitGroup
			others.Go(func() { write(c, data) })
			others.Go(func() { write(c, data) })
			others.Wait()
			clear(data[100_000:])
			write(c, data[:100_000])
			write(c, []byte("behind"))
			clear(data)
		}
		p := handlerServer(t, form, ws).open()
		p.nc.(*net.TCPConn).SetReadBuffer(16 << 10)
		big := strings.Repeat("0123456789abcdef", 1<<16)
		for range 3 {
			p.send(fin|binaryOp, big)
			for _, want := range []string{big, big, big[:100_000], "behind"} {
				if f := p.recv(); f.op != binaryOp || string(f.payload) != want {
					t.Fatalf("opcode %d, %d bytes, %.20q", f.op, len(f.payload), f.payload)
				}
			}
		}
	})
}

func TestSend_KeepsItsPlaceAmongWrites(t *testing.T) {
	for _, form := range []string{blockingForm, goroutineForm, loopForm} {
		t.Run(form, func(t *testing.T) {
			c, p := connOfForm(t, form)
			ctx := testContext(t)
			c.Send(websocket.Prepare(websocket.MessageText, []byte("1")))
			c.Write(ctx, websocket.MessageText, []byte("2"))
			c.Send(websocket.Prepare(websocket.MessageBinary, []byte("3")))
			w, err := c.Writer(ctx, websocket.MessageText)
			if err != nil {
				t.Fatal(err)
			}
			if r := c.Send(websocket.Prepare(websocket.MessageText, []byte("5"))); r != websocket.Accepted {
				t.Fatal(r)
			}
			w.Write([]byte("4"))
			w.Close()
			c.Write(ctx, websocket.MessageText, []byte("6"))
			c.Send(websocket.Prepare(websocket.MessageText, []byte("7")))
			c.Send(websocket.Prepare(websocket.MessageText, []byte("8")))
			if r := c.Send(websocket.Prepare(websocket.MessageText, []byte{0xFF})); r != websocket.Invalid {
				t.Fatal(r)
			}
			go c.Close(1000, "") // what was accepted before still goes out
			for _, want := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
				if f := p.recv(); string(f.payload) != want {
					t.Fatalf("got %q, want %q", f.payload, want)
				}
			}
			p.expectClose(1000)
		})
	}
}

// connOfForm is a server's connection in the given form, and its raw peer.
func connOfForm(t *testing.T, form string) (*websocket.Conn, *rawPeer) {
	conns := make(chan *websocket.Conn, 1)
	if form != blockingForm {
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{OnOpen: func(c *websocket.Conn) { conns <- c }}})
		p := s.open()
		return receiveWithin(t, conns), p
	}
	s := serve(t, nil, func(ctx context.Context, c *websocket.Conn) error {
		conns <- c
		_, _, err := c.Read(ctx)
		return err
	})
	p := s.open()
	return receiveWithin(t, conns), p
}

func TestSend_FromAClientIsMasked(t *testing.T) {
	c, p := meet(t, nil)
	m := websocket.Prepare(websocket.MessageText, []byte("hello"))
	c.Send(m)
	c.Send(m)
	first, second := p.recv(), p.recv()
	if string(first.payload) != "hello" || string(second.payload) != "hello" || first.key == second.key {
		t.Fatal(first, second)
	}
}

func TestSend_BurstsToManyFromManyGoroutines(t *testing.T) {
	for _, form := range []string{blockingForm, goroutineForm, loopForm} {
		t.Run(form, func(t *testing.T) {
			const conns, senders, each = 20, 4, 100
			m := websocket.Prepare(websocket.MessageText, []byte(strings.Repeat("m", 100)))
			var all []*websocket.Conn
			var peers []*rawPeer
			for range conns {
				c, p := connOfForm(t, form)
				all, peers = append(all, c), append(peers, p)
			}
			var sending sync.WaitGroup
			for range senders {
				sending.Go(func() {
					for range each {
						for _, c := range all {
							if r := c.Send(m); r != websocket.Accepted {
								t.Error(r)
							}
						}
					}
				})
			}
			for _, p := range peers {
				for range senders * each {
					p.expect(text, strings.Repeat("m", 100))
				}
			}
			sending.Wait()
		})
	}
}

func TestServerShutdown_SaysGoingAwayAndWaits(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		var mu sync.Mutex
		ended := 0
		ws := &websocket.Server{Handler: websocket.Handler{OnClose: func(_ *websocket.Conn, err error) {
			mu.Lock()
			defer mu.Unlock()
			ended++
		}}}
		s := handlerServer(t, form, ws)
		var peers []*rawPeer
		for range 20 {
			peers = append(peers, s.open())
		}
		awaitLen(t, ws, 20)
		done := make(chan error, 1)
		go func() { done <- ws.Shutdown(testContext(t)) }()
		for _, p := range peers {
			p.expectClose(1001)
		}
		select {
		case <-done:
			t.Fatal("it did not wait for the peers' answers")
		default:
		}
		if form == portForm {
			for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
				nc, err := net.Dial("tcp", s.addr)
				if err != nil {
					break
				}
				nc.Close()
				if time.Now().After(end) {
					t.Fatal("it still listens")
				}
			}
		} else {
			late := s.dialTCP()
			late.write(joinLines(s.requestLines()))
			if status, _, _ := late.readResponse(); status != http.StatusServiceUnavailable {
				t.Fatal(status)
			}
		}
		for _, p := range peers {
			p.sendClose(1001, "")
			p.expectEnd()
		}
		if err := receiveWithin(t, done); err != nil || ended != 20 || ws.Len() != 0 {
			t.Fatal(err, ended, ws.Len())
		}
		if err := ws.Shutdown(testContext(t)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestServerShutdown_LeavesWhoDoesNotAnswer(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		ended := make(chan error, 1)
		ws := &websocket.Server{Handler: websocket.Handler{OnClose: func(_ *websocket.Conn, err error) { ended <- err }}}
		s := handlerServer(t, form, ws)
		p := s.open()
		awaitLen(t, ws, 1)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := ws.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if err := receiveWithin(t, ended); !errors.Is(err, websocket.ErrClosed) {
			t.Fatal(err)
		}
		p.expectFailure(1001)
	})
}

// awaitLen waits until the server has n connections: a client knows of its own a little earlier.
func awaitLen(t testing.TB, ws *websocket.Server, n int) {
	t.Helper()
	for end := time.Now().Add(patience); ws.Len() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server has %d connections, want %d", ws.Len(), n)
		}
	}
}

// WriteMany is compressed in every form, also with context takeover.
func TestHandler_WriteManyIsCompressed(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		message := []byte(strings.Repeat("compressible ", 100))
		s := handlerServer(t, form, &websocket.Server{
			Options: websocket.AcceptOptions{Compression: websocket.Compression{Mode: websocket.CompressionTakeover}},
			Handler: websocket.Handler{OnOpen: func(c *websocket.Conn) {
				c.WriteMany(context.Background(), websocket.MessageText, [][]byte{message, message})
			}},
		})
		p := s.dialTCP()
		p.write(joinLines(append(s.requestLines(), "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")))
		if status, _, _ := p.readResponse(); status != 101 {
			t.Fatal(status)
		}
		var sizes [2]int
		for i := range sizes {
			f, err := readWireFrame(p.br)
			if err != nil || f.rsv != rsv1 || f.op != text {
				t.Fatalf("%+v %v", f, err)
			}
			sizes[i] = len(f.payload)
		}
		if sizes[1] >= sizes[0] {
			t.Fatalf("the second message, the same as the first, has %d bytes, the first %d", sizes[1], sizes[0])
		}
	})
}
