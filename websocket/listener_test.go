package websocket_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/websocket"
)

// eachPort runs a test with every form of server that has a port of its own. change may set more of it.
func eachPort(t *testing.T, change func(*websocket.Server), f func(t *testing.T, s *server)) {
	for _, form := range []string{portForm, blockingPortForm, goroutineForm} {
		t.Run(form, func(t *testing.T) {
			ws := &websocket.Server{Goroutines: form == goroutineForm}
			s := newServer(t)
			if form == blockingPortForm {
				ws.Run = func(c *websocket.Conn) {
					s.conns <- c
					s.ended <- echo(context.Background(), c)
				}
			} else {
				ws.Handler.OnOpen = func(c *websocket.Conn) { s.conns <- c }
				ws.Handler.OnMessage = func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
					c.Write(context.Background(), typ, data)
				}
				ws.Handler.OnClose = func(_ *websocket.Conn, err error) { s.ended <- err }
			}
			if change != nil {
				change(ws)
			}
			s.run(ws, true)
			f(t, s)
		})
	}
}

func TestListener_PagesAndWebSocketsShareThePort(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page "+r.URL.Path) })
	eachPort(t, func(ws *websocket.Server) { ws.Fallback = page }, func(t *testing.T, s *server) {
		p := s.dialTCP()
		for range 2 { // also the second request of a connection
			p.write([]byte("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))
			if status, _, body := p.readResponse(); status != 200 || body != "page /a" {
				t.Fatal(status, body)
			}
		}
		p.write(joinLines(s.requestLines()), p.frame(fin|text, "on a connection that had pages"))
		if status, _, _ := p.readResponse(); status != 101 {
			t.Fatal(status)
		}
		p.expect(text, "on a connection that had pages")
		s.open(p.frame(fin|text, "at once")).expect(text, "at once")
	})
}

func TestListener_WithoutPagesTheAnswerSaysWhatIsMissing(t *testing.T) {
	eachPort(t, nil, func(t *testing.T, s *server) {
		p := s.dialTCP()
		p.write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		if status, _, body := p.readResponse(); status != 400 || !strings.Contains(body, "WebSocket") {
			t.Fatal(status, body)
		}
	})
}

// However a request comes, it is understood: in pieces, late, or with frames and the end of the stream behind it.
func TestListener_RequestsComeAsTheyCome(t *testing.T) {
	eachPort(t, nil, func(t *testing.T, s *server) {
		request := joinLines(s.requestLines())
		hello := rawFrame(fin|text, true, []byte("hello"), 0)
		for name, pieces := range map[string][][]byte{
			"at once":           {append(append([]byte(nil), request...), hello...)},
			"in two pieces":     {request[:40], append(append([]byte(nil), request[40:]...), hello...)},
			"in single bytes":   append(split(request), hello),
			"cut in the frame":  {append(append([]byte(nil), request...), hello[:3]...), hello[3:]},
			"cut before the LF": {request[:len(request)-1], append([]byte{'\n'}, hello...)},
		} {
			for _, late := range []bool{false, true} {
				p := s.dialTCP()
				if late {
					time.Sleep(5 * time.Millisecond) // so that it was accepted before; if not, this is the other case
				}
				for _, piece := range pieces {
					p.write(piece)
				}
				p.nc.(*net.TCPConn).CloseWrite()
				if status, _, _ := p.readResponse(); status != 101 {
					t.Fatalf("%s: %d", name, status)
				}
				p.expect(text, "hello")
				p.expectEnd()
				if err := s.end(); websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
	})
}

func split(b []byte) (single [][]byte) {
	for i := range b {
		single = append(single, b[i:i+1])
	}
	return single
}

func TestListener_RequestsThatAreTooLongAreRefused431(t *testing.T) {
	eachPort(t, func(ws *websocket.Server) { ws.MaxHeaderBytes = 2000 }, func(t *testing.T, s *server) {
		p := s.dialTCP()
		p.write(joinLines(append(s.requestLines(), "X-Long: "+strings.Repeat("x", 10_000))))
		if status, _, _ := p.readResponse(); status != http.StatusRequestHeaderFieldsTooLarge {
			t.Fatal(status)
		}
		p = s.dialTCP() // longer than what net/http is told, but within its tolerance
		p.write(joinLines(append(s.requestLines(), "X-Long: "+strings.Repeat("x", 1500))))
		if status, _, _ := p.readResponse(); status != 101 {
			t.Fatal(status)
		}
	})
}

func TestListener_WhoDoesNotShakeHandsIsLeft(t *testing.T) {
	eachPort(t, func(ws *websocket.Server) { ws.HandshakeTimeout = 50 * time.Millisecond }, func(t *testing.T, s *server) {
		for _, begin := range []string{"", "GET / HTT"} {
			p := s.dialTCP()
			p.write([]byte(begin))
			io.Copy(io.Discard, p.br) // ends, or the deadline of the test does
			if _, err := p.br.ReadByte(); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("after %q: %v", begin, err)
			}
		}
		p := s.open() // who did, stays
		time.Sleep(100 * time.Millisecond)
		p.send(fin|text, "still here")
		p.expect(text, "still here")
	})
}

func TestListener_PathsAreServedAndOthersAreNot(t *testing.T) {
	paths := map[string]any{"/chat": "chat", "/a b": 2}
	eachPort(t, func(ws *websocket.Server) { ws.Paths = paths }, func(t *testing.T, s *server) {
		for target, want := range map[string]any{"/chat": "chat", "/chat?at=/nothing": "chat", "/a%20b": 2, "/nothing": nil, "/chat/": nil, "/": nil} {
			p := s.dialTCP()
			p.write(joinLines(replaced(s.requestLines(), "GET", "GET "+target+" HTTP/1.1")))
			status, _, body := p.readResponse()
			if want == nil {
				if e, ok := errors.AsType[*websocket.HandshakeError](s.end()); status != 404 || !ok || e.Code != "path" {
					t.Fatal(target, status, body, e)
				}
				continue
			}
			if status != 101 {
				t.Fatal(target, status, body)
			}
			if c := receiveWithin(t, s.conns); c.Value() != want {
				t.Fatal(target, c.Value())
			}
		}
	})
}

func TestListener_OnRequestDecidesOnce(t *testing.T) {
	var asked atomic.Int32
	decide := func(ws *websocket.Server) {
		ws.OnRequest = func(r *http.Request, answer http.Header) (any, error) {
			asked.Add(1)
			if r.RemoteAddr == "" || r.Host == "" || r.Header.Get("Upgrade") == "" {
				return nil, errors.New("the request is not whole")
			}
			switch r.URL.Path {
			case "/nothing":
				return nil, &websocket.HandshakeError{Status: 404, Code: "path", Text: "there is nothing"}
			case "/secret":
				return nil, errors.New("not for you")
			}
			http.SetCookie(headerOnly{answer}, &http.Cookie{Name: "a", Value: "b"})
			answer.Set("X-Split", "a\r\nEvil: yes")
			return "the value", nil
		}
	}
	eachPort(t, decide, func(t *testing.T, s *server) {
		for path, want := range map[string]int{"/nothing": 404, "/secret": 403, "/chat": 101} {
			asked.Store(0)
			p := s.dialTCP()
			p.write(joinLines(replaced(s.requestLines(), "GET", "GET "+path+" HTTP/1.1")))
			status, h, body := p.readResponse()
			if status != want || asked.Load() != 1 {
				t.Fatal(path, status, body, asked.Load())
			}
			if want != 101 {
				if e, ok := errors.AsType[*websocket.HandshakeError](s.end()); !ok || e.Status != want {
					t.Fatal(e)
				}
				continue
			}
			if h.Get("Set-Cookie") != "a=b" || h.Get("Evil") != "" {
				t.Fatal(h)
			}
			if c := receiveWithin(t, s.conns); c.Value() != "the value" || c.RemoteAddr().String() != p.nc.LocalAddr().String() || c.LocalAddr().String() != s.addr {
				t.Fatal(c.Value(), c.RemoteAddr(), c.LocalAddr())
			}
		}
	})
}

type headerOnly struct{ h http.Header }

func (w headerOnly) Header() http.Header       { return w.h }
func (headerOnly) Write(p []byte) (int, error) { return len(p), nil }
func (headerOnly) WriteHeader(int)             {}

// An answer that the kernel does not take at once goes out before anything else.
func TestListener_LongAnswersAreSentWhole(t *testing.T) {
	long := strings.Repeat("x", 8<<20)
	eachPort(t, func(ws *websocket.Server) {
		ws.OnRequest = func(_ *http.Request, answer http.Header) (any, error) {
			answer.Set("X-Long", long)
			return nil, nil
		}
	}, func(t *testing.T, s *server) {
		p := s.dialTCP()
		p.write(joinLines(s.requestLines()), p.frame(fin|text, "hello"))
		receiveWithin(t, s.conns)
		if status, h, _ := p.readResponse(); status != 101 || h.Get("X-Long") != long {
			t.Fatal(status, len(h.Get("X-Long")))
		}
		p.expect(text, "hello")
	})
}

func TestListener_EndsWithItsListener(t *testing.T) {
	ln := listen(t)
	ws := &websocket.Server{}
	served := make(chan error, 1)
	go func() { served <- ws.ServeListener(ln) }()
	s := &server{t: t, addr: ln.Addr().String()}
	p := s.open()
	ln.Close()
	if err := receiveWithin(t, served); err == nil || errors.Is(err, websocket.ErrServerClosed) {
		t.Fatal(err)
	}
	p.sendClose(1000, "") // what is open stays
	p.expectClose(1000)
	ctx := testContext(t)
	if err := ws.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if err := ws.ServeListener(listen(t)); !errors.Is(err, websocket.ErrServerClosed) {
		t.Fatal(err)
	}
}

// Shutdown leaves nobody who is only about to shake hands, and lets requests for pages finish.
func TestListener_ShutdownEndsOpeningsAndFinishesPages(t *testing.T) {
	ln := listen(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	ws := &websocket.Server{Fallback: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		io.WriteString(w, "finished")
	})}
	served := make(chan error, 1)
	go func() { served <- ws.ServeListener(ln) }()
	s := &server{t: t, addr: ln.Addr().String()}
	var silent []*rawPeer
	for range 10 {
		silent = append(silent, s.dialTCP())
	}
	page := s.dialTCP()
	page.write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	receiveWithin(t, asked)
	done := make(chan error, 1)
	go func() { done <- ws.Shutdown(testContext(t)) }()
	for _, p := range silent {
		p.expectEnd()
	}
	close(answer)
	if status, _, body := page.readResponse(); status != 200 || body != "finished" {
		t.Fatal(status, body)
	}
	if err := receiveWithin(t, done); err != nil {
		t.Fatal(err)
	}
	if err := receiveWithin(t, served); !errors.Is(err, websocket.ErrServerClosed) {
		t.Fatal(err)
	}
}

func TestListener_TLS(t *testing.T) {
	hs := httptest.NewTLSServer(nil) // for its certificate
	defer hs.Close()
	config := hs.Client().Transport.(*http.Transport).TLSClientConfig
	ln := tls.NewListener(listen(t), hs.TLS)
	ws := &websocket.Server{Run: func(c *websocket.Conn) { echo(context.Background(), c) }}
	go ws.ServeListener(ln)
	defer ws.Shutdown(testContext(t))
	c, _, err := websocket.Dial(testContext(t), "wss://"+ln.Addr().String(), &websocket.DialOptions{TLSClientConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(testContext(t), t, c, 1000)
	c.Close(websocket.StatusNormalClosure, "")
}

// The blocking form on a port of its own: cancelling, closing and deadlines wake who waits, as with a socket of package net.
func TestListener_BlockingReadsAreWoken(t *testing.T) {
	ln := listen(t)
	results := make(chan error, 3)
	ws := &websocket.Server{Run: func(c *websocket.Conn) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, cancel)
		_, _, err := c.Read(ctx)
		results <- err
		_, p, err := c.Read(context.Background()) // the connection is as it was
		if string(p) != "after" {
			err = errors.Join(err, errors.New(string(p)))
		}
		results <- err
		time.AfterFunc(10*time.Millisecond, func() { c.CloseNow() })
		_, _, err = c.Read(context.Background())
		results <- err
	}}
	go ws.ServeListener(ln)
	defer ws.Shutdown(testContext(t))
	s := &server{t: t, addr: ln.Addr().String()}
	p := s.open()
	if err := receiveWithin(t, results); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	p.send(fin|text, "after")
	if err := receiveWithin(t, results); err != nil {
		t.Fatal(err)
	}
	if err := receiveWithin(t, results); !errors.Is(err, websocket.ErrClosed) {
		t.Fatal(err)
	}
	p.expectEnd()
}

// A peer that takes nothing holds its own goroutine only, until WriteTimeout.
func TestListener_BlockingWritesWaitAndEnd(t *testing.T) {
	ln := listen(t)
	results := make(chan error, 1)
	ws := &websocket.Server{
		Options: websocket.AcceptOptions{WriteTimeout: 100 * time.Millisecond},
		Run: func(c *websocket.Conn) {
			var err error
			for err == nil {
				err = c.Write(context.Background(), websocket.MessageBinary, make([]byte, 1<<20))
			}
			results <- err
		},
	}
	go ws.ServeListener(ln)
	defer ws.Shutdown(testContext(t))
	s := &server{t: t, addr: ln.Addr().String()}
	slow := s.open()
	br := bufio.NewReaderSize(slow.nc, 1)
	go func() { // takes something for a while
		for range 20 {
			io.CopyN(io.Discard, br, 100<<10)
			time.Sleep(time.Millisecond)
		}
	}()
	if err := receiveWithin(t, results); !errors.Is(err, websocket.ErrWriteTimeout) {
		t.Fatal(err)
	}
}
