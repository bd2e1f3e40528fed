package transport

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"parley/channel"
	"parley/websocket"
)

// session is an open WebSocket. While nothing happens it has no goroutine. What the hub has in memory is delivered by the handlers, which
// run on an event loop where there is one; commands, and what the database must be asked for, are for a worker: a goroutine
// that ends when there is nothing more. While it works nothing else is delivered, so nothing of a channel comes before its "subscribe" is
// answered, or after its "unsubscribe" is. Publishes have a goroutine of their own.
//
// A client that does not read is delivered nothing until it has read what was sent; then also its commands are not read any more.
type session struct {
	stream
	conn       *websocket.Conn
	opening    []event
	leave      func()
	publishing publishing
	badInRow   int // commands; of the worker

	beatAt time.Duration // when the timer wakes it

	mu      sync.Mutex
	queue   [][]byte // commands that wait for the worker
	waiting int      // bytes of them
	working bool
	asking  bool // the worker has to deliver too
	paused  bool // as too many commands wait
	over    bool // nothing more is delivered, and no commands taken
	ended   bool // the worker has nothing more to do, ever
	gone    bool // the connection has ended
	code    websocket.StatusCode
	reason  string
}

// maxWaiting is how many bytes of commands wait before the client is not read any further. What one read brought comes on top.
const maxWaiting = 64 << 10

// websocket makes a WebSocket of the request.
func (t *Transport) websocket(w http.ResponseWriter, r *http.Request, q query, person channel.Sender) error {
	leave, err := t.enter(r)
	if err != nil {
		return err
	}
	stream, opening, err := t.openStream(r.Context(), q, person)
	if err != nil {
		leave()
		return err
	}
	s := &session{stream: *stream, opening: opening, leave: leave}
	if _, err := t.sockets.Serve(w, r, s); err != nil { // it has been answered
		s.Close()
		leave()
	}
	return nil
}

// newSockets makes the server of the WebSockets.
func (t *Transport) newSockets() *websocket.Server {
	session := func(c *websocket.Conn) *session { return c.Value().(*session) }
	return &websocket.Server{
		Loops: &t.loops,
		Handler: websocket.Handler{
			OnOpen:    func(c *websocket.Conn) { session(c).begin(c) },
			OnMessage: func(c *websocket.Conn, kind websocket.MessageType, data []byte) { session(c).receive(kind, data) },
			OnWake:    func(c *websocket.Conn) { session(c).attend() },
			OnClose:   func(c *websocket.Conn, _ error) { session(c).end() },
		},
		Options: websocket.AcceptOptions{
			CheckOrigin:  func(*http.Request) error { return nil }, // the site was asked before
			ReadLimit:    t.o.BodyLimit,
			WriteTimeout: t.o.WriteTimeout,
			SendLimit:    -1, // deliveries wait for the one before to be taken, and answers are bounded by the commands that are taken
		},
	}
}

// begin is the first of the handlers.
func (s *session) begin(c *websocket.Conn) {
	defer s.t.survive(func() { c.CloseNow() })
	s.conn = c
	if s.write(s.opening) != nil {
		return
	}
	s.opening = nil
	s.OnWake(c.Wake)
	c.Wake()
	s.t.keep(s)
}

// receive takes a command.
func (s *session) receive(kind websocket.MessageType, data []byte) {
	if kind != websocket.MessageText {
		s.finish(websocket.StatusUnsupportedData, "commands are JSON, in text messages")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.queue = append(s.queue, bytes.Clone(data))
	s.waiting += len(data)
	if s.waiting > maxWaiting && !s.paused {
		s.paused = true
		s.conn.Pause()
	}
	s.work()
}

// attend delivers what there is, or a heartbeat.
func (s *session) attend() {
	defer s.t.survive(func() { s.conn.CloseNow() })
	if !s.isFree() {
		return
	}
	if s.conn.Buffered() > 0 {
		s.conn.WakeDrained()
		return
	}
	room := s.t.rooms.Get().(*room)
	defer s.t.rooms.Put(room)
	events, more, ok, err := s.look(room)
	switch {
	case err != nil:
		s.fail(err)
		return
	case !ok:
		s.mu.Lock()
		s.asking = true
		s.work()
		s.mu.Unlock()
		return
	}
	now := s.t.now()
	if len(events) == 0 && now >= s.spoke+s.t.o.Heartbeat {
		events = append(events, heartbeatEvent(time.Now()))
	}
	s.say(events, more, now)
	if now >= s.beatAt {
		s.beatAt = s.spoke + s.t.o.Heartbeat
		s.conn.WakeAfter(s.beatAt - now)
	}
}

// isFree reports whether the session may deliver now. Where it was paused and may go on, it does.
func (s *session) isFree() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused && s.waiting <= maxWaiting/2 {
		s.paused = false
		s.conn.Resume()
	}
	s.asking = s.working // it delivers between two commands
	return !s.working && !s.over
}

// say writes a delivery. If there is more, that follows when it was taken.
func (s *session) say(events []event, more bool, now time.Duration) {
	if len(events) > 0 {
		s.spoke = now
		if s.write(events) != nil {
			return // it has ended, as OnClose tells
		}
	}
	if more {
		s.conn.WakeDrained()
	}
}

// write sends each event as a text message.
func (s *session) write(events []event) error {
	buffer := s.t.encodedBatches.Get().(*[]byte)
	defer s.t.encodedBatches.Put(buffer)
	for i := range events {
		if shared := s.t.lastBatch.prepared(events[i].batch); shared != nil {
			if s.conn.Send(shared) != websocket.Accepted { // there is no limit: it has ended
				return websocket.ErrClosed
			}
			continue
		}
		*buffer = events[i].appendJSON((*buffer)[:0])
		if err := s.conn.Write(context.Background(), websocket.MessageText, *buffer); err != nil {
			return err
		}
	}
	return nil
}

// fail ends the session because of something on our side.
func (s *session) fail(err error) {
	switch {
	case s.t.leaving.Err() != nil || errors.Is(err, channel.ErrClosed):
		s.finish(websocket.StatusGoingAway, "the server is leaving")
	default:
		s.t.logFailure(err, "over", "WebSocket")
		s.finish(websocket.StatusInternalError, "something went wrong inside the server; come back to your positions")
	}
}
