package websocket

import (
	"context"
	"net/http"
	"sync"
	"time"

	"parley/internal/loop"
)

// Server serves WebSockets with a [Handler]. It is an http.Handler: mount it where the WebSocket is to be.
//
//	s := &websocket.Server{Handler: websocket.Handler{
//		OnMessage: func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
//			c.Write(context.Background(), typ, data)
//		},
//	}}
//	http.Handle("/ws", s)
//
// The fields may not be changed once it serves. The zero value takes messages and drops them. End it with Shutdown.
type Server struct {
	Handler Handler
	Options AcceptOptions

	// Goroutines gives each connection a goroutine of its own, in which the handlers may block. It costs about 4 KB a connection, and
	// a little more time for each message. So it is anyway with TLS and on systems other than Linux.
	Goroutines bool

	// Loops are the event loops to use, shared with others, who stop them. Default: the server's own, one for each processor.
	Loops *loop.Set

	mu      sync.Mutex
	conns   map[*Conn]struct{}
	leaving bool
	empty   chan struct{} // closed when leaving and the last connection has ended
	own     loop.Set      // unless Loops is set
	options sync.Once
	limits  *limits // of all connections
}

// ServeHTTP accepts the request's WebSocket, or answers why not, and returns; the handlers do the rest. (Over HTTP/2 it
// returns when the connection ends.)
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, nil) }

// Serve is ServeHTTP for a handler that knows something of the request: value is what [Conn.Value] returns from OnOpen on. The
// error is that of [Accept], or [ErrServerClosed] after Shutdown; the client was answered.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, value any) (*Conn, error) {
	if s.isLeaving() {
		return nil, s.refuse(w)
	}
	o := s.Options
	o.server = s
	c, err := Accept(w, r, &o)
	if err != nil {
		return nil, err
	}
	if value != nil {
		c.SetValue(value)
	}
	looped, err := s.enter(c, !s.Goroutines && r.ProtoMajor == 1)
	if err != nil {
		c.closing.Store(true)
		c.sendClose(StatusGoingAway, leavingReason)
		c.CloseNow()
		return nil, err
	}
	switch {
	case r.ProtoMajor > 1:
		s.run(c) // the stream ends when the request's handler returns (RFC 8441)
	case looped:
		c.sock.Schedule()
	default:
		go s.run(c)
	}
	return c, nil
}

const leavingReason = "the server is leaving"

func (s *Server) refuse(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	http.Error(w, leavingReason, http.StatusServiceUnavailable)
	return ErrServerClosed
}

// set returns the event loops.
func (s *Server) set() *loop.Set {
	if s.Loops != nil {
		return s.Loops
	}
	return &s.own
}

// shared returns the limits that all connections have in common.
func (s *Server) shared(l *limits) *limits {
	s.options.Do(func() { s.limits = l })
	return s.limits
}

func (s *Server) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving
}

// enter lets a connection in, and if it may gives it to an event loop.
func (s *Server) enter(c *Conn, mayLoop bool) (looped bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false, ErrServerClosed
	}
	if s.conns == nil {
		s.conns = make(map[*Conn]struct{})
	}
	s.conns[c] = struct{}{}
	if mayLoop && s.adopt(c) {
		return true, nil
	}
	c.serving = &serving{}
	c.block()
	return false, nil
}

// ended is the last thing that happens to a connection.
func (s *Server) ended(c *Conn, err error) {
	if s.Handler.OnClose != nil {
		s.Handler.OnClose(c, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.leaving && len(s.conns) == 0 {
		close(s.empty)
	}
}

// Len returns how many connections are open.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Shutdown closes all connections with 1001 (going away), lets no new ones in, and waits until all have ended and every OnClose
// has returned. Peers that do not answer are left after CloseTimeout. When ctx ends, the rest is closed at once and its error
// returned. It is not for handlers to call: they would wait for themselves.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.leaving {
		s.leaving = true
		s.empty = make(chan struct{})
		if len(s.conns) == 0 {
			close(s.empty)
		}
	}
	s.mu.Unlock()
	s.forAll(ctx, func(c *Conn) { c.Close(StatusGoingAway, leavingReason) })
	var err error
	select {
	case <-s.empty:
	case <-ctx.Done():
		err = ctx.Err()
		s.forAll(context.Background(), func(c *Conn) { c.CloseNow() })
		<-s.empty
	}
	s.own.Stop()
	return err
}

// forAll calls f for every connection until ctx ends, several at a time, since in f one that is being written may have to be waited for.
func (s *Server) forAll(ctx context.Context, f func(*Conn)) {
	s.mu.Lock()
	all := make(chan *Conn, len(s.conns))
	for c := range s.conns {
		all <- c
	}
	s.mu.Unlock()
	close(all)
	var workers sync.WaitGroup
	for range min(len(all), 64) {
		workers.Go(func() {
			for c := range all {
				if ctx.Err() != nil {
					return
				}
				f(c)
			}
		})
	}
	workers.Wait()
}

// boundClose bounds how long the peer's Close frame is waited for.
func (c *Conn) boundClose(deadline time.Time) {
	if c.sock != nil {
		c.sock.Schedule()
		return
	}
	c.deadline.setClosing(deadline, c.nc)
}
