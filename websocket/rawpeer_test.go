package websocket_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/websocket"
)

// The peers of the conformance tests: frames written and read by hand over a socket, by nothing of the package under test.

// patience is how long a test waits for what must come; it fails then.
const patience = 20 * time.Second

const (
	fin, rsv1, rsv2, rsv3                     = 0x80, 0x40, 0x20, 0x10
	cont, text, binaryOp, closeOp, ping, pong = 0, 1, 2, 8, 9, 10
)

var testKey = [4]byte{0x37, 0xfa, 0x21, 0x3d} // that of the example in section 5.7

// rawFrame encodes a frame whose first byte is b0; lengthBits forces an encoding (0: the shortest).
func rawFrame(b0 int, masked bool, payload []byte, lengthBits int) []byte {
	var b bytes.Buffer
	b.WriteByte(byte(b0))
	m, n := byte(0), len(payload)
	if masked {
		m = 0x80
	}
	switch {
	case lengthBits == 64 || (lengthBits == 0 && n > 65535):
		b.WriteByte(m | 127)
		binary.Write(&b, binary.BigEndian, uint64(n))
	case lengthBits == 16 || (lengthBits == 0 && n > 125):
		b.WriteByte(m | 126)
		binary.Write(&b, binary.BigEndian, uint16(n))
	default:
		b.WriteByte(m | byte(n))
	}
	if masked {
		b.Write(testKey[:])
		for i, c := range payload {
			b.WriteByte(c ^ testKey[i%4])
		}
	} else {
		b.Write(payload)
	}
	return b.Bytes()
}

// wireFrame is a frame as it was received, unmasked.
type wireFrame struct {
	fin     bool
	rsv     int
	op      int
	masked  bool
	key     [4]byte
	bits    int // of the length: 7, 16 or 64
	payload []byte
}

func (f wireFrame) closeCode() int {
	if len(f.payload) < 2 {
		return 1005
	}
	return int(binary.BigEndian.Uint16(f.payload))
}

func readWireFrame(r io.Reader) (f wireFrame, err error) {
	var h [8]byte
	if _, err = io.ReadFull(r, h[:2]); err != nil {
		return f, err
	}
	f.fin, f.rsv, f.op, f.masked = h[0]&0x80 != 0, int(h[0]&0x70), int(h[0]&0xF), h[1]&0x80 != 0
	n := uint64(h[1] & 0x7F)
	f.bits = 7
	switch n {
	case 126:
		f.bits = 16
		if _, err = io.ReadFull(r, h[:2]); err != nil {
			return f, err
		}
		n = uint64(binary.BigEndian.Uint16(h[:2]))
	case 127:
		f.bits = 64
		if _, err = io.ReadFull(r, h[:8]); err != nil {
			return f, err
		}
		n = binary.BigEndian.Uint64(h[:8])
	}
	if f.masked {
		if _, err = io.ReadFull(r, f.key[:]); err != nil {
			return f, err
		}
	}
	f.payload = make([]byte, n)
	_, err = io.ReadFull(r, f.payload)
	if f.masked {
		for i := range f.payload {
			f.payload[i] ^= f.key[i%4]
		}
	}
	return f, err
}

// rawPeer is the other side of a connection under test.
type rawPeer struct {
	t      testing.TB
	nc     net.Conn
	br     *bufio.Reader
	client bool // masks
}

func newReader(nc net.Conn) *bufio.Reader { return bufio.NewReader(nc) }

func (p *rawPeer) write(b ...[]byte) {
	p.t.Helper()
	if _, err := p.nc.Write(bytes.Join(b, nil)); err != nil {
		p.t.Fatalf("writing to the connection under test: %v", err)
	}
}

// frame encodes one in the peer's role; send sends it.
func (p *rawPeer) frame(b0 int, payload string) []byte {
	return rawFrame(b0, p.client, []byte(payload), 0)
}

func (p *rawPeer) send(b0 int, payload string) {
	p.t.Helper()
	p.write(p.frame(b0, payload))
}

func (p *rawPeer) sendClose(code int, reason string) {
	p.t.Helper()
	p.send(fin|closeOp, closePayload(code, reason))
}

