// Command gobwas is the server under measurement with github.com/gobwas/ws, without net/http, as its users run it.
// The library leaves buffers to its user: here 4 KiB to read from, like the others', and one write for a frame.
package main

import (
	"bufio"
	"bytes"
	"io"
	"net"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"parley/bench/websocket/servers/serving"
)

func main() { serving.Main(serve) }

type server struct {
	deflate bool
	room    serving.Room[net.Conn]
}

func serve(l net.Listener, d serving.Deflate) error {
	s := &server{deflate: d == serving.NoTakeover} // its helpers know no takeover
	for {
		nc, err := l.Accept()
		if err != nil {
			return err
		}
		go s.handle(nc)
	}
}

func (s *server) handle(nc net.Conn) {
	defer nc.Close()
	var path string
	up := ws.Upgrader{OnRequest: func(uri []byte) error { path = string(uri); return nil }}
	var extension wsflate.Extension
	if s.deflate {
		extension.Parameters = wsflate.DefaultParameters
		up.Negotiate = extension.Negotiate
	}
	if _, err := up.Upgrade(nc); err != nil {
		return
	}
	_, compressed := extension.Accepted()
	c := &conn{nc: nc, br: bufio.NewReaderSize(nc, 4096)}
	switch path {
	case "/echo":
		for {
			h, m, err := c.read()
			if err != nil || c.write(h.OpCode, m, compressed) != nil {
				return
			}
		}
	case "/subscribe":
		s.room.Join(nc)
		defer s.room.Leave(nc)
		for {
			if _, _, err := c.read(); err != nil {
				return
			}
		}
	case "/publish":
		for {
			h, m, err := c.read()
			if err != nil {
				return
			}
			f := ws.NewFrame(h.OpCode, true, m)
			if s.deflate { // then all subscribers have agreed to it
				if f, err = compress(f); err != nil {
					return
				}
			}
			frame := ws.MustCompileFrame(f)
			s.room.Each(func(nc net.Conn) { _, _ = nc.Write(frame) })
		}
	}
}

// conn reads and writes whole messages of one frame; the load sends no others.
type conn struct {
	nc      net.Conn
	br      *bufio.Reader
	head    [ws.MaxHeaderSize]byte
	payload []byte
	text    bytes.Buffer
	out     bytes.Buffer
}

func (c *conn) read() (ws.Header, []byte, error) {
	for {
		h, err := ws.ReadHeaderBuffer(c.br, c.head[:])
		if err != nil {
			return h, nil, err
		}
		if h.Length > serving.MaxMessage {
			return h, nil, ws.ErrHeaderLengthUnexpected
		}
		if int(h.Length) > cap(c.payload) {
			c.payload = make([]byte, h.Length)
		}
		p := c.payload[:h.Length]
		if _, err := io.ReadFull(c.br, p); err != nil {
			return h, nil, err
		}
		ws.Cipher(p, h.Mask, 0)
		switch {
		case h.OpCode == ws.OpPing:
			if _, err := c.nc.Write(ws.MustCompileFrame(ws.NewPongFrame(p))); err != nil {
				return h, nil, err
			}
		case h.OpCode == ws.OpClose:
			return h, nil, io.EOF
		case h.OpCode.IsData() && h.Rsv1():
			err := inflate(&c.text, p)
			return h, c.text.Bytes(), err
		case h.OpCode.IsData():
			return h, p, nil
		}
	}
}

func (c *conn) write(op ws.OpCode, m []byte, compressed bool) error {
	f := ws.NewFrame(op, true, m)
	if compressed {
		var err error
		if f, err = compress(f); err != nil {
			return err
		}
	}
	c.out.Reset()
	if err := ws.WriteFrame(&c.out, f); err != nil {
		return err
	}
	_, err := c.nc.Write(c.out.Bytes())
	return err
}
