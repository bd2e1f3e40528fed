package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// parser counts the messages in the bytes that a server sends, wherever the bytes are cut, and compares them.
type parser struct {
	want   []byte  // what every message must be; nil: not known
	whole  []byte  // the same as one frame, as most servers send it; nil: not known
	sample *sample // for compressed messages: inflates some

	head    [10]byte
	have    int // bytes of head
	left    int // payload bytes of the frame still to come
	within  bool
	fin     bool
	control bool
	at      int // bytes of the message seen so far
	closed  []byte
}

// expect makes payload what every message must be.
func (f *parser) expect(opcode byte, payload []byte) {
	f.want, f.whole = payload, appendHeader(nil, 0x80|opcode, 0, len(payload))
	f.whole = append(f.whole, payload...)
}

// feed returns how many messages ended in p.
func (f *parser) feed(p []byte) (messages int, err error) {
	for {
		if !f.within {
			// At the beginning of a frame, nearly always: one comparison for header and payload.
			for f.whole != nil && f.have == 0 && len(p) >= len(f.whole) && bytes.Equal(p[:len(f.whole)], f.whole) {
				p = p[len(f.whole):]
				messages++
			}
			if p, err = f.header(p); err != nil || !f.within {
				return messages, err
			}
		}
		n := min(f.left, len(p))
		if f.control {
			f.closed = append(f.closed, p[:n]...)
		} else if err := f.payload(p[:n]); err != nil {
			return messages, err
		}
		p, f.left = p[n:], f.left-n
		if f.left > 0 {
			return messages, nil
		}
		f.within = false
		switch {
		case f.control:
			if f.head[0]&0xf == 8 {
				return messages, closeError(f.closed)
			}
			f.closed = f.closed[:0]
		case f.fin:
			if err := f.end(); err != nil {
				return messages, err
			}
			messages++
		}
	}
}

// header takes a frame's header from p; f.within says whether it is complete.
func (f *parser) header(p []byte) ([]byte, error) {
	size := 2
	for {
		if f.have < size {
			n := copy(f.head[f.have:size], p)
			f.have, p = f.have+n, p[n:]
		}
		if f.have < size {
			return p, nil
		}
		full := 2
		switch f.head[1] {
		case 126:
			full = 4
		case 127:
			full = 10
		}
		if size == full {
			break
		}
		size = full
	}
	switch size {
	case 2:
		f.left = int(f.head[1])
	case 4:
		f.left = int(binary.BigEndian.Uint16(f.head[2:]))
	default:
		f.left = int(binary.BigEndian.Uint64(f.head[2:]))
	}
	if f.head[1]&0x80 != 0 {
		return p, fmt.Errorf("the server sent a masked frame")
	}
	f.have, f.within = 0, true
	f.fin, f.control = f.head[0]&0x80 != 0, f.head[0]&0x08 != 0
	if opcode := f.head[0] & 0xf; opcode == Text || opcode == Binary {
		if f.at = 0; f.sample != nil {
			f.sample.begin(f.head[0]&0x40 != 0)
		}
	}
	return p, nil
}

func (f *parser) payload(p []byte) error {
	if f.want != nil && (f.at+len(p) > len(f.want) || !bytes.Equal(p, f.want[f.at:f.at+len(p)])) {
		return fmt.Errorf("a message differs from what was sent, after %d bytes", f.at)
	}
	if f.sample != nil {
		f.sample.add(p)
	}
	f.at += len(p)
	return nil
}

func (f *parser) end() error {
	if f.want != nil && f.at != len(f.want) {
		return fmt.Errorf("a message of %d bytes came, %d were sent", f.at, len(f.want))
	}
	if f.sample != nil {
		more, err := f.sample.end()
		if !more {
			f.sample = nil
		}
		return err
	}
	return nil
}

func closeError(payload []byte) error {
	if len(payload) < 2 {
		return fmt.Errorf("the server closed the connection")
	}
	return fmt.Errorf("the server closed the connection: %d %s", binary.BigEndian.Uint16(payload), payload[2:])
}
