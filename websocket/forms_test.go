package websocket_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"

	"parley/websocket"
)

// The echo server of the conformance tests exists in several forms, and all of them keep all the rules: the tests of the server's role
// run once with each.
const (
	blockingForm     = "blocking, Accept"
	goroutineForm    = "handler, goroutines"
	loopForm         = "handler, event loop"
	portForm         = "handler, event loop, own port"
	blockingPortForm = "blocking, own port"
)

var echoForm = blockingForm

func TestMain(m *testing.M) {
	code := m.Run()
	asked := func(name string) bool { return flag.Lookup("test."+name).Value.String() != "" }
	if asked("fuzz") || asked("list") || asked("bench") {
		os.Exit(code)
	}
	if !asked("run") {
		flag.Set("test.run", "^Test(Server|Both|Echo|Alloc)_")
	}
	for _, form := range []string{goroutineForm, loopForm, portForm, blockingPortForm} {
		if code == 0 {
			fmt.Println("=== echo server:", form)
			echoForm = form
			code = m.Run()
		}
	}
	os.Exit(code)
}

// echoServer echoes by a Handler.
func echoServer(o *websocket.AcceptOptions) *websocket.Server {
	s := &websocket.Server{Goroutines: echoForm == goroutineForm}
	if o != nil {
		s.Options = *o
	}
	s.Handler.OnMessage = func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
		c.Write(context.Background(), typ, data)
	}
	return s
}

// serveHandler is serve for a server in the handler form.
func serveHandler(t testing.TB, o *websocket.AcceptOptions) *server {
	t.Helper()
	ws := echoServer(o)
	s := newServer(t)
	ws.Handler.OnOpen = func(c *websocket.Conn) { s.conns <- c }
	ws.Handler.OnClose = func(_ *websocket.Conn, err error) { s.ended <- err }
	s.run(ws, echoForm == portForm)
	return s
}

// serveRun is serve for the blocking form with a port of its own.
func serveRun(t testing.TB, o *websocket.AcceptOptions, handle func(context.Context, *websocket.Conn) error) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := newServer(t)
	ws := &websocket.Server{Run: func(c *websocket.Conn) {
		s.conns <- c
		s.ended <- handle(ctx, c)
	}}
	if o != nil {
		ws.Options = *o
	}
	s.run(ws, true)
	t.Cleanup(cancel) // first
	return s
}

func newServer(t testing.TB) *server {
	return &server{t: t, ended: make(chan error, 10000), conns: make(chan *websocket.Conn, 10000)}
}

// run has ws serve until the test ends, on a port of its own or under net/http.
func (s *server) run(ws *websocket.Server, ownPort bool) {
	ln := listen(s.t)
	s.addr = ln.Addr().String()
	if s.ended != nil {
		ws.OnRefused = func(_ *http.Request, err error) { s.ended <- err }
	}
	hs := &http.Server{Handler: ws}
	served := make(chan error, 1)
	if ownPort {
		go func() { served <- ws.ServeListener(ln) }()
	} else {
		go func() { served <- hs.Serve(ln) }()
	}
	s.t.Cleanup(func() {
		hs.Close()
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		ws.Shutdown(gone)
		if err := <-served; err != http.ErrServerClosed && err != websocket.ErrServerClosed {
			s.t.Errorf("serving ended with %v", err)
		}
	})
}
