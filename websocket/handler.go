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

	// OnWake is called after [Conn.Wake], WakeAfter or WakeDrained, once for all calls of them until then.
	OnWake func(*Conn)

	// OnClose is called last, exactly once, with what a Read would have returned: a [*CloseError], a [*ProtocolError] or [ErrClosed].
	OnClose func(*Conn, error)
}

// run is the handler form where no event loop reads the connection: a goroutine that waits for its bytes.
func (s *Server) run(c *Conn) {
	c.reading.try() // for good: Read returns ErrConcurrentRead
	c.serving.one(func() {
		if s.Handler.OnOpen != nil {
			s.Handler.OnOpen(c)
		}
	})
	var err error
	for err == nil {
		c.awaitResume()
		var ev event
		if ev, err = c.nextData(context.Background(), nil); err == nil {
			c.serving.one(func() { c.deliver(ev) })
		}
	}
	c.CloseNow()
	c.dropAssembly()
	c.serving.one(func() {
		c.serving.closed = true
		if c.serving.timer != nil {
			c.serving.timer.Stop()
		}
		s.ended(c, err)
	})
}

// deliver hands a message on once it is complete. Most are complete in what one read brought, and not copied.
func (c *Conn) deliver(ev event) {
	data := ev.payload
	if c.assembly != nil || !ev.last {
		c.assemble(ev)
		if !ev.last {
			return
		}
		data = c.partial
	}
	if h := c.server.Handler.OnMessage; h != nil && !c.closing.Load() && c.ended() == nil {
		lent := c.sock != nil && len(data) >= largeBuffer
		if lent {
			c.sock.lend(data)
		}
		h(c, MessageType(ev.message), data)
		if lent {
			c.sock.lend(nil)
		}
	}
	c.dropAssembly()
}

// assemble adds a piece to a message, in a borrowed buffer.
func (c *Conn) assemble(ev event) {
	if need := len(c.partial) + len(ev.payload); c.assembly == nil || need > len(c.assembly.data) {
		room := c.roomFor(ev)
		if len(ev.payload) < smallBuffer/8 {
			room = min(room, smallBuffer) // a peer that has sent so little is not believed that much is to come
		}
		b := borrowWhole(max(need, len(c.partial)+room))
		n := copy(b.data, c.partial)
		c.dropAssembly()
		c.assembly, c.partial = b, b.data[:n]
	}
	n := len(c.partial)
	c.partial = c.partial[:n+len(ev.payload)]
	if at := c.partial[n:]; len(at) > 0 && &at[0] != &ev.payload[0] { // else it was read to where it belongs
		copy(at, ev.payload)
	}
}

func (c *Conn) dropAssembly() {
	if c.assembly != nil {
		c.assembly.giveBack()
		c.assembly, c.partial = nil, nil
	}
}

// roomToRead returns where the rest of a big message may be read to directly, nil if there is none.
func (c *Conn) roomToRead() []byte {
	if c.assembly == nil || c.machine.left < smallBuffer || c.machine.compressed {
		return nil
	}
	free := c.assembly.data[len(c.partial):]
	return free[:min(int64(len(free)), c.machine.left)]
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
