package chat

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const maxSlug = 40

// slug makes a room's id of its name: lower-case letters, digits and hyphens, at most maxSlug; "" when nothing of the
// name remains, as of one in Chinese. Accents are taken off (Café: cafe).
func slug(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(name) {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			need := 1
			if gap && b.Len() > 0 {
				need = 2
			}
			if b.Len()+need > maxSlug {
				return b.String()
			}
			if need == 2 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’': // not a border: Ann's is anns
		default:
			gap = true
		}
	}
	return b.String()
}

var base32Lower = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789") // without l, o, 0, 1

// random returns n characters, five random bits each.
func random(n int) string {
	b := make([]byte, (n*5+7)/8+4)
	_, _ = rand.Read(b)
	return base32Lower.EncodeToString(b)[:n]
}
