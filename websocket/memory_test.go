package websocket

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"golang.org/x/net/nettest"
)

// What every net.Conn does, as the Go project tests it.
func TestMemoryConn_IsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := memoryPipe()
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

func TestNetConn_IsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		client, server, err := Pipe(nil, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		a, b := NetConn(context.Background(), client, MessageBinary), NetConn(context.Background(), server, MessageBinary)
		stop := func() {
			var both sync.WaitGroup
			both.Go(func() { a.Close() })
			both.Go(func() { b.Close() })
			both.Wait()
		}
		return a, b, stop, nil
	})
}

func TestMemoryConn_HalfCloseLetsTheRestBeRead(t *testing.T) {
	a, b := memoryPipe()
	a.Write([]byte("last words"))
	a.CloseWrite()
	if got, err := io.ReadAll(b); err != nil || string(got) != "last words" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := b.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if got, err := io.ReadAll(a); err != nil || string(got) != "answer" {
		t.Fatalf("%q, %v", got, err)
	}
}
