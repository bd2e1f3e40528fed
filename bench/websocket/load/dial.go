package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"net/textproto"
	"strings"

	"golang.org/x/sys/unix"

	"parley/bench/socket"
)

// Conn is one client connection.
type Conn struct {
	Extension Extension

	index int
	fd    int
	parser
	tape *Tape
	pos  int
	rest []byte // of frames that the kernel did not take yet
	due  int    // messages to be sent after rest

	sent []int64 // open loop: when each unanswered message was due, in order
}

// opening is a connection whose handshake was sent.
type opening struct {
	fd    int
	offer string
}

// begin connects and sends the handshake of connection number i; finish reads the answer. Between them other
// connections can begin, so that the server always has something to do.
func begin(server netip.AddrPort, path, offer string, i int) (*opening, error) {
	fd, err := socket.Dial(server, i)
	if err != nil {
		return nil, err
	}
	if _, err := unix.Write(fd, request(server, path, offer)); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &opening{fd: fd, offer: offer}, nil
}

// request is about what a browser sends. The key is the example of RFC 6455, section 1.3.
func request(server netip.AddrPort, path, offer string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, server)
	b.WriteString("Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n")
	b.WriteString("User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n")
	fmt.Fprintf(&b, "Upgrade: websocket\r\nOrigin: http://%s\r\nSec-WebSocket-Version: 13\r\n", server)
	b.WriteString("Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n")
	b.WriteString("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
	if offer != OfferNone {
		fmt.Fprintf(&b, "Sec-WebSocket-Extensions: %s\r\n", offer)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

const acceptValue = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

func (o *opening) finish() (*Conn, error) {
	c, err := o.answer()
	if err != nil {
		unix.Close(o.fd)
		return nil, err
	}
	return c, nil
}

func (o *opening) answer() (*Conn, error) {
	buf, n := make([]byte, 2048), 0
	end := -1
	for end < 0 {
		if n == len(buf) {
			return nil, fmt.Errorf("handshake: the answer is longer than %d bytes", n)
		}
		m, err := unix.Read(o.fd, buf[n:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, fmt.Errorf("handshake: %w", err)
		case m == 0:
			return nil, fmt.Errorf("handshake: the server closed the connection")
		}
		n += m
		end = bytes.Index(buf[:n], []byte("\r\n\r\n"))
	}
	if n != end+4 {
		return nil, fmt.Errorf("handshake: the server sent %d bytes before it was spoken to", n-end-4)
	}
	status, headers, _ := strings.Cut(string(buf[:end]), "\r\n")
	if !strings.HasPrefix(status, "HTTP/1.1 101") {
		return nil, fmt.Errorf("handshake: %s", status)
	}
	c := &Conn{fd: o.fd}
	accepted := false
	for line := range strings.SplitSeq(headers, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Sec-Websocket-Accept":
			accepted = value == acceptValue
		case "Sec-Websocket-Extensions":
			var err error
			if c.Extension, err = parseExtension(value, o.offer); err != nil {
				return nil, err
			}
		}
	}
	if !accepted {
		return nil, fmt.Errorf("handshake: a wrong Sec-WebSocket-Accept")
	}
	return c, unix.SetNonblock(o.fd, true)
}
