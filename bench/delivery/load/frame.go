package load

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

// parseFrame returns the frame at the beginning of p, as a server sends it, and its length, 0 if it is not complete.
// Servers do not cut messages as short as these.
func parseFrame(p []byte) (opcode byte, payload []byte, n int, err error) {
	if len(p) < 2 {
		return 0, nil, 0, nil
	}
	size, head := int(p[1]&0x7f), 2
	switch size {
	case 126:
		head = 4
		if len(p) >= head {
			size = int(binary.BigEndian.Uint16(p[2:]))
		}
	case 127:
		head = 10
		if len(p) >= head {
			size = int(binary.BigEndian.Uint64(p[2:]))
		}
	}
	if p[0]&0xf0 != 0x80 || p[1]&0x80 != 0 {
		return 0, nil, 0, fmt.Errorf("a frame that begins with %x: masked, a part of a message, or compressed", p[:2])
	}
	if len(p) < head || len(p) < head+size {
		return 0, nil, 0, nil
	}
	return p[0] & 0xf, p[head : head+size], head + size, nil
}

// appendFrame appends a client's frame. Its masking key is zero: that is a key as good as any to the server, and none to us.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|opcode, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|opcode, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|opcode, 0x80|127), uint64(n))
	}
	return append(append(dst, 0, 0, 0, 0), payload...)
}

// frames takes all whole frames of p; text messages go to message.
func (c *Conn) frames(p []byte, message func([]byte) error) (taken int, err error) {
	for {
		opcode, payload, n, err := parseFrame(p[taken:])
		if n == 0 || err != nil {
			return taken, err
		}
		taken += n
		switch opcode {
		case opText:
			err = message(payload)
		case opPing:
			err = c.send(appendFrame(nil, opPong, payload))
		case opClose:
			if len(payload) < 2 {
				return taken, errors.New("the server closed the connection")
			}
			err = fmt.Errorf("the server closed the connection: %d %s", binary.BigEndian.Uint16(payload), payload[2:])
		case opPong:
		default:
			err = fmt.Errorf("a frame of opcode %d", opcode)
		}
		if err != nil {
			return taken, err
		}
	}
}
