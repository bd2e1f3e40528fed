package websocket_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"parley/websocket"
	_ "parley/websocket/enablehttp2"
)

// h2Peer is a client that speaks HTTP/2 frame by frame.
type h2Peer struct {
	t      testing.TB
	tls    *tls.Conn
	framer *http2.Framer
	wmu    sync.Mutex // of the framer's writing half

	settings map[http2.SettingID]uint32 // the server's

	mu      sync.Mutex
	streams map[uint32]*h2Stream
	next    uint32
}

// h2Stream is one stream; as a net.Conn it carries what follows the handshake, so that a rawPeer can speak over it.
type h2Stream struct {
	net.Conn // for methods that nobody calls
	p        *h2Peer
	id       uint32
	headers  chan map[string][]string
	data     chan []byte
	left     []byte
	end      error // io.EOF for END_STREAM; set before data is closed
	hold     bool  // window updates are withheld
}

// serveH2 is serve, over TLS and HTTP/2. The handler's ends and connections go where those of s do.
func serveH2(t testing.TB, o *websocket.AcceptOptions, handle func(context.Context, *websocket.Conn) error) *server {
	t.Helper()
	if handle == nil {
		handle = echo
	}
	s := &server{t: t, ended: make(chan error, 10000), conns: make(chan *websocket.Conn, 10000)}
	ctx, cancel := context.WithCancel(context.Background())
	hs := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Upgrade", "nonsense")
		c, err := websocket.Accept(w, r, o)
		if err != nil {
			s.ended <- err
			return
		}
		defer c.CloseNow()
		s.conns <- c
		s.ended <- handle(ctx, c)
	}))
	hs.EnableHTTP2 = true
	hs.Config.ReadTimeout, hs.Config.WriteTimeout = patience, patience
	hs.StartTLS()
	s.addr = hs.Listener.Addr().String()
	t.Cleanup(func() {
		cancel()
		hs.CloseClientConnections()
		hs.Close()
	})
	return s
}

// connectH2 opens an HTTP/2 connection, up to the server's SETTINGS.
func connectH2(t testing.TB, addr string) *h2Peer {
	t.Helper()
	nc, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	io.WriteString(nc, http2.ClientPreface)
	p := &h2Peer{t: t, tls: nc, framer: http2.NewFramer(nc, bufio.NewReader(nc)), streams: map[uint32]*h2Stream{}, next: 1, settings: map[http2.SettingID]uint32{}}
	p.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := p.framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	first, err := p.framer.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	first.(*http2.SettingsFrame).ForeachSetting(func(s http2.Setting) error {
		p.settings[s.ID] = s.Val
		return nil
	})
	p.framer.WriteSettingsAck()
	done := make(chan struct{})
	go func() { defer close(done); p.receive() }()
	t.Cleanup(func() { nc.Close(); <-done })
	return p
}

func (p *h2Peer) stream(id uint32) *h2Stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streams[id]
}

// receive hands frames to their streams.
func (p *h2Peer) receive() {
	var last error = net.ErrClosed
	ended := func(s *h2Stream, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if s != nil && s.end == nil {
			s.end = err
			close(s.data)
		}
	}
	for {
		f, err := p.framer.ReadFrame()
		if err != nil {
			last = err
			break
		}
		s := p.stream(f.Header().StreamID)
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			h := map[string][]string{}
			for _, field := range f.Fields {
				h[field.Name] = append(h[field.Name], field.Value)
			}
			s.headers <- h
			if f.StreamEnded() {
				ended(s, io.EOF)
			}
		case *http2.DataFrame:
			if n := len(f.Data()); n > 0 {
				s.data <- bytes.Clone(f.Data())
				if !s.hold {
					p.write(func() error { return p.framer.WriteWindowUpdate(f.StreamID, uint32(n)) })
				}
				p.write(func() error { return p.framer.WriteWindowUpdate(0, uint32(n)) })
			}
			if f.StreamEnded() {
				ended(s, io.EOF)
			}
		case *http2.RSTStreamFrame:
			ended(s, http2.StreamError{StreamID: f.StreamID, Code: f.ErrCode})
		case *http2.PingFrame:
			p.write(func() error { return p.framer.WritePing(true, f.Data) })
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.streams {
		if s.end == nil {
			s.end = last
			close(s.data)
		}
	}
}

func (p *h2Peer) write(f func() error) error {
	p.wmu.Lock()
	defer p.wmu.Unlock()
	return f()
}

// connectFields is the example of RFC 8441, section 5.1.
func (p *h2Peer) connectFields() [][2]string {
	addr := p.tls.RemoteAddr().String()
	return [][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":path", "/chat"}, {":authority", addr},
		{"sec-websocket-version", "13"}, {"origin", "https://" + addr},
	}
}

// request sends the fields and waits for the answer's.
func (p *h2Peer) request(fields ...[2]string) (*h2Stream, map[string][]string) {
	return p.requestHolding(false, fields...)
}

func (p *h2Peer) requestHolding(hold bool, fields ...[2]string) (*h2Stream, map[string][]string) {
	p.t.Helper()
	s := &h2Stream{p: p, hold: hold, headers: make(chan map[string][]string, 1), data: make(chan []byte, 100000)}
	p.mu.Lock()
	s.id = p.next
	p.next += 2
	p.streams[s.id] = s
	p.mu.Unlock()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	err := p.write(func() error {
		return p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block.Bytes(), EndHeaders: true})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	select {
	case h := <-s.headers:
		return s, h
	case <-time.After(patience):
		p.t.Fatal("the request was not answered")
		return nil, nil
	}
}

// open does the handshake.
func (p *h2Peer) open() (*rawPeer, *h2Stream) { return p.openHolding(false) }

// openHeld does it for a peer that gives the server nothing beyond the first window.
func (p *h2Peer) openHeld() (*rawPeer, *h2Stream) { return p.openHolding(true) }

func (p *h2Peer) openHolding(hold bool) (*rawPeer, *h2Stream) {
	p.t.Helper()
	s, h := p.requestHolding(hold, p.connectFields()...)
	if got := h[":status"]; len(got) != 1 || got[0] != "200" {
		p.t.Fatalf("the handshake was answered with %v", h)
	}
	return &rawPeer{t: p.t, nc: s, br: bufio.NewReader(s), client: true}, s
}

func (s *h2Stream) Read(b []byte) (int, error) {
	for len(s.left) == 0 {
		select {
		case piece, ok := <-s.data:
			if !ok {
				return 0, s.end
			}
			s.left = piece
		case <-time.After(patience):
			return 0, errors.New("waited too long for DATA")
		}
	}
	n := copy(b, s.left)
	s.left = s.left[n:]
	return n, nil
}

// Write sends b in DATA frames; the windows of net/http are wide enough for what the tests send.
func (s *h2Stream) Write(b []byte) (int, error) {
	for at := 0; at < len(b); {
		piece := b[at:min(len(b), at+16<<10)]
		if err := s.p.write(func() error { return s.p.framer.WriteData(s.id, false, piece) }); err != nil {
			return at, err
		}
		at += len(piece)
	}
	return len(b), nil
}

func (s *h2Stream) endStream() {
	s.p.write(func() error { return s.p.framer.WriteData(s.id, true, nil) })
}

func (s *h2Stream) reset(code http2.ErrCode) {
	s.p.write(func() error { return s.p.framer.WriteRSTStream(s.id, code) })
}
