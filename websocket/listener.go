package websocket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// DefaultMaxHeaderBytes is that of [Server].
const DefaultMaxHeaderBytes = 16 << 10

// ServeListener accepts connections and serves them until Shutdown, when it returns [ErrServerClosed], or until the listener fails, whose error it
// returns. It closes the listener. A Server may serve several.
//
// On Linux, over plain TCP, the event loops accept connections and answer handshakes themselves, without a goroutine and without what
// net/http takes for a request. What they do not find to be a handshake as it should be goes to net/http with all its bytes: to Fallback, or to be
// refused as by ServeHTTP. TLS listeners, and those of other systems, are net/http's entirely.
func (s *Server) ServeListener(ln net.Listener) error {
	defer ln.Close()
	p, err := s.open()
	if err != nil {
		return err
	}
	if tcp, ok := ln.(*net.TCPListener); ok {
		if err, ok := s.listenOnLoop(tcp, p); ok {
			return err
		}
	}
	if err = p.Serve(ln); errors.Is(err, http.ErrServerClosed) {
		err = ErrServerClosed
	}
	return err
}

func (s *Server) newRequestReader() any {
	return &requestReader{limit: s.maxHeaderBytes(), whole: s.OnRequest != nil || s.Options.CheckOrigin != nil}
}

func (s *Server) maxHeaderBytes() int {
	if s.MaxHeaderBytes > 0 {
		return s.MaxHeaderBytes
	}
	return DefaultMaxHeaderBytes
}

// ports are what ServeListener needs of a Server.
type ports struct {
	requests sync.Pool              // of requestReaders
	pages    *pages                 // of all listeners
	waiting  map[scheduled]struct{} // sockets that are no connections (yet); scheduled when the server leaves
	sockets  sync.WaitGroup         // and everything else that uses a loop or a goroutine besides the connections
}

type scheduled interface{ Schedule() }

// open makes the pages serve.
func (s *Server) open() (*pages, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return nil, ErrServerClosed
	}
	if s.pages == nil {
		p := newPages(s)
		s.pages, s.waiting = p, make(map[scheduled]struct{})
		s.requests.New = s.newRequestReader
		s.sockets.Go(func() { p.Serve(p.handed) })
	}
	return s.pages, nil
}

// await keeps a socket for Shutdown to schedule. It returns false if the server leaves; else forget must follow.
func (s *Server) await(socket scheduled) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false
	}
	s.waiting[socket] = struct{}{}
	s.sockets.Add(1)
	return true
}

func (s *Server) forget(socket scheduled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, socket)
	s.sockets.Done()
}

// leave makes everything go away that waits for clients. The Server must be locked.
func (p *ports) leave() {
	for socket := range p.waiting {
		socket.Schedule()
	}
}

// shutdown waits for the requests being answered, until ctx ends.
func (p *ports) shutdown(ctx context.Context) error {
	if p.pages == nil {
		return nil
	}
	err := p.pages.Shutdown(ctx)
	if err != nil {
		p.pages.Close()
	}
	p.pages.handed.Close()
	return err
}

func (p *ports) wait() { p.sockets.Wait() }
