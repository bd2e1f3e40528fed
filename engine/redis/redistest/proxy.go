package redistest

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy passes TCP connections on to a server, until it is told to behave as bad networks do. A connection that subscribes is one of
// hints; most faults can be limited to those.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	to    string
	state fault
	only  bool // hints only
	open  map[*pair]struct{}
}

// fault is what a Proxy does to connections.
type fault int

const (
	passes   fault = iota
	swallows       // takes everything and passes nothing on
	stalls         // takes nothing
)

// pair is a connection through the proxy.
type pair struct {
	client, server *net.TCPConn
	hints          bool // guarded by Proxy.mu
	holed          atomic.Bool
}

// NewProxy starts a proxy to host:port. It ends with the test.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, to: to, open: map[*pair]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.Heal()
		p.Cut(false)
		p.running.Wait()
	})
	return p
}

// Addr is host:port of the proxy, URL the same as the engine takes it.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }
func (p *Proxy) URL() string  { return "redis://" + p.Addr() }

// BlackHole makes the proxy take everything and pass nothing on, in both directions, and of new connections too.
func (p *Proxy) BlackHole(hintsOnly bool) { p.set(swallows, hintsOnly) }

// Stall makes the proxy take nothing any more, so that the server's output piles up.
func (p *Proxy) Stall(hintsOnly bool) { p.set(stalls, hintsOnly) }

// Heal makes the proxy pass everything on again. Connections of which something was swallowed are reset: TCP never goes on with a hole in it.
func (p *Proxy) Heal() {
	p.set(passes, false)
	for _, c := range p.pairs(false) {
		if c.holed.Load() {
			c.reset()
		}
	}
}

func (c *pair) reset() {
	c.client.Close()
	c.server.Close()
}

func (p *Proxy) set(f fault, hintsOnly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.only = f, hintsOnly
}

// Redirect makes new connections go to another server, and closes those that are not of hints: as when a primary was replaced, and who only
// listens was not told.
func (p *Proxy) Redirect(to string) {
	p.mu.Lock()
	p.to = to
	p.mu.Unlock()
	for _, c := range p.pairs(false) {
		p.mu.Lock()
		hints := c.hints
		p.mu.Unlock()
		if !hints {
			c.reset()
		}
	}
}

// Cut closes connections.
func (p *Proxy) Cut(hintsOnly bool) {
	for _, c := range p.pairs(hintsOnly) {
		c.reset()
	}
}

// HalfClose tells the server that clients have left, and not the clients.
func (p *Proxy) HalfClose(hintsOnly bool) {
	for _, c := range p.pairs(hintsOnly) {
		_ = c.server.CloseWrite()
	}
}

func (p *Proxy) pairs(hintsOnly bool) (all []*pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if c.hints || !hintsOnly {
			all = append(all, c)
		}
	}
	return all
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.to
		p.mu.Unlock()
		server, err := net.Dial("tcp", to)
		if err != nil {
			client.Close()
			continue
		}
		_ = server.(*net.TCPConn).SetReadBuffer(16 << 10) // so that what stalls is soon felt
		c := &pair{client: client.(*net.TCPConn), server: server.(*net.TCPConn)}
		p.mu.Lock()
		p.open[c] = struct{}{}
		p.mu.Unlock()
		p.running.Go(func() {
			var both sync.WaitGroup
			both.Go(func() { p.pass(c, c.client, c.server) })
			both.Go(func() { p.pass(c, c.server, c.client) })
			both.Wait()
			c.client.Close()
			c.server.Close()
			p.mu.Lock()
			delete(p.open, c)
			p.mu.Unlock()
		})
	}
}

// pass carries one direction. Where the server ends, the client is told only if the proxy passes things on at all.
func (p *Proxy) pass(c *pair, from, to *net.TCPConn) {
	b := make([]byte, 32<<10)
	for {
		for p.does(c) == stalls {
			time.Sleep(5 * time.Millisecond)
		}
		n, err := from.Read(b)
		if from == c.client && bytes.Contains(b[:n], []byte("SSUBSCRIBE")) {
			p.mu.Lock()
			c.hints = true
			p.mu.Unlock()
		}
		switch {
		case err != nil:
		case p.does(c) == swallows:
			c.holed.Store(true)
		case c.holed.Load(): // healed meanwhile
			c.reset()
			return
		default:
			_, err = to.Write(b[:n])
		}
		if err != nil {
			if from == c.client { // the client has left
				c.server.Close()
			} else if p.does(c) == passes {
				c.client.Close()
			}
			return
		}
	}
}

func (p *Proxy) does(c *pair) fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.only && !c.hints {
		return passes
	}
	return p.state
}
