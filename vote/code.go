package vote

import (
	"fmt"
	"io"
	"strings"
)

// alphabet leaves out what looks or sounds alike when a code is read from a wall: 0 O, 1 I L, 2 Z, 5 S, 8 B.
const alphabet = "ACDEFGHJKMNPQRTUVWXY34679"

const codeLength = 5 // 25^5: almost ten million codes

// newCode draws a code, each of them equally likely.
func newCode(random io.Reader) (string, error) {
	code := make([]byte, 0, codeLength)
	for len(code) < codeLength {
		var b [2 * codeLength]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("vote: drawing a code: %w", err)
		}
		for _, c := range b {
			// Bytes past the last multiple of the alphabet's length would make its first characters likelier.
			if int(c) < 256/len(alphabet)*len(alphabet) && len(code) < codeLength {
				code = append(code, alphabet[int(c)%len(alphabet)])
			}
		}
	}
	return string(code), nil
}

// NormalizeCode reads a code as a person types it: in any case, with spaces. A text that can be no code yields
// ErrNoVote; if characters are in it that no code has, because they look like others, the error says so.
func NormalizeCode(s string) (string, error) {
	code := make([]byte, 0, codeLength)
	for _, r := range s {
		if r >= 'a' && r <= 'z' { // not unicode.ToUpper, which makes ASCII of letters that only resemble it
			r += 'A' - 'a'
		}
		switch {
		case r == ' ':
			continue
		case strings.ContainsRune("0O1IL2Z5S8B", r):
			return "", ErrNoVote.Detail("no code has the character %c (nor any of 0 O 1 I L 2 Z 5 S 8 B, which look alike): look again", r)
		case !strings.ContainsRune(alphabet, r) || len(code) == codeLength:
			return "", ErrNoVote.Detail("%.40q is no code: a code is %d letters and digits", s, codeLength)
		}
		code = append(code, byte(r))
	}
	if len(code) != codeLength {
		return "", ErrNoVote.Detail("%.40q is no code: a code is %d letters and digits", s, codeLength)
	}
	return string(code), nil
}
