package websocket

import "context"

// Handler is the event-handler form of a connection: functions that are called when something happens, one after the other for each
// connection. Any of them may be nil.
//
// On Linux the connections of a [Server] over plain TCP are read by a few event loops, and the handlers run on them: they must not block,
// or all connections of the loop wait. Write and Send never block there, so answering and broadcasting is fine; a database query
// is not: start a goroutine for it, or set Server.Goroutines. A panic in a handler ends the program, as in any goroutine.
type Handler struct {
	// OnOpen is called first.
	OnOpen func(*Conn)

	// OnMessage is called for each message. data is valid only during the call, and may be changed. What is written to the
	// connection during the call is sent after all the messages that came with this one were handled.
	OnMessage func(c *Conn, typ MessageType, data []byte)

	// OnClose is called last, exactly once, with what a Read would have returned: a [*CloseError], a [*ProtocolError] or [ErrClosed].
	OnClose func(*Conn, error)
}

// readSize is how much one read takes at most: enough for many small messages, and not much more than the processor's cache has room for.
const readSize = 128 << 10

// run is the handler form where no event loop reads the connection: a goroutine that waits for its bytes.
func (s *Server) run(c *Conn) {
	c.reading.try() // for good: Read returns ErrConcurrentRead
	if s.Handler.OnOpen != nil {
		s.Handler.OnOpen(c)
	}
	var err error
	for err == nil {
		var ev event
		if ev, err = c.nextData(context.Background()); err == nil {
			c.deliver(ev)
		}
	}
	c.CloseNow()
	s.ended(c, err)
}

// deliver hands a message on once it is complete. Most are complete in what one read brought, and not copied.
func (c *Conn) deliver(ev event) {
	data := ev.payload
	if c.partType != 0 || !ev.last {
		if c.partial == nil {
			c.partial = make([]byte, 0, c.roomFor(ev))
		}
		c.partType = MessageType(ev.message)
		c.partial = append(c.partial, ev.payload...)
		if !ev.last {
			return
		}
		data = c.partial
		c.partType, c.partial = 0, nil
	}
	if h := c.server.Handler.OnMessage; h != nil && !c.closing.Load() && c.ended() == nil {
		h(c, MessageType(ev.message), data)
	}
}

// Value returns what SetValue has set, nil at first.
func (c *Conn) Value() any {
	if v := c.value.Load(); v != nil {
		return *v
	}
	return nil
}

// SetValue keeps something of the application's with the connection, for its handlers to find. Any goroutine may call it.
func (c *Conn) SetValue(v any) { c.value.Store(&v) }
