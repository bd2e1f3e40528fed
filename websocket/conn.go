package websocket

import (
	"bufio"
	"context"
	"crypto/rand"
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
	raw         rawIO // nil where the socket cannot be used directly: TLS, proxied and custom connections
	client      bool  // our role: a client masks what it sends
	subprotocol string
	limits      *limits // shared by the connections of a Server

	// Reading. All guarded by reading, except deadline, which has its own lock.
	reading  mutex
	machine  machine
	in       input
	stream   *messageReader // the message a Reader hands out, until it is complete
	partial  []byte         // what a cancelled Read had of its message
	partType MessageType
	readErr  error         // sticks
	deadline *readDeadline // nil on a loop

	// Writing. message is held for a whole message, wire while frames go out, always in this order.
	message   mutex
	wire      mutex
	closeSent bool // guarded by wire: nothing may follow a Close frame (section 5.5.1)
	answers   answers
	more      atomic.Bool // the input that brought the last message has brought more
	out       output
	deflate   *deflation       // nil unless compression was negotiated
	maskKey   func(key []byte) // random bytes

	pings     pings
	keepalive keepalive

	server  *Server // whose connection it is, if any
	place   int     // among the server's; guarded by the server
	handled bool    // in the handler form
	sock    *socket // on an event loop, if one reads and writes it
	woken   atomic.Bool
	serving *serving // nil on a loop

	assembly *buffer // of a message that comes in pieces; partial lies in it
	value    atomic.Pointer[any]

	closing atomic.Bool // Close was called

	end  sync.Once
	done chan struct{} // closed when the connection is
	why  error         // set before done is closed: what operations return from then on
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
		done:        make(chan struct{}),
		maskKey:     func(key []byte) { rand.Read(key) },
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
	c.deadline = &readDeadline{}
	if c.handled {
		c.serving = &serving{}
	}
	c.keepalive.start(c)
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
func (c *Conn) Done() <-chan struct{} { return c.done }

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
		close(c.done)
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
		if c.deadline != nil {
			c.deadline.stop()
		}
	})
}

// ended returns what operations return after the end, nil before it.
func (c *Conn) ended() error {
	select {
	case <-c.done:
		return c.why
	default:
		return nil
	}
}
