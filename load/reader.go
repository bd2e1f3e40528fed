package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// reader is one connection that is given messages: one goroutine reads it, with a buffer of its own that is small, or none while
// it waits.
type reader struct {
	conn  net.Conn
	token string
	host  string
	marks marked
	found func(sent int64)
}

// readerBuffer is enough for some messages; more of them take more reads.
const readerBuffer = 2 << 10

// open asks for a stream, and returns when it has begun.
func (r *reader) open(path, headers string, status int) (rest []byte, err error) {
	if _, err := fmt.Fprintf(r.conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s\r\n", path, r.host, r.token, headers); err != nil {
		return nil, err
	}
	br := bufio.NewReaderSize(r.conn, 1<<10)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != status {
		return nil, refused(resp)
	}
	rest, _ = br.Peek(br.Buffered())
	return bytes.Clone(rest), nil
}

// stream reads Server-Sent Events until the connection ends. The chunks they come in do not cut a mark: the server writes
// events whole.
func (r *reader) stream(first []byte) error {
	buf := make([]byte, readerBuffer)
	n := copy(buf, first)
	for {
		rest := r.marks.scan(buf[:n], r.found)
		copy(buf, buf[n-rest:n])
		m, err := r.conn.Read(buf[rest:])
		n = rest + m
		if err != nil {
			return err
		}
	}
}

// frames reads WebSocket frames (RFC 6455, section 5.2) until the connection ends, and answers pings.
func (r *reader) frames(first []byte) error {
	f := frames{conn: r.conn, marks: r.marks, found: r.found}
	if err := f.feed(first); err != nil {
		return err
	}
	buf := make([]byte, readerBuffer)
	for {
		n, err := r.conn.Read(buf)
		if err != nil {
			return err
		}
		if err := f.feed(buf[:n]); err != nil {
			return err
		}
	}
}

// frames follows the frames that come, however the bytes are cut.
type frames struct {
	conn  net.Conn
	marks marked
	found func(sent int64)

	head    []byte // of a frame that has begun
	left    int    // bytes of its payload to come
	opcode  byte
	control []byte // payload of a control frame
	tail    []byte // of what was scanned: perhaps the beginning of a mark
}

func (f *frames) feed(p []byte) error {
	for len(p) > 0 {
		if f.left == 0 {
			size := 2
			if len(f.head) >= 2 {
				size = headSize(f.head[1])
			}
			n := min(size-len(f.head), len(p))
			f.head, p = append(f.head, p[:n]...), p[n:]
			if len(f.head) < 2 || len(f.head) < headSize(f.head[1]) {
				continue
			}
			f.opcode, f.left = f.head[0]&0xf, payloadSize(f.head)
			f.head, f.control = f.head[:0], f.control[:0]
			if f.left == 0 && f.opcode >= 8 {
				if err := f.answer(); err != nil {
					return err
				}
			}
			continue
		}
		n := min(f.left, len(p))
		f.payload(p[:n])
		f.left -= n
		p = p[n:]
		if f.left == 0 {
			f.tail = f.tail[:0]
			if f.opcode >= 8 {
				if err := f.answer(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (f *frames) payload(p []byte) {
	if f.opcode >= 8 {
		f.control = append(f.control, p...)
		return
	}
	if len(f.tail) > 0 {
		p = append(f.tail, p...)
	}
	rest := f.marks.scan(p, f.found)
	f.tail = bytes.Clone(p[len(p)-rest:])
}

// answer answers a ping; a Close ends it.
func (f *frames) answer() error {
	switch f.opcode {
	case 8:
		return fmt.Errorf("the server closed: %q", f.control[min(2, len(f.control)):])
	case 9:
		pong := append([]byte{0x8a, 0x80 | byte(len(f.control)), 0, 0, 0, 0}, f.control...) // masked with zero
		_, err := f.conn.Write(pong)
		return err
	}
	return nil
}

func headSize(second byte) int {
	switch second & 0x7f {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

func payloadSize(head []byte) (n int) {
	if head[1]&0x7f < 126 {
		return int(head[1] & 0x7f)
	}
	for _, b := range head[2:] {
		n = n<<8 | int(b)
	}
	return n
}

var bodies = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}

// longPolls asks again and again, from where the last answer led. While it waits, it holds a byte.
func (r *reader) longPolls(path, after string) error {
	var one [1]byte
	var body []byte
	for {
		if err := r.ask(path, after); err != nil {
			return err
		}
		if _, err := r.conn.Read(one[:]); err != nil {
			return err
		}
		br := bodies.Get().(*bufio.Reader)
		br.Reset(io.MultiReader(bytes.NewReader(one[:]), r.conn))
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return refused(resp)
		}
		if body, err = readAll(body[:0], resp.Body); err != nil {
			return err
		}
		br.Reset(nil)
		bodies.Put(br)
		r.marks.scan(body, r.found)
		if to, ok := between(body, `"to":"`, `"`); ok {
			after = to
		}
		if cap(body) > 2*readerBuffer {
			body = nil
		}
	}
}

func (r *reader) ask(path, after string) error {
	_, err := fmt.Fprintf(r.conn, "GET %s&after=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, after, r.host, r.token)
	return err
}

func readAll(dst []byte, from io.Reader) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	_, err := b.ReadFrom(from)
	return b.Bytes(), err
}

// between is the text between two others.
func between(data []byte, before, after string) (string, bool) {
	_, rest, ok := bytes.Cut(data, []byte(before))
	if !ok {
		return "", false
	}
	text, _, ok := bytes.Cut(rest, []byte(after))
	return string(text), ok
}
