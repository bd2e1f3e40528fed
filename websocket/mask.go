package websocket

import (
	"encoding/binary"
	"math/bits"
)

// mask XORs p in place with the masking key, whose first byte is the lowest, beginning at byte pos of the key, and returns the position for the byte
// that follows p. Masking and unmasking are the same (RFC 6455, section 5.3).
//
// The key repeats every 4 bytes, so two copies of it side by side mask 8 bytes in one step.
func mask(p []byte, key uint32, pos int) int {
	next := (pos + len(p)) & 3
	key = bits.RotateLeft32(key, -8*(pos&3))
	if len(p) >= 8 {
		k := uint64(key)<<32 | uint64(key)
		for len(p) >= 32 {
			b := p[:32]
			binary.LittleEndian.PutUint64(b[0:], binary.LittleEndian.Uint64(b[0:])^k)
			binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^k)
			binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^k)
			binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^k)
			p = p[32:]
		}
		for len(p) >= 8 {
			binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k)
			p = p[8:]
		}
	}
	for i := range p { // the key begins anew here: what is masked so far is a multiple of 8
		p[i] ^= byte(key >> (8 * (i & 3)))
	}
	return next
}
