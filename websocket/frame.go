package websocket

import "encoding/binary"

// A frame is what the wire carries (RFC 6455, section 5.2):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-------+-+-------------+-------------------------------+
//	|F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//	|I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//	|N|V|V|V|       |S|             |   (if payload len is 126/127) |
//	| |1|2|3|       |K|             |                               |
//	+-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
//	|     Extended payload length continued, if payload len is 127  |
//	+ - - - - - - - - - - - - - - - +-------------------------------+
//	|                               |  Masking key, if MASK is set  |
//	+-------------------------------+-------------------------------+
//	|    Masking key (continued)    |          Payload data         |
//	+-------------------------------- - - - - - - - - - - - - - - - +

const (
	bitFIN  = 0x80 // first byte: the last frame of its message
	bitsRSV = 0x70 // first byte: meaning given by an extension, else zero
	bitMASK = 0x80 // second byte: a masking key follows

	len16 = 126 // payload length in the next 2 bytes
	len64 = 127 // payload length in the next 8 bytes

	maxHeader  = 2 + 8 + 4 // bytes of the longest header
	maxControl = 125       // payload bytes of a control frame (section 5.5)
)

// opcode says what a frame is (section 5.2).
type opcode byte

const (
	opContinuation opcode = 0x0
	opText         opcode = 0x1
	opBinary       opcode = 0x2
	opClose        opcode = 0x8
	opPing         opcode = 0x9
	opPong         opcode = 0xA
)

func (o opcode) isControl() bool { return o&0x8 != 0 }

func (o opcode) isDefined() bool { return o <= opBinary || (o >= opClose && o <= opPong) }

// header is a frame without its payload. Its fields are such that Go passes it in registers.
type header struct {
	fin    bool
	rsv    byte // within bitsRSV
	opcode opcode
	masked bool
	key    uint32 // its first byte on the wire is the lowest
	length int64
}

// headerSize returns how many bytes the header has that has this second byte.
func headerSize(second byte) int {
	n := 2
	switch second &^ bitMASK {
	case len16:
		n += 2
	case len64:
		n += 8
	}
	if second&bitMASK != 0 {
		n += 4
	}
	return n
}

// parse reads a header from p, which has all of its headerSize bytes. It judges only how the length is written:
// "the minimal number of bytes MUST be used to encode the length", and of 64 bits "the most significant bit MUST
// be 0".
func (h *header) parse(p []byte) *ProtocolError {
	h.fin, h.rsv, h.opcode, h.masked = p[0]&bitFIN != 0, p[0]&bitsRSV, opcode(p[0]&0x0F), p[1]&bitMASK != 0
	h.key, h.length = 0, int64(p[1]&^bitMASK)
	rest := p[2:]
	switch h.length {
	case len16:
		h.length = int64(binary.BigEndian.Uint16(rest))
		rest = rest[2:]
		if h.length < len16 {
			return violation("5.2", "a length below 126 was sent in 16 bits")
		}
	case len64:
		length := binary.BigEndian.Uint64(rest)
		rest = rest[8:]
		if length>>63 != 0 {
			return violation("5.2", "the top bit of a 64-bit length is set")
		}
		if length <= 0xFFFF {
			return violation("5.2", "a length below 65536 was sent in 64 bits")
		}
		h.length = int64(length)
	}
	if h.masked {
		h.key = binary.LittleEndian.Uint32(rest)
	}
	return nil
}

// appendHeader appends h as the wire has it, with the length in the fewest bytes.
func appendHeader(dst []byte, h header) []byte {
	first := byte(h.opcode) | h.rsv
	if h.fin {
		first |= bitFIN
	}
	var second byte
	if h.masked {
		second = bitMASK
	}
	switch {
	case h.length < len16:
		dst = append(dst, first, second|byte(h.length))
	case h.length <= 0xFFFF:
		dst = append(dst, first, second|len16)
		dst = binary.BigEndian.AppendUint16(dst, uint16(h.length))
	default:
		dst = append(dst, first, second|len64)
		dst = binary.BigEndian.AppendUint64(dst, uint64(h.length))
	}
	if h.masked {
		dst = binary.LittleEndian.AppendUint32(dst, h.key)
	}
	return dst
}

// appendFrame appends a whole frame; h.length is taken from the payload, which is masked in the copy if h.masked.
func appendFrame(dst []byte, h header, payload []byte) []byte {
	h.length = int64(len(payload))
	dst = appendHeader(dst, h)
	at := len(dst)
	dst = append(dst, payload...)
	if h.masked {
		mask(dst[at:], h.key, 0)
	}
	return dst
}
