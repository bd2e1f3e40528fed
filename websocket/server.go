package websocket

import (
	"context"
	"errors"
	"net/http"
	"strconv"
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
// Or let it have a port, with [Server.ServeListener], which opens connections at less than half the cost.
//
// The fields may not be changed once it serves. The zero value takes messages and drops them. End it with Shutdown.
type Server struct {
	Handler Handler
	Options AcceptOptions

	// Run, if set, is the blocking form: it is called for each connection in a goroutine of its own, in place of the functions of Handler, of
	// which only OnClose remains. The connection is closed when it returns. It reads and writes as after [Accept].
	Run func(*Conn)

	// Goroutines gives each connection a goroutine of its own, in which the handlers may block. It costs about 5 KB a connection, and
	// a little more time for each message. So it is anyway with TLS and on systems other than Linux.
	Goroutines bool

	// Paths, if set, are those of the URLs that are served, each with what [Conn.Value] of its connections returns from the beginning. A request for
	// any other is refused with 404. Default: every path.
	Paths map[string]any

	// OnRequest, if set, is asked about each request that keeps all the rules and whose origin may connect. value, unless it is nil, is
	// what [Conn.Value] returns from the beginning; what it puts into answer, such as cookies, is sent with the 101. With an error the request is refused:
	// with the Status and Text of a [*HandshakeError], with 403 for any other. It is called by many goroutines at once, with ServeListener by
	// the event loops: there it must not block, and a panic ends the program. Without it and Options.CheckOrigin, ServeListener makes no
	// http.Request for a handshake, which opens connections faster.
	OnRequest func(r *http.Request, answer http.Header) (value any, err error)

	// OnRefused, if set, is told of each request that was refused, once it was answered. It is called by many goroutines at once.
	OnRefused func(r *http.Request, err error)

	// Loops are the event loops to use, shared with others, who stop them. Default: the server's own, one for each processor.
	Loops *loop.Set

	// The following are for ServeListener alone.

	// Fallback answers what is not for a WebSocket, on the same port. Default: 400, with a text that says what is missing.
	Fallback http.Handler

	// HandshakeTimeout is how long a client may take to send a request. Default 30 s; negative: for ever.
	HandshakeTimeout time.Duration

	// MaxHeaderBytes is how long a request may be without a body. Default 16 KiB.
	MaxHeaderBytes int

	mu      sync.Mutex
	conns   []*Conn // each knows its place
	leaving bool
	empty   chan struct{} // closed when leaving and the last connection has ended
	own     loop.Set      // unless Loops is set
	options sync.Once
	limits  *limits // of all connections
	ports
}

// ServeHTTP accepts the request's WebSocket, or answers why not, and returns; the handlers do the rest. (Over HTTP/2 it
// returns when the connection ends.)
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, nil) }

// Serve is ServeHTTP for a handler that knows something of the request: value, unless it is nil, is what [Conn.Value] returns from the
// beginning. The error is that of [Accept], or [ErrServerClosed] after Shutdown; the client was answered.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, value any) (*Conn, error) {
	if s.isLeaving() {
		w.Header().Set("Connection", "close")
		http.Error(w, leavingReason, http.StatusServiceUnavailable)
		return nil, ErrServerClosed
	}
	a, refusal := s.judge(r, w.Header())
	if refusal != nil {
		return nil, s.refuse(w, r, refusal)
	}
	if value != nil {
		a.value = value
	}
	c, err := accept(w, r, &a, s.shared(), s)
	if err != nil {
		s.refused(r, err)
		return nil, err
	}
	if err := s.enter(c, r.ProtoMajor == 1); err != nil {
		c.closing.Store(true)
		c.sendClose(StatusGoingAway, leavingReason)
		c.CloseNow()
		return nil, err
	}
	switch {
	case r.ProtoMajor > 1:
		s.serve(c) // the stream ends when the request's handler returns (RFC 8441)
	case c.sock != nil:
		c.sock.Schedule()
	default:
		go s.serve(c)
	}
	return c, nil
}

