package websocket_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"parley/websocket"
)

// Connections come and go in all the ways they can end, and leave nothing behind. WEBSOCKET_CONNECTIONS says how many; the
// default is short.
func TestHandler_NothingIsLeftOfManyConnections(t *testing.T) {
	total := 4000
	if n, err := strconv.Atoi(os.Getenv("WEBSOCKET_CONNECTIONS")); err == nil {
		total = n
	}
	eachForm(t, func(t *testing.T, form string) {
		var mu sync.Mutex
		opened, closed := 0, 0
		ws := &websocket.Server{Handler: websocket.Handler{
			OnOpen: func(*websocket.Conn) { mu.Lock(); opened++; mu.Unlock() },
			OnMessage: func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
				switch string(data) {
				case "close":
					c.Close(1000, "")
				case "now":
					c.CloseNow()
				default:
					c.Write(context.Background(), typ, data)
				}
			},
			OnClose: func(*websocket.Conn, error) { mu.Lock(); closed++; mu.Unlock() },
		}}
		s := handlerServer(t, form, ws)
		first := s.open() // the loops begin with it
		first.nc.Close()
		awaitLen(t, ws, 0)
		goroutines, fds := runtime.NumGoroutine(), openFDs(t)
		var workers sync.WaitGroup
		for w := range 20 {
			workers.Go(func() {
				for i := w; i < total; i += 20 {
					p := s.open()
					p.write(p.frame(fin|text, "x"))
					p.expect(text, "x")
					switch i % 5 {
					case 0: // it just goes
					case 1: // a reset
						p.write(p.frame(fin|text, "unfinished")[:5])
						setLinger(p)
					case 2:
						p.sendClose(1000, "")
						p.expectFailure(1000)
					case 3:
						p.send(fin|text, "close")
						p.expectClose(1000)
						p.sendClose(1000, "")
						p.expectEnd()
					case 4:
						p.send(fin|text, "now")
						p.expectEnd()
					}
					p.nc.Close()
				}
			})
		}
		workers.Wait()
		awaitLen(t, ws, 0)
		for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines+1 || openFDs(t) > fds+1; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d goroutines and %d files more than before", runtime.NumGoroutine()-goroutines, openFDs(t)-fds)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if opened != total+1 || closed != opened {
			t.Fatalf("%d opened, %d closed, of %d", opened, closed, total+1)
		}
	})
}

// setLinger makes closing reset the connection.
func setLinger(p *rawPeer) { p.nc.(interface{ SetLinger(int) error }).SetLinger(0) }

func TestHandler_SilentAndSlowPeersAreLeft(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		ended := make(chan error, 10)
		s := handlerServer(t, form, &websocket.Server{
			Options: websocket.AcceptOptions{
				PingInterval: 100 * time.Millisecond, PongTimeout: 100 * time.Millisecond, MessageTimeout: 300 * time.Millisecond,
			},
			Handler: websocket.Handler{OnClose: func(_ *websocket.Conn, err error) { ended <- err }},
		})
		silent := s.open()
		silent.expect(ping, "")
		if err := receiveWithin(t, ended); websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Fatal(err)
		}
		silent.expectEnd()

		slow := s.open() // a byte now and then: alive, but its message never comes
		frame := slow.frame(fin|text, "a message that takes very, very long")
		stop := make(chan struct{})
		var sending sync.WaitGroup
		sending.Go(func() {
			for _, b := range frame {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
					slow.nc.Write([]byte{b})
				}
			}
		})
		for {
			if f := slow.recv(); f.op == closeOp {
				if f.closeCode() != 1008 {
					t.Fatalf("%+v", f)
				}
				break
			}
		}
		close(stop)
		sending.Wait()
		slow.nc.Close()
		wantProtocolError(t, receiveWithin(t, ended), websocket.StatusPolicyViolation)
	})
}

func TestHandler_FloodOfPingsIsBounded(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		conns := make(chan *websocket.Conn, 1)
		s := handlerServer(t, form, &websocket.Server{
			Options: websocket.AcceptOptions{WriteTimeout: 500 * time.Millisecond},
			Handler: websocket.Handler{OnOpen: func(c *websocket.Conn) { conns <- c }},
		})
		p := s.open()
		c := receiveWithin(t, conns)
		var flood []byte
		for range 500 {
			flood = append(flood, p.frame(fin|ping, "0123456789012345678901234567890123456789")...)
		}
		for { // it takes no pongs: it is not read any further, and left
			if _, err := p.nc.Write(flood); err != nil {
				break
			}
			if n := c.Buffered(); n > 1<<20 {
				t.Fatalf("%d bytes of pongs wait", n)
			}
		}
		receiveWithin(t, c.Done())
	})
}