func closePayload(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

func (p *rawPeer) recv() wireFrame {
	p.t.Helper()
	f, err := readWireFrame(p.br)
	if err != nil {
		p.t.Fatalf("waiting for a frame: %v", err)
	}
	if f.masked == p.client {
		p.t.Fatalf("section 5.1: frame %+v has masked=%v", f, f.masked)
	}
	if f.rsv != 0 {
		p.t.Fatalf("section 5.2: frame %+v has reserved bits", f)
	}
	if f.op >= 8 && (!f.fin || len(f.payload) > 125) {
		p.t.Fatalf("section 5.5: control frame %+v", f)
	}
	return f
}

func (p *rawPeer) expect(op int, payload string) wireFrame {
	p.t.Helper()
	f := p.recv()
	if f.op != op || string(f.payload) != payload || !f.fin {
		p.t.Fatalf("got opcode %d fin %v %.80q, want opcode %d %.80q", f.op, f.fin, f.payload, op, payload)
	}
	return f
}

// expectClose waits for a Close frame with the code, skipping nothing.
func (p *rawPeer) expectClose(code int) wireFrame {
	p.t.Helper()
	f := p.recv()
	if f.op != closeOp || f.closeCode() != code {
		p.t.Fatalf("got opcode %d, code %d (%.80q), want a Close frame with %d", f.op, f.closeCode(), f.payload, code)
	}
	return f
}

// expectEnd waits for the end of the TCP connection with nothing more before it.
func (p *rawPeer) expectEnd() {
	p.t.Helper()
	b, err := p.br.ReadByte()
	if err == nil {
		p.t.Fatalf("got byte %#x, want the end of the connection", b)
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		p.t.Fatalf("the connection was not closed")
	}
}

// expectFailure is what an endpoint does with a peer that breaks a rule (section 7.1.7).
func (p *rawPeer) expectFailure(code int) {
	p.t.Helper()
	p.expectClose(code)
	p.expectEnd()
}

// server is a real http.Server that accepts, echoes, and keeps how each connection ended.
type server struct {
	t     testing.TB
	addr  string
	ended chan error // what the handler's last call returned
	conns chan *websocket.Conn
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// serve starts a server whose connections are handled by handle, nil for echo.
func serve(t testing.TB, o *websocket.AcceptOptions, handle func(context.Context, *websocket.Conn) error) *server {
	t.Helper()
	if handle == nil {
		if echoForm != blockingForm && echoForm != blockingPortForm {
			return serveHandler(t, o)
		}
		handle = echo
	}
	if echoForm == blockingPortForm {
		return serveRun(t, o, handle)
	}
	ln := listen(t)
	s := newServer(t)
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var handlers sync.WaitGroup
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Done()
		c, err := websocket.Accept(w, r, o)
		if err != nil {
			s.ended <- err
			return
		}
		s.conns <- c
		defer c.CloseNow()
		s.ended <- handle(ctx, c)
	})}
	go hs.Serve(ln)
	t.Cleanup(func() {
		cancel()
		hs.Close()
		handlers.Wait()
	})
	return s
}

func echo(ctx context.Context, c *websocket.Conn) error {
	for {
		kind, p, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if err := c.Write(ctx, kind, p); err != nil {
			return err
		}
	}
}

func (s *server) url() string { return "ws://" + s.addr + "/" }

// end waits for the handler's error.
func (s *server) end() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(patience):
		s.t.Fatal("the server's handler did not end")
		return nil
	}
}

func (s *server) dialTCP() *rawPeer {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return &rawPeer{t: s.t, nc: nc, br: bufio.NewReader(nc), client: true}
}

// requestLines is the handshake of section 1.2, for tests to change.
func (s *server) requestLines() []string {
	return []string{
		"GET /chat HTTP/1.1", "Host: " + s.addr, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
	}
}

func joinLines(lines []string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n") }

// replaced returns the lines with the one that begins with name replaced by with, or left out if that is "".
func replaced(lines []string, name string, with ...string) []string {
	var out []string
	for _, line := range lines {
		if strings.HasPrefix(line, name) {
			out = append(out, with...)
		} else {
			out = append(out, line)
		}
	}
	return out
}

// open does the handshake; extra bytes are sent in the same packet.
func (s *server) open(extra ...[]byte) *rawPeer {
	s.t.Helper()
	p := s.dialTCP()
	p.write(append([][]byte{joinLines(s.requestLines())}, extra...)...)
	if status, _, _ := p.readResponse(); status != 101 {
		s.t.Fatalf("the handshake was answered with %d", status)
	}
	return p
}

func (p *rawPeer) readResponse() (status int, h textproto.MIMEHeader, body string) {
	p.t.Helper()
	line, err := p.br.ReadString('\n')
	if err != nil {
		p.t.Fatalf("waiting for the answer: %v", err)
	}
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d ", &status); err != nil {
		if _, err := fmt.Sscanf(line, "HTTP/1.0 %d ", &status); err != nil {
			p.t.Fatalf("status line %q", line)
		}
	}
	if h, err = textproto.NewReader(p.br).ReadMIMEHeader(); err != nil {
		p.t.Fatalf("headers: %v", err)
	}
	if status != 101 {
		var n int
		fmt.Sscan(h.Get("Content-Length"), &n)
		b := make([]byte, n)
		io.ReadFull(p.br, b)
		body = string(b)
	}
	return status, h, body
}

