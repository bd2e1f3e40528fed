package identity

import (
	"crypto/rand"
	"encoding/base64"
)

// guestLetters are without look-alikes (0 O, 1 I L).
const guestLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

func newID() string {
	var b [idBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return idText.EncodeToString(b[:])
}

func guestName(letters int) string {
	b := make([]byte, 0, letters)
	var r [1]byte
	for len(b) < letters {
		_, _ = rand.Read(r[:])
		if i := int(r[0] & 31); i < len(guestLetters) { // 31 letters, each as likely
			b = append(b, guestLetters[i])
		}
	}
	return "Guest-" + string(b)
}

// newLinkToken makes a one-time token of 128 bits.
func newLinkToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
