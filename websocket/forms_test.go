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

// The echo server of the conformance tests exists in three forms, and all of them keep all the rules: the tests of the server's role
// run once with each.
const (
	blockingForm  = "blocking"
	goroutineForm = "handler, goroutines"
	loopForm      = "handler, event loop"
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
	for _, form := range []string{goroutineForm, loopForm} {
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
	ln := listen(t)
	s := &server{t: t, addr: ln.Addr().String(), ended: make(chan error, 10000), conns: make(chan *websocket.Conn, 10000)}
	ws := echoServer(o)
	ws.Handler.OnOpen = func(c *websocket.Conn) { s.conns <- c }
	ws.Handler.OnClose = func(_ *websocket.Conn, err error) { s.ended <- err }
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := ws.Serve(w, r, nil); err != nil {
			s.ended <- err
		}
	})}
	go hs.Serve(ln)
	t.Cleanup(func() {
		hs.Close()
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		ws.Shutdown(gone)
	})
	return s
}
