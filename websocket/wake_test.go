package websocket_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/websocket"
)

func TestWake_OnceForAllCallsAndNeverBesideAnotherHandler(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		var inside, wakes atomic.Int32
		alone := func(f func()) {
			if inside.Add(1) != 1 {
				t.Error("two handlers at once")
			}
			f()
			inside.Add(-1)
		}
		conns, last := make(chan *websocket.Conn, 1), make(chan struct{}, 1)
		var closed atomic.Bool
		ended := make(chan struct{})
		hold := make(chan struct{})
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnOpen:    func(c *websocket.Conn) { alone(func() { conns <- c }) },
			OnMessage: func(*websocket.Conn, websocket.MessageType, []byte) { alone(func() { <-hold }) },
			OnWake: func(c *websocket.Conn) {
				alone(func() {
					if closed.Load() {
						t.Error("woken after the end")
					}
					wakes.Add(1)
					select {
					case last <- struct{}{}:
					default:
					}
				})
			},
			OnClose: func(*websocket.Conn, error) { alone(func() { closed.Store(true); close(ended) }) },
		}})
		p := s.open()
		c := receiveWithin(t, conns)
		p.send(fin|text, "a handler is at work")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				for range 100 {
					c.Wake()
				}
			})
		}
		wg.Wait()
		close(hold)
		receiveWithin(t, last)
		c.Wake()
		receiveWithin(t, last)
		if n := wakes.Load(); n > 1000 {
			t.Fatalf("10,001 calls woke %d times", n)
		}
		c.CloseNow()
		receiveWithin(t, ended)
		c.Wake()
	})
}

func TestWake_After(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		woken := make(chan time.Duration, 10)
		var opened time.Time
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnOpen: func(c *websocket.Conn) {
				opened = time.Now()
				c.WakeAfter(time.Millisecond) // replaced
				c.WakeAfter(40 * time.Millisecond)
			},
			OnWake: func(c *websocket.Conn) {
				woken <- time.Since(opened)
				if len(woken) < 3 {
					c.WakeAfter(20 * time.Millisecond)
				}
			},
		}})
		s.open()
		for want := 39 * time.Millisecond; want < 90*time.Millisecond; want += 20 * time.Millisecond { // a loop's clock is its turn's
			if got := receiveWithin(t, woken); got < want {
				t.Fatalf("woken after %v, before %v", got, want)
			}
		}
	})
}

// A sender that waits to be drained keeps what is under way bounded, however much it has to say to whoever does not listen.
func TestWake_Drained(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		const parts = 300
		part := bytes.Repeat([]byte("x"), 64<<10)
		var sent, most atomic.Int64
		blocked := make(chan struct{}, parts+1)
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnOpen: func(c *websocket.Conn) { c.WakeDrained() },
			OnWake: func(c *websocket.Conn) {
				if waits := int64(c.Buffered()); waits > 0 {
					t.Errorf("woken while %d bytes wait", waits)
				}
				if sent.Load() == parts {
					return
				}
				if err := c.Write(context.Background(), websocket.MessageBinary, part); err != nil {
					t.Error(err)
				}
				sent.Add(1)
				most.Store(max(most.Load(), int64(c.Buffered())))
				c.WakeDrained()
				blocked <- struct{}{}
			},
		}})
		p := s.open()
		receiveWithin(t, blocked)
		for range parts {
			if f := p.recv(); len(f.payload) != len(part) {
				t.Fatalf("%d bytes", len(f.payload))
			}
		}
		if n := most.Load(); n > int64(2*len(part)) {
			t.Fatalf("%d bytes waited at once", n)
		}
	})
}

func TestWake_PauseAndResume(t *testing.T) {
	eachForm(t, func(t *testing.T, form string) {
		var paused atomic.Bool
		got := make(chan string, 10)
		conns := make(chan *websocket.Conn, 1)
		s := handlerServer(t, form, &websocket.Server{Handler: websocket.Handler{
			OnOpen: func(c *websocket.Conn) { conns <- c },
			OnMessage: func(c *websocket.Conn, _ websocket.MessageType, data []byte) {
				if paused.Load() {
					t.Errorf("%q came while the connection was paused", data)
				}
				got <- string(data)
				paused.Store(true)
				c.Pause()
			},
			OnWake: func(c *websocket.Conn) {
				paused.Store(false)
				c.Resume()
			},
		}})
		p := s.open()
		c := receiveWithin(t, conns)
		for _, said := range []string{"one", "two", "three"} {
			p.send(fin|text, said) // the next only when this one was read: a read may bring several
			if got := receiveWithin(t, got); got != said {
				t.Fatalf("%q, want %q", got, said)
			}
			p.send(fin|text, "between")
			time.Sleep(time.Millisecond) // that it would come, if it could; nothing depends on it
			if len(got) > 0 {
				t.Fatal("it was read while paused")
			}
			c.Wake()
			if got := receiveWithin(t, got); got != "between" {
				t.Fatal(got)
			}
			c.Wake()
		}
	})
}
