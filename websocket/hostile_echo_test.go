package websocket_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"parley/websocket"
)

// connections is how many come and go: `make test-websocket-long` has 100,000.
func connections(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_CONNECTIONS")); err == nil {
		return n
	}
	return 5000
}

// departures are the ways in which peers leave, after an echo.
var departures = []func(p *rawPeer){
	func(p *rawPeer) { // in order
		p.sendClose(1000, "")
		p.expectClose(1000)
		p.expectEnd()
	},
	func(p *rawPeer) { p.nc.Close() },
	func(p *rawPeer) { // by a reset
		p.nc.(*net.TCPConn).SetLinger(0)
		p.nc.Close()
	},
	func(p *rawPeer) { // half closed
		p.nc.(*net.TCPConn).CloseWrite()
		p.expectEnd()
	},
	func(p *rawPeer) { // within a message
		p.send(text, "begun")
		p.nc.Close()
	},
	func(p *rawPeer) { // by breaking a rule
		p.write([]byte{0x83, 0x80})
		p.expectClose(1002)
	},
	func(p *rawPeer) { // with the answers unread
		p.write(p.frame(fin|ping, "1"), p.frame(fin|text, "2"), p.frame(fin|closeOp, ""))
		p.nc.Close()
	},
}

func TestEcho_NothingIsLeftOfThousandsOfConnections(t *testing.T) {
	s := serve(t, nil, nil)
	comeAndGo := func(i int) {
		p := s.open()
		defer p.nc.Close()
		p.send(fin|text, "hello")
		p.expect(text, "hello")
		departures[i%len(departures)](p)
	}
	for i := range departures { // what is made once is made
		comeAndGo(i)
		s.end()
		<-s.conns
	}
	goroutines, fds := runtime.NumGoroutine(), openFDs(t)
	const atATime = 100
	for done := 0; done < connections(t); done += atATime {
		var peers sync.WaitGroup
		for i := range atATime {
			peers.Go(func() { comeAndGo(done + i) })
		}
		peers.Wait()
		for range atATime {
			s.end()
			<-s.conns
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		g, f := runtime.NumGoroutine(), openFDs(t)
		if g <= goroutines+1 && f <= fds+1 { // the accept loop may still be in a call
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d files more than before", g-goroutines, f-fds)
		}
	}
}

// Who opens TCP and never shakes hands is not yet a WebSocket: http.Server bounds it, by ReadHeaderTimeout.
func TestHostile_PeerThatNeverShakesHandsIsLeft(t *testing.T) {
	ln := listen(t)
	hs := &http.Server{ReadHeaderTimeout: 50 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			c.CloseNow()
		}
	})}
	go hs.Serve(ln)
	defer hs.Close()
	for _, beginning := range []string{"", "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n"} {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		io.WriteString(nc, beginning)
		if _, err := io.ReadAll(nc); err != nil {
			t.Fatalf("after %q: %v", beginning, err)
		}
	}
}
