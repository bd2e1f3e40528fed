package sqlite

import (
	crand "crypto/rand"
	"math/rand/v2"

	"parley/channel"
)

// draw makes what is random: marks, and the ids of messages that came without a key. ChaCha8 is seeded by the system, so
// that nobody can foresee them, and a restored copy of the database goes another way than the original did.
type draw struct{ r *rand.Rand }

func (d *draw) init() {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	d.r = rand.New(rand.NewChaCha8(seed))
}

func (d *draw) mark() channel.Mark { return 1 + channel.Mark(d.r.Uint64N(uint64(channel.MaxMark))) }

// id makes 12 characters, 60 bits.
func (d *draw) id() string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [12]byte
	bits := d.r.Uint64()
	for i := range b {
		b[i] = alphabet[bits&31]
		bits >>= 5
	}
	return string(b[:])
}
