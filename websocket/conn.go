package websocket

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
)

// MessageType says what a message is (RFC 6455, section 5.6).
type MessageType int

const (
	MessageText   MessageType = 1 // UTF-8 text; checked in both directions
	MessageBinary MessageType = 2 // bytes
)

// String returns "text" or "binary".
func (t MessageType) String() string {
	switch t {
	case MessageText:
		return "text"
	case MessageBinary:
		return "binary"
	}
	return "unknown"
}

// Message is a whole message.
type Message struct {
	Type MessageType
	Data []byte
}

// Conn is an open WebSocket connection, of either side. Make one with [Accept] or [Dial], and end it with Close or
// CloseNow, whatever its methods have returned.
//
// One goroutine at a time may read (Read, ReadAppend, Reader, Messages); all other methods may be called by any goroutine at any
// time. Somebody should be reading throughout: only then are pings answered and Close frames noticed. Whoever has nothing to
// read uses CloseRead.
type Conn struct {
	nc          net.Conn
	raw         rawIO   // nil where the socket cannot be used directly: TLS, proxied and custom connections
	limits      *limits // shared by the connections of a Server
	subprotocol string

	client    bool        // our role: a client masks what it sends
	handled   bool        // the handler form
	closeSent bool        // guarded by wire: nothing may follow a Close frame (section 5.5.1)
	partType  opcode      // of partial
	closing   atomic.Bool // Close was called
	over      atomic.Bool // the connection has ended
	more      atomic.Bool // the input that brought the last message has brought more
	woken     atomic.Bool
	place     int32 // among the server's; guarded by the server

	// Reading. All guarded by reading, except deadline, which has its own lock.
	reading  mutex
	machine  machine
	in       input
	stream   *messageReader               // the message a Reader hands out, until it is complete
	assembly *buffer                      // of a message that comes in pieces, in the handler form; partial lies in it
	partial  []byte                       // what a cancelled Read had of its message
	readErr  error                        // sticks
	deadline atomic.Pointer[readDeadline] // made when there is a reason to stop waiting

	// Writing. message is held for a whole message, wire while frames go out, always in this order.
	message mutex
	wire    mutex
	answers answers
	out     output
	deflate *deflation // nil unless compression was negotiated

	pings     atomic.Pointer[pings] // made by the first Ping
	keepalive keepalive

	server  *Server  // whose connection it is, if any
	sock    *socket  // on an event loop, if one reads and writes it
	serving *serving // the handler form without one
	value   atomic.Pointer[any]

	end  sync.Once
	why  error         // set before over: what operations return from then on
	done chan struct{} // made when somebody waits for the end; guarded by out
}

// newConn begins a connection whose handshake is done. br, if not nil, may hold bytes that came behind it.
// A connection of a server must enter it next.
func newConn(nc net.Conn, br *bufio.Reader, client bool, a *agreement, l *limits, s *Server) *Conn {
	c := &Conn{
		nc:          nc,
		client:      client,
		subprotocol: a.subprotocol,
		limits:      l,
		server:      s,
		handled:     s != nil && s.Run == nil,
	}
	c.machine.fromClient = !client
	c.machine.readLimit, c.machine.frameLimit = l.read, l.frame
	c.negotiated(a.deflate)
	c.in.leftover(br)
	if a.value != nil {
		c.SetValue(a.value)
	}
	if s == nil {
		c.block()
	}
	return c
}

// block prepares what a connection needs that a goroutine waits for.
func (c *Conn) block() {
	c.raw = newRawSocket(c.nc)
	if c.handled {
		c.serving = &serving{}
	}
	if p, ok := c.nc.(interface{ keepalive(*Conn) }); ok {
		p.keepalive(c)
	} else {
		c.keepalive.start(c)
	}
}

// Subprotocol returns what the handshake agreed on, "" for none.
func (c *Conn) Subprotocol() string { return c.subprotocol }

// RemoteAddr returns the peer's network address: behind a proxy, the proxy's.
func (c *Conn) RemoteAddr() net.Addr { return c.addresses().RemoteAddr() }

// LocalAddr returns our own network address.
func (c *Conn) LocalAddr() net.Addr { return c.addresses().LocalAddr() }

type addresses interface {
	RemoteAddr() net.Addr
	LocalAddr() net.Addr
}

func (c *Conn) addresses() addresses {
	if c.sock != nil {
		return c.sock
	}
	return c.nc
}

// Done returns a channel that is closed when the connection is, by either side or by failure.
func (c *Conn) Done() <-chan struct{} {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.over.Load() {
			close(c.done)
		}
	}
	return c.done
}

// CloseRead is for a connection that is only written to: it starts a goroutine that reads, so that pings are answered and the
// peer's Close is noticed, and closes the connection with 1008 if a message comes. The returned context, a child of ctx, is
// cancelled when the connection ends; cancelling ctx ends it. The goroutine ends with the connection.
func (c *Conn) CloseRead(ctx context.Context) context.Context {
	child, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		defer c.CloseNow()
		if _, _, err := c.Reader(child); err == nil {
			c.Close(StatusPolicyViolation, "no messages are expected here")
		}
	}()
	return child
}

// teardown closes the connection beneath, once, and remembers why.
func (c *Conn) teardown(why error, abrupt bool) {
	c.end.Do(func() {
		c.why = why
		c.out.mu.Lock()
		c.over.Store(true)
		if c.done != nil {
			close(c.done)
		}
		c.out.mu.Unlock()
		c.out.close()
		c.keepalive.stop()
		if c.sock != nil {
			c.sock.Schedule() // it closes the socket and calls OnClose
			return
		}
		if t, ok := c.nc.(*tls.Conn); ok && abrupt {
			t.NetConn().Close() // else Close would wait to send an alert
		}
		c.nc.Close()
		if d := c.deadline.Load(); d != nil {
			d.stop()
		}
	})
}

// ended returns what operations return after the end, nil before it.
func (c *Conn) ended() error {
	if c.over.Load() {
		return c.why
	}
	return nil
}
