package websocket

import "encoding/binary"

// utf8Checker validates UTF-8 that arrives in pieces, whose borders may lie within a character, and names the first
// byte that cannot be part of any valid text (RFC 3629). The zero value is at the beginning of a text.
type utf8Checker struct {
	need   uint8 // continuation bytes the current character still needs
	lo, hi byte  // range of the next one of them
}

// check takes the next piece and returns the index of the first bad byte, -1 if there is none. After a bad byte the
// checker is of no more use.
func (u *utf8Checker) check(p []byte) int {
	for i := 0; i < len(p); {
		if u.need == 0 {
			if i += asciiRun(p[i:]); i == len(p) {
				break
			}
			if p[i] >= 0x80 && !u.lead(p[i]) {
				return i
			}
			i++
			continue
		}
		if p[i] < u.lo || p[i] > u.hi {
			return i
		}
		u.need--
		u.lo, u.hi = 0x80, 0xBF
		i++
	}
	return -1
}

// asciiRun returns how many bytes p begins with that are ASCII, or a few less.
func asciiRun(p []byte) (n int) {
	const notASCII = 0x8080808080808080
	for len(p)-n >= 32 {
		q := p[n : n+32]
		if (binary.LittleEndian.Uint64(q)|binary.LittleEndian.Uint64(q[8:])|
			binary.LittleEndian.Uint64(q[16:])|binary.LittleEndian.Uint64(q[24:]))&notASCII != 0 {
			break
		}
		n += 32
	}
	for len(p)-n >= 8 && binary.LittleEndian.Uint64(p[n:])&notASCII == 0 {
		n += 8
	}
	return n
}

// lead begins a character with more than one byte. The narrower ranges of some second bytes exclude overlong forms
// (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
func (u *utf8Checker) lead(b byte) bool {
	u.lo, u.hi = 0x80, 0xBF
	switch {
	case b >= 0xC2 && b <= 0xDF:
		u.need = 1
	case b >= 0xE0 && b <= 0xEF:
		u.need = 2
		if b == 0xE0 {
			u.lo = 0xA0
		} else if b == 0xED {
			u.hi = 0x9F
		}
	case b >= 0xF0 && b <= 0xF4:
		u.need = 3
		if b == 0xF0 {
			u.lo = 0x90
		} else if b == 0xF4 {
			u.hi = 0x8F
		}
	default:
		return false
	}
	return true
}

// complete reports whether the text may end here: not within a character.
func (u *utf8Checker) complete() bool { return u.need == 0 }