const leavingReason = "the server is leaving"

// judge decides about a client's opening handshake; answer has what the application adds to the answer.
func (s *Server) judge(r *http.Request, answer http.Header) (agreement, *HandshakeError) {
	a, refusal := s.Options.judge(r)
	if refusal != nil {
		return a, refusal
	}
	if s.Paths != nil {
		var served bool
		if a.value, served = s.Paths[r.URL.Path]; !served {
			return a, &HandshakeError{Status: http.StatusNotFound, Code: "path", Text: "there is no WebSocket at " + strconv.Quote(r.URL.Path)}
		}
	}
	if s.OnRequest == nil {
		return a, nil
	}
	value, err := s.OnRequest(r, answer)
	if err == nil {
		if value != nil {
			a.value = value
		}
		return a, nil
	}
	if e, ok := errors.AsType[*HandshakeError](err); ok && e.Status >= 400 {
		return a, e
	}
	return a, &HandshakeError{Status: http.StatusForbidden, Code: "refused", Text: "the request was refused", cause: err}
}

// refuse answers a request that was judged badly.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refusal *HandshakeError) error {
	err := refuse(w, r, refusal)
	s.refused(r, err)
	return err
}

func (s *Server) refused(r *http.Request, err error) {
	if s.OnRefused != nil {
		s.OnRefused(r, err)
	}
}

// set returns the event loops.
func (s *Server) set() *loop.Set {
	if s.Loops != nil {
		return s.Loops
	}
	return &s.own
}

// shared returns the limits that all connections have in common.
func (s *Server) shared() *limits {
	s.options.Do(func() {
		l := s.Options.limits()
		s.limits = &l
	})
	return s.limits
}

func (s *Server) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving
}

// enter lets a connection in, and if it may gives it to an event loop.
func (s *Server) enter(c *Conn, mayLoop bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return ErrServerClosed
	}
	s.add(c)
	switch {
	case !mayLoop:
	case s.Goroutines || s.Run != nil:
		s.poll(c)
	case s.adopt(c):
		return nil
	}
	c.block()
	return nil
}

// add takes a connection among those that are open. The Server must be locked.
func (s *Server) add(c *Conn) {
	c.place = int32(len(s.conns))
	s.conns = append(s.conns, c)
}

// serve is the life of a connection that has a goroutine.
func (s *Server) serve(c *Conn) {
	if s.Run == nil {
		s.run(c)
		return
	}
	s.Run(c)
	c.CloseNow()
	s.ended(c, c.why)
}

// ended is the last thing that happens to a connection.
func (s *Server) ended(c *Conn, err error) {
	if s.Handler.OnClose != nil {
		s.Handler.OnClose(c, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.conns) - 1
	s.conns[c.place] = s.conns[last]
	s.conns[c.place].place = c.place
	s.conns[last] = nil
	s.conns = s.conns[:last]
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

// Shutdown closes all connections with 1001 (going away), lets no new ones in, and waits until all have ended and every OnClose and Run
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
		s.ports.leave()
	}
	s.mu.Unlock()
	s.forAll(ctx, func(c *Conn) { c.leave(StatusGoingAway, leavingReason) })
	err := s.ports.shutdown(ctx)
	select {
	case <-s.empty:
	case <-ctx.Done():
		err = ctx.Err()
		s.forAll(context.Background(), func(c *Conn) { c.CloseNow() })
		<-s.empty
	}
	s.ports.wait()
	s.own.Stop()
	return err
}

// forAll calls f for every connection until ctx ends, several at a time, since in f one that is being written may have to be waited for.
func (s *Server) forAll(ctx context.Context, f func(*Conn)) {
	s.mu.Lock()
	all := make(chan *Conn, len(s.conns))
	for _, c := range s.conns {
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
	c.readDeadline().setClosing(deadline, c.nc)
}