// rawServer is a server written by hand for Dial to meet.
type rawServer struct {
	t    testing.TB
	ln   net.Listener
	addr string
}

func rawListen(t testing.TB) *rawServer {
	t.Helper()
	ln := listen(t)
	t.Cleanup(func() { ln.Close() })
	return &rawServer{t: t, ln: ln, addr: ln.Addr().String()}
}

func (s *rawServer) url() string { return "ws://" + s.addr + "/" }

// accept waits for a connection and reads its request.
func (s *rawServer) accept() (p *rawPeer, requestLine string, h textproto.MIMEHeader) {
	s.t.Helper()
	nc, err := s.ln.Accept()
	if err != nil {
		s.t.Error(err)
		return nil, "", nil
	}
	s.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	p = &rawPeer{t: s.t, nc: nc, br: bufio.NewReader(nc)}
	requestLine, h = p.readRequest()
	return p, requestLine, h
}

func (p *rawPeer) readRequest() (string, textproto.MIMEHeader) {
	p.t.Helper()
	r := textproto.NewReader(p.br)
	line, err := r.ReadLine()
	if err != nil {
		p.t.Errorf("reading the request: %v", err)
	}
	h, err := r.ReadMIMEHeader()
	if err != nil {
		p.t.Errorf("reading the request's headers: %v", err)
	}
	return line, h
}

// responseLines is the right answer, for tests to change.
func responseLines(h textproto.MIMEHeader) []string {
	return []string{
		"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Accept: " + wantAccept(h.Get("Sec-WebSocket-Key")),
	}
}

// dialed is the outcome of a Dial.
type dialed struct {
	c    *websocket.Conn
	resp *http.Response
	err  error
}

// dial begins a Dial to the raw server.
func (s *rawServer) dial(o *websocket.DialOptions) <-chan dialed {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	ch := make(chan dialed, 1)
	go func() {
		c, resp, err := websocket.Dial(ctx, s.url(), o)
		if c != nil {
			s.t.Cleanup(func() { c.CloseNow() })
		}
		ch <- dialed{c, resp, err}
	}()
	return ch
}

// meet opens a connection between a Dial and the raw server; extra bytes follow the response in one packet.
func meet(t testing.TB, o *websocket.DialOptions, extra ...[]byte) (*websocket.Conn, *rawPeer) {
	t.Helper()
	s := rawListen(t)
	ch := s.dial(o)
	p, _, h := s.accept()
	p.write(append([][]byte{joinLines(responseLines(h))}, extra...)...)
	d := <-ch
	if d.err != nil {
		t.Fatal(d.err)
	}
	return d.c, p
}

// reading runs Read in a loop and returns where its last error will be.
func reading(t testing.TB, c *websocket.Conn) <-chan error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	ch := make(chan error, 1)
	go func() { ch <- echo(ctx, c) }()
	return ch
}

func await(t testing.TB, ch <-chan error) error {
	t.Helper()
	select {
	case err := <-ch:
		return err
	case <-time.After(patience):
		t.Fatal("waited too long")
		return nil
	}
}

func wantClose(t testing.TB, err error, code websocket.StatusCode, reason string) {
	t.Helper()
	e, ok := errors.AsType[*websocket.CloseError](err)
	if !ok || e.Code != code || e.Reason != reason {
		t.Fatalf("got %v, want a CloseError with %v %q", err, code, reason)
	}
}

func wantProtocolError(t testing.TB, err error, code websocket.StatusCode) *websocket.ProtocolError {
	t.Helper()
	e, ok := errors.AsType[*websocket.ProtocolError](err)
	if !ok || e.Code != code {
		t.Fatalf("got %v, want a ProtocolError with %v", err, code)
	}
	return e
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}
