package simulation

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// network is the wire between clients and the node, under the bubble's clock. What is written arrives later, in order, and
// as long as the network is bad a connection may break, be closed in one direction, or fall silent at any byte. A write never
// blocks: what nobody reads is kept, as one who does not read is the matter of other tests, on real sockets.
type network struct {
	mu     sync.Mutex
	bad    bool
	accept chan net.Conn // of the node that listens; nil: refused
	links  map[*link]struct{}
	dials  int
}

func newNetwork() *network { return &network{links: map[*link]struct{}{}} }

// link is a connection: its two directions.
type link struct{ up, down *stream }

// dialer is one person's way into the network, with a fate of its own for each connection.
func (n *network) dialer(random *rand.Rand) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return n.dial(random)
	}
}

func (n *network) dial(random *rand.Rand) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials++
	l, refused := &link{n.stream(random), n.stream(random)}, random.IntN(20) == 0
	if n.accept == nil || n.bad && refused {
		return nil, syscall.ECONNREFUSED
	}
	select {
	case n.accept <- &conn{in: l.up, out: l.down}:
		n.links[l] = struct{}{}
		return &conn{in: l.down, out: l.up}, nil
	default:
		return nil, syscall.ECONNREFUSED
	}
}

// stream draws the fate of one direction.
func (n *network) stream(random *rand.Rand) *stream {
	s := &stream{delay: upTo(random, 50*time.Millisecond), changed: make(chan struct{}), ends: -1}
	ends, end := random.IntN(1<<(4+random.IntN(12))), []error{io.EOF, syscall.ECONNRESET, errSilence}[random.IntN(3)]
	if n.bad && random.IntN(3) == 0 {
		s.ends, s.end = ends, end
	}
	return s
}

// listen lets clients in, to a node.
func (n *network) listen() *listener {
	l := &listener{net: n, conns: make(chan net.Conn, 1024), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.accept = l.conns
	return l
}

// powerOff breaks everything at once. Nothing that is on the wire arrives any more.
func (n *network) powerOff() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.accept = nil
	for l := range n.links {
		l.up.breakOff(syscall.ECONNRESET)
		l.down.breakOff(syscall.ECONNRESET)
	}
	clear(n.links)
}

// fallSilent makes every connection silent without a word, in one direction or both, as a firewall does that has forgotten them.
func (n *network) fallSilent(random *rand.Rand) {
	n.mu.Lock()
	defer n.mu.Unlock()
	which := random.IntN(3)
	for l := range n.links {
		if which != 0 {
			l.up.breakOff(errSilence)
		}
		if which != 1 {
			l.down.breakOff(errSilence)
		}
	}
	clear(n.links)
}

// heal ends the bad times. Connections that are open have their fate: who is at the end of a silent one has to find out.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bad = false
}

type listener struct {
	net   *network
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "virtual" }
func (address) String() string  { return "127.0.0.1:80" }

// errSilence ends a direction without a word: what is written after it is lost, and the reader waits.
var errSilence = syscall.ETIMEDOUT

// stream is one direction of a connection.
type stream struct {
	delay time.Duration
	ends  int   // after so many bytes; -1: not by itself
	end   error // how

	mu      sync.Mutex
	pieces  []piece
	ended   error // what a reader gets behind the pieces
	changed chan struct{}
}

type piece struct {
	at   time.Time // when it arrives
	data []byte
}

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		if s.ended == errSilence || s.ended == io.EOF {
			return len(p), nil // the writer does not learn of it
		}
		return 0, syscall.EPIPE
	}
	kept := p
	if s.ends >= 0 {
		kept = p[:min(len(p), s.ends)]
		s.ends -= len(kept)
	}
	if len(kept) > 0 {
		s.pieces = append(s.pieces, piece{time.Now().Add(s.delay), append([]byte(nil), kept...)})
	}
	if s.ends == 0 {
		s.ended = s.end
	}
	s.tell()
	return len(p), nil
}

// tell wakes who waits. The lock is held.
func (s *stream) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// closeWrite is the writer's end, behind what it has written.
func (s *stream) closeWrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = io.EOF
		s.tell()
	}
}

// breakOff ends the stream now; what is under way is lost. What has ended already may have been broken off for good.
func (s *stream) breakOff(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why == errSilence && s.ended != nil {
		return
	}
	s.pieces, s.ended = nil, why
	s.tell()
}

// take returns what has arrived, or what to wait for.
func (s *stream) take(p []byte) (n int, wait <-chan struct{}, until time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.pieces) > 0 && n < len(p) && !s.pieces[0].at.After(now) {
		first := &s.pieces[0]
		m := copy(p[n:], first.data)
		n, first.data = n+m, first.data[m:]
		if len(first.data) == 0 {
			s.pieces = s.pieces[1:]
		}
	}
	switch {
	case n > 0:
		return n, nil, 0, nil
	case len(s.pieces) > 0:
		until = s.pieces[0].at.Sub(now)
	case s.ended != nil && s.ended != errSilence:
		return 0, nil, 0, s.ended
	}
	return 0, s.changed, until, nil
}

// conn is one end of a link.
type conn struct {
	in, out *stream

	mu            sync.Mutex
	closed        bool
	readUntil     time.Time
	deadlineMoved chan struct{}
}

func (c *conn) Read(p []byte) (int, error) {
	for {
		closed, deadline, moved := c.state()
		switch {
		case closed:
			return 0, net.ErrClosed
		case !deadline.IsZero() && !deadline.After(time.Now()):
			return 0, os.ErrDeadlineExceeded
		}
		n, changed, until, err := c.in.take(p)
		if changed == nil {
			return n, err
		}
		if left := time.Until(deadline); !deadline.IsZero() && (until == 0 || left < until) {
			until = left
		}
		var ring <-chan time.Time
		if until > 0 {
			timer := time.NewTimer(until)
			defer timer.Stop()
			ring = timer.C
		}
		select {
		case <-changed:
		case <-moved:
		case <-ring:
		}
	}
}

func (c *conn) state() (closed bool, deadline time.Time, moved chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deadlineMoved == nil {
		c.deadlineMoved = make(chan struct{})
	}
	return c.closed, c.readUntil, c.deadlineMoved
}

func (c *conn) move(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	if c.deadlineMoved != nil {
		close(c.deadlineMoved)
		c.deadlineMoved = nil
	}
}

func (c *conn) Write(p []byte) (int, error) {
	if closed, _, _ := c.state(); closed {
		return 0, net.ErrClosed
	}
	return c.out.write(p)
}

func (c *conn) Close() error {
	c.move(func() { c.closed = true })
	c.out.closeWrite()
	c.in.breakOff(syscall.ECONNRESET) // whoever still writes to us learns it
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.move(func() { c.readUntil = t })
	return nil
}

func (c *conn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
func (c *conn) LocalAddr() net.Addr              { return address{} }
func (c *conn) RemoteAddr() net.Addr             { return address{} }
