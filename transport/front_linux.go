package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Front makes silent clients cost little: server, which serves HTTP/1.1 without TLS, gets its connections through the listener that
// is returned. Waiting polls and SSE streams that come through it are taken from net/http, so that they have neither its goroutine nor its
// buffers. When a poll is answered and the client's next request is the same again, but for the positions, it is answered where the last one
// was, and does not pass the server's handler again: see Regular. With any other request the connection comes back by Accept. Connections that do nothing
// but poll are taken too. Without a front all are served just the same, each by a goroutine. It sets server.ConnContext.
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
	back     []*homing
	hurried  bool // Accept was interrupted by a deadline in the past
	shut     bool
	acceptor sync.Mutex // one Accept at a time: its deadline is the listener's
}

// homing is a connection that knows its front, and what of it was read before net/http gets it.
type homing struct {
	*net.TCPConn
	front *front
	manners

	begun bool        // something was read
	text  string      // what was first; at most repeatedMost bytes
	ahead string      // what of it net/http has not read yet
	fresh atomic.Bool // text is one head, and nothing was read since: the request that is being served is no other
}

type homingKey struct{}

// TCP is what it is made of (see loop.Detach), unless it has more to give than that.
func (h *homing) TCP() *net.TCPConn {
	if h.ahead != "" {
		return nil
	}
	return h.TCPConn
}

func (h *homing) Read(p []byte) (int, error) {
	if h.ahead != "" {
		n := copy(p, h.ahead)
		if h.ahead = h.ahead[n:]; h.ahead != "" {
			h.stale()
		}
		return n, nil
	}
	n, err := h.TCPConn.Read(p)
	switch {
	case n == 0:
	case !h.begun:
		h.begin(string(p[:n]))
	case h.text != "":
		h.stale()
	}
	return n, err
}

// begin notes what is read first.
func (h *homing) begin(text string) {
	h.begun = true
	if len(text) <= repeatedMost && isOneHead(text) {
		h.text = text
		h.fresh.Store(true)
	}
}

func (h *homing) stale() {
	h.text = ""
	h.fresh.Store(false)
}

// manners is what is known of how a connection is used. One that is used for this and that, as those of browsers are, shall not go to a loop
// after each poll only to come back with the next request.
type manners struct {
	polls    uint8 // that net/http has answered, since it came home or was new
	misses   uint8 // how often it came home, since a request was recognised
	learning bool  // it came home for want of a pattern
}

// patientPolls is how many polls net/http answers before it is tried whether that is all that the connection is used for.
const patientPolls = 3

// polled notes a poll that net/http answers, and reports whether the next one is to be waited for on a loop.
func (h *homing) polled() bool {
	if h.polls < 255 {
		h.polls++
	}
	return h.learning && h.fresh.Load() || int(h.polls) >= min(patientPolls<<min(h.misses, 8), 255)
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
			return &homing{TCPConn: c, front: f}, nil
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
func (f *front) giveBack(c *homing, read string) {
	c.stale()
	c.begin(read)
	c.ahead = read
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
