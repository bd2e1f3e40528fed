package transport

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"parley/channel"
	"parley/websocket"
)

// session is an open WebSocket. One goroutine reads commands and answers them, one delivers, and one publishes while there is
// something to; each writes for itself, whole objects. A client that does not read blocks them, and thereby its own commands, until it reads again or
// WriteTimeout closes the connection.
type session struct {
	*stream
	r    *http.Request // that opened it
	conn *websocket.Conn

	// order is held from a change of the subscriptions to its answer, and from the look at the subscriptions to the
	// delivery: so nothing of a channel comes before its "subscribe" is answered, or after its "unsubscribe" is.
	order sync.Mutex

	publishing publishing
	badInRow   int // commands; of the goroutine that reads them

	end    context.CancelFunc
	endMu  sync.Mutex
	code   websocket.StatusCode // why it ends; the first reason counts
	reason string
}

// websocket makes a WebSocket of the request.
func (t *Transport) websocket(w http.ResponseWriter, r *http.Request, q query, person channel.Sender) error {
	done, err := t.enter(r)
	if err != nil {
		return err
	}
	defer done()
	stream, opening, err := t.openStream(r.Context(), q, person)
	if err != nil {
		return err
	}
	defer stream.Close()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		CheckOrigin:  func(*http.Request) error { return nil }, // the site was asked before
		ReadLimit:    t.o.BodyLimit,
		WriteTimeout: t.o.WriteTimeout,
	})
	if err != nil {
		return nil // it has been answered
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithCancel(t.cut)
	defer cancel()
	s := &session{stream: stream, r: r, conn: conn, publishing: newPublishing(), end: cancel}
	defer context.AfterFunc(t.cut, func() { conn.CloseNow() })()
	defer context.AfterFunc(t.leaving, func() { s.finish(websocket.StatusGoingAway, "the server is leaving") })()
	s.run(ctx, opening)
	return nil
}

// run is the life of the session, after which all its goroutines have ended.
func (s *session) run(ctx context.Context, opening []event) {
	if s.write(opening) != nil {
		return
	}
	var deliveries sync.WaitGroup
	deliveries.Go(func() { s.deliver(ctx) })
	s.readCommands(ctx)
	s.finish(websocket.StatusNormalClosure, "")
	deliveries.Wait()
	s.publishing.workers.Wait() // what was received is carried out, and answered if anybody is there
	if s.code == websocket.StatusGoingAway {
		_ = s.write([]event{byeEvent(s.t.comeBack())})
	}
	if s.t.cut.Err() == nil {
		_ = s.conn.Close(s.code, s.reason)
	}
}

// finish begins the end.
func (s *session) finish(code websocket.StatusCode, reason string) {
	s.endMu.Lock()
	if s.code == 0 {
		s.code, s.reason = code, reason
	}
	s.endMu.Unlock()
	s.end()
}

// readCommands carries out commands until the session ends.
func (s *session) readCommands(ctx context.Context) {
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			s.finish(websocket.StatusUnsupportedData, "commands are JSON, in text messages")
			return
		}
		s.command(ctx, data)
		if s.badInRow >= maxBadCommands {
			s.finish(websocket.StatusPolicyViolation, "too many bad commands; see docs/protocol.md")
			return
		}
	}
}

// deliver writes what the channels bring.
func (s *session) deliver(ctx context.Context) {
	for {
		d, err := s.wait(ctx)
		if err == nil {
			err = s.show(ctx, d)
		}
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
		case errors.Is(err, websocket.ErrClosed):
			s.finish(websocket.StatusNormalClosure, "")
		case errors.Is(err, channel.ErrClosed):
			s.finish(websocket.StatusGoingAway, "the server is leaving")
		default:
			s.t.logStream(s.r, err)
			s.finish(websocket.StatusInternalError, "something went wrong inside the server; come back to your positions")
		}
		return
	}
}

func (s *session) show(ctx context.Context, d channel.Delivery) error {
	s.order.Lock()
	defer s.order.Unlock()
	events, err := s.events(ctx, d)
	if err != nil {
		return err
	}
	return s.write(events)
}

// write sends each event as a text message, all with as few system calls as possible.
func (s *session) write(events []event) error {
	buffer := s.t.encodedBatches.Get().(*[]byte)
	defer s.t.encodedBatches.Put(buffer)
	buf, ends := (*buffer)[:0], make([]int, len(events))
	for i := range events {
		buf = events[i].appendJSON(buf)
		ends[i] = len(buf)
	}
	*buffer = buf
	messages, begin := make([][]byte, len(events)), 0
	for i, end := range ends {
		messages[i], begin = buf[begin:end], end
	}
	// Not under the session's context: a message that has begun to be written is to be written whole. The end of the
	// grace period and WriteTimeout bound it.
	return s.conn.WriteMany(s.t.cut, websocket.MessageText, messages)
}
