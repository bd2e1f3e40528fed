package main

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// badProxy passes TCP connections on as bad networks do: some break at once, some in the middle, some are closed in one direction
// only, and what they carry is late.
type badProxy struct {
	url      string
	listener net.Listener
	to       string
	broken   sync.Map // net.Conn: open ones
	running  sync.WaitGroup
}

func startBadProxy(t testing.TB, url string) *badProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &badProxy{url: "http://" + l.Addr().String(), listener: l, to: strings.TrimPrefix(url, "http://")}
	p.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.pass(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.broken.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		p.running.Wait()
	})
	return p
}

func (p *badProxy) pass(client *net.TCPConn) {
	defer client.Close()
	if rand.N(20) == 0 {
		return
	}
	up, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	server := up.(*net.TCPConn)
	defer server.Close()
	p.broken.Store(client, nil)
	p.broken.Store(server, nil)
	defer p.broken.Delete(client)
	defer p.broken.Delete(server)
	var both sync.WaitGroup
	both.Go(func() { carry(server, client) })
	both.Go(func() { carry(client, server) })
	both.Wait()
}

// carry copies in one direction until the end, or until it goes wrong.
func carry(to, from *net.TCPConn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if rand.N(8) == 0 {
			time.Sleep(rand.N(40 * time.Millisecond))
		}
		switch rand.N(400) {
		case 0: // a piece arrives, then nothing in either direction
			_, _ = to.Write(buf[:n/2])
			to.Close()
			from.Close()
			return
		case 1: // this direction is closed; the other one goes on
			_ = to.CloseWrite()
			_, _ = io.Copy(io.Discard, from)
			return
		case 2: // broken off
			_ = to.SetLinger(0)
			to.Close()
			from.Close()
			return
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				from.Close()
				return
			}
		}
		if err != nil {
			_ = to.CloseWrite()
			return
		}
	}
}
