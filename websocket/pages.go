package websocket

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// pages is the ordinary HTTP behind ServeListener: net/http serves what is not a handshake, and also the handshakes that are refused or unusual.
type pages struct {
	http.Server
	handed *handover
}

func newPages(s *Server) *pages {
	p := &pages{handed: newHandover()}
	p.Handler = http.HandlerFunc(s.route)
	p.ReadHeaderTimeout = durationOr(s.HandshakeTimeout, DefaultHandshakeTimeout)
	p.MaxHeaderBytes = s.maxHeaderBytes()
	p.IdleTimeout = 2 * time.Minute
	p.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		if rc, ok := nc.(*resumed); ok {
			return context.WithValue(ctx, resumedKey{}, rc)
		}
		return ctx
	}
	return p
}

// route is the handler of pages.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if rc, ok := r.Context().Value(resumedKey{}).(*resumed); ok && rc.refusal != nil {
		refusal := rc.refusal
		rc.refusal = nil
		s.refuse(w, r, refusal)
		return
	}
	if s.Fallback != nil && !IsUpgrade(r) {
		s.Fallback.ServeHTTP(w, r)
		return
	}
	s.ServeHTTP(w, r)
}

// resumed is a connection of which something was read already: its first request, or a part of it.
type resumed struct {
	*net.TCPConn
	head    []byte
	refusal *HandshakeError // what the first request is to be answered, if it was judged already
}

type resumedKey struct{}

func (c *resumed) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.TCPConn.Read(p)
}

// handover is a listener of connections that were accepted by others.
type handover struct {
	mu      sync.Mutex
	waiting []net.Conn
	some    chan struct{} // has room for one
	over    bool
	closed  chan struct{} // once over
}

func newHandover() *handover {
	return &handover{some: make(chan struct{}, 1), closed: make(chan struct{})}
}

// give never waits.
func (h *handover) give(nc net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		nc.Close()
		return
	}
	h.waiting = append(h.waiting, nc)
	h.wake()
}

func (h *handover) wake() {
	select {
	case h.some <- struct{}{}:
	default:
	}
}

func (h *handover) Accept() (net.Conn, error) {
	for {
		select {
		case <-h.closed:
			return nil, net.ErrClosed
		case <-h.some:
		}
		h.mu.Lock()
		if len(h.waiting) == 0 {
			h.mu.Unlock()
			continue
		}
		nc := h.waiting[0]
		h.waiting = append(h.waiting[:0], h.waiting[1:]...)
		more := len(h.waiting) > 0
		h.mu.Unlock()
		if more {
			h.wake()
		}
		return nc, nil
	}
}

// Close also closes what waits.
func (h *handover) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.over = true
		close(h.closed)
	}
	for _, nc := range h.waiting {
		nc.Close()
	}
	h.waiting = nil
	return nil
}

func (h *handover) Addr() net.Addr { return &net.TCPAddr{} }
