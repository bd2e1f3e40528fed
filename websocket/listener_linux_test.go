package websocket

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// runServer starts a server in the blocking form on a port of its own, and returns the first connection as it sees it, and as its client does.
func runServer(t *testing.T) (*Conn, *Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns, end := make(chan *Conn, 1), make(chan struct{})
	s := &Server{Run: func(c *Conn) {
		conns <- c
		<-end
	}}
	go s.ServeListener(ln)
	client, _, err := Dial(context.Background(), "ws://"+ln.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(end)
		client.CloseNow()
		s.Shutdown(context.Background())
	})
	return <-conns, client
}

// What is accepted does not delay small messages until earlier ones are acknowledged.
func TestPolled_HasNoDelay(t *testing.T) {
	c, _ := runServer(t)
	if on, err := unix.GetsockoptInt(c.nc.(*polled).FD(), unix.IPPROTO_TCP, unix.TCP_NODELAY); on == 0 || err != nil {
		t.Fatal(on, err)
	}
}

// Who waits makes no system calls: having found nothing, a read is not tried again before something has come.
func TestPolled_WaitsWithoutTrying(t *testing.T) {
	c, client := runServer(t)
	p := c.nc.(*polled)
	buf := make([]byte, 1000)
	p.mu.Lock()
	p.in.ready = true // as after an event whose bytes an earlier read has taken
	p.mu.Unlock()
	read := make(chan int)
	go func() {
		n, _ := p.Read(buf)
		read <- n
	}()
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		waiting = p.in.awaited
		p.mu.Unlock()
	}
	client.Write(context.Background(), MessageText, []byte("something"))
	if n := <-read; n != 2+4+len("something") {
		t.Fatal(n)
	}
}
