package websocket

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// http2Stream is one stream of an HTTP/2 connection as a net.Conn, for as long as its handler runs: END_STREAM is the end of the
// input, and of the output when the handler returns.
//
// net/http's own deadlines end a stream for good, while a Read of ours that was given up must be harmless. So a goroutine reads the
// body, into one end of a pipe that has deadlines of the usual kind; and a write is broken off only if it is under way when its time ends.
type http2Stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
	r  *http.Request

	in     net.Conn // what the body brings
	inDone chan struct{}
	inErr  error // how the body ended; set before inDone is closed

	mu       sync.Mutex
	idle     sync.Cond // of writing
	writing  bool
	closed   bool
	late     bool // the write deadline has passed
	broken   bool // the stream was reset, since a write hung
	timer    *time.Timer
	deadline int // tells the timer of this deadline from those before
}

func newHTTP2Stream(w http.ResponseWriter, r *http.Request) *http2Stream {
	s := &http2Stream{w: w, rc: http.NewResponseController(w), r: r, inDone: make(chan struct{})}
	s.idle.L = &s.mu
	s.rc.EnableFullDuplex()
	s.rc.SetReadDeadline(time.Time{}) // those of the HTTP server do not apply any more
	s.rc.SetWriteDeadline(time.Time{})
	in, feed := net.Pipe()
	s.in = in
	go s.feed(feed)
	return s
}

// feed hands on what the body brings. It ends with the body, or with Close. While nothing comes it holds 512 bytes.
func (s *http2Stream) feed(to net.Conn) {
	defer close(s.inDone)
	defer to.Close()
	var small [512]byte
	for s.inErr == nil {
		var n int
		n, s.inErr = s.r.Body.Read(small[:])
		_, err := to.Write(small[:n])
		if err == nil && n == len(small) && s.inErr == nil { // more is likely
			b := borrow(largeBuffer)
			n, s.inErr = s.r.Body.Read(b.data)
			_, err = to.Write(b.data[:n])
			b.giveBack()
		}
		if err != nil {
			s.inErr = net.ErrClosed
		}
	}
}

func (s *http2Stream) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		<-s.inDone
		err = s.inErr
	case errors.Is(err, io.ErrClosedPipe):
		err = net.ErrClosed
	}
	return n, err
}

func (s *http2Stream) Write(p []byte) (int, error) {
	if err := s.beginWrite(); err != nil {
		return 0, err
	}
	n, err := s.w.Write(p)
	if err == nil {
		err = s.rc.Flush()
	}
	return n, s.endWrite(err)
}

// beginWrite: when the handler has returned, w must not be touched.
func (s *http2Stream) beginWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return net.ErrClosed
	case s.broken, s.late:
		return os.ErrDeadlineExceeded
	case s.r.Context().Err() != nil:
		return io.ErrClosedPipe
	}
	s.writing = true
	return nil
}

func (s *http2Stream) endWrite(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	s.idle.Broadcast()
	switch {
	case s.closed:
		return net.ErrClosed
	case s.broken:
		return os.ErrDeadlineExceeded
	}
	return err
}

// breakWrite makes a write that hangs return, by RST_STREAM. mu must be held.
func (s *http2Stream) breakWrite() {
	if s.writing && !s.broken {
		s.broken = true
		s.rc.SetWriteDeadline(longAgo)
	}
}

// Close waits for a write that is under way, so that the handler may return.
func (s *http2Stream) Close() error {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.breakWrite()
	for s.writing {
		s.idle.Wait()
	}
	s.mu.Unlock()
	s.in.Close()
	s.r.Body.Close()
	<-s.inDone
	return nil
}

// CloseWrite says that the last was written. Other than over TCP it arrives whatever is left unread, so nobody needs to wait for the
// peer's end: there is nothing more to read.
func (s *http2Stream) CloseWrite() error { return s.in.Close() }

func (s *http2Stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *http2Stream) SetReadDeadline(t time.Time) error { return s.in.SetReadDeadline(t) }

func (s *http2Stream) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.deadline++
	s.late = false
	switch wait := time.Until(t); {
	case t.IsZero() || s.closed:
	case wait <= 0:
		s.late = true
		s.breakWrite()
	default:
		this := s.deadline
		s.timer = time.AfterFunc(wait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.deadline == this {
				s.late = true
				s.breakWrite()
			}
		})
	}
	return nil
}

func (s *http2Stream) LocalAddr() net.Addr {
	addr, _ := s.r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return addr
}

func (s *http2Stream) RemoteAddr() net.Addr {
	addr, err := netip.ParseAddrPort(s.r.RemoteAddr)
	if err != nil {
		return namedAddr(s.r.RemoteAddr)
	}
	return net.TCPAddrFromAddrPort(addr)
}

// namedAddr is an address of which only the text is known.
type namedAddr string

func (namedAddr) Network() string  { return "tcp" }
func (a namedAddr) String() string { return string(a) }
