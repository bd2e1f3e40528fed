package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Front makes silent clients cost little: server, which serves HTTP/1.1 without TLS, gets its connections through the listener that
// is returned. Waiting polls and SSE streams that come through it are taken from net/http, so that they have neither its goroutine nor its
// buffers; and when a poll is answered its connection comes back by Accept, once the client's next request comes. Without a front
// they are served all the same, each by a goroutine. It sets server.ConnContext.
func (t *Transport) Front(server *http.Server, l net.Listener) net.Listener {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return l
	}
	next := server.ConnContext
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if next != nil {
			ctx = next(ctx, c)
		}
		if h, ok := c.(*homing); ok {
			ctx = context.WithValue(ctx, homingKey{}, h)
		}
		return ctx
	}
	return &front{TCPListener: tcp}
}

// front is a listener to which connections come back.
type front struct {
	*net.TCPListener

	mu       sync.Mutex
	back     []net.Conn
	hurried  bool // Accept was interrupted by a deadline in the past
	shut     bool
	acceptor sync.Mutex // one Accept at a time: its deadline is the listener's
}

// homing is a connection that knows its front.
type homing struct {
	*net.TCPConn
	front *front
}

type homingKey struct{}

// TCP is what it is made of (see loop.Detach).
func (h *homing) TCP() *net.TCPConn { return h.TCPConn }

// ahead is a connection of which some bytes were read already.
type ahead struct {
	net.Conn
	read []byte
}

func (a *ahead) Read(p []byte) (int, error) {
	if len(a.read) > 0 {
		n := copy(p, a.read)
		a.read = a.read[n:]
		return n, nil
	}
	return a.Conn.Read(p)
}

// Accept returns new connections, and those that came back.
func (f *front) Accept() (net.Conn, error) {
	f.acceptor.Lock()
	defer f.acceptor.Unlock()
	for {
		if c := f.returned(); c != nil {
			return c, nil
		}
		c, err := f.AcceptTCP()
		switch {
		case err == nil:
			return &homing{c, f}, nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, err
		}
	}
}

func (f *front) returned() net.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.back); n > 0 {
		c := f.back[0]
		f.back[0] = nil
		f.back = f.back[1:]
		return c
	}
	f.back = nil
	if f.hurried {
		f.hurried = false
		f.SetDeadline(time.Time{})
	}
	return nil
}

// giveBack makes Accept return the connection, with what of it was read.
func (f *front) giveBack(h *homing, read []byte) {
	c := net.Conn(h)
	if len(read) > 0 {
		c = &ahead{h.TCPConn, read}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shut {
		c.Close()
		return
	}
	f.back = append(f.back, c)
	if !f.hurried {
		f.hurried = true
		f.SetDeadline(time.Unix(1, 0))
	}
}

// Close closes the listener, and what came back and was not accepted.
func (f *front) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shut = true
	for _, c := range f.back {
		c.Close()
	}
	f.back = nil
	return f.TCPListener.Close()
}
