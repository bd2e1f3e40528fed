package channel

import (
	"crypto/sha256"
	"math/rand/v2"
)

// What engines make of a draft. All do it alike, so that what one has written means the same to another.

// KeyHash identifies the draft's key within an engine. 128 bits: nobody finds two that agree.
func (d *Draft) KeyHash() []byte {
	b := make([]byte, 0, 256)
	b = append(b, d.Channel...)
	b = append(b, 0)
	b = append(b, d.From.ID...)
	b = append(b, 0)
	b = append(b, d.Key...)
	sum := sha256.Sum256(b)
	return sum[:16:16]
}

// ContentHash tells whether a repeated draft says the same. What an Amend carries is left out: it may name the time.
func (d *Draft) ContentHash() [8]byte {
	b := make([]byte, 0, 1024)
	b = append(b, d.Type...)
	b = append(b, 0)
	b = append(b, d.Data...)
	sum := sha256.Sum256(b)
	return [8]byte(sum[:8])
}

// DrawMark and DrawID make what is random about a message: its mark, and the id of one that came without a key, 12 characters, 60 bits.
// math/rand/v2's functions are ChaCha8, seeded by the system: nobody can foresee them, nodes differ, and a restored copy of a log goes another way than
// the original did.
func DrawMark() Mark { return 1 + Mark(rand.Uint64N(uint64(MaxMark))) }

func DrawID() string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [12]byte
	bits := rand.Uint64()
	for i := range b {
		b[i] = alphabet[bits&31]
		bits >>= 5
	}
	return string(b[:])
}
