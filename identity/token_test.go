package identity

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTokens(t *testing.T) {
	s := signer{bytes.Repeat([]byte{7}, 32)}
	id, at := newID(), time.Unix(1769851800, 0)
	token := s.sign(id, at)
	if got, issued, ok := s.verify(token); got != id || !issued.Equal(at) || !ok {
		t.Fatal(got, issued, ok)
	}
	if len(token) != 45 {
		t.Fatalf("%q has %d characters", token, len(token))
	}

	// Any change of any character, to any other, is noticed.
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	for i := range token {
		for _, c := range letters {
			if forged := token[:i] + string(c) + token[i+1:]; forged != token {
				if _, _, ok := s.verify(forged); ok {
					t.Fatalf("%q passes for %q", forged, token)
				}
			}
		}
	}
	for i := range token {
		if _, _, ok := s.verify(token[:i]); ok {
			t.Fatalf("cut to %d characters it passes", i)
		}
	}
	for what, forged := range map[string]string{
		"empty":          "",
		"longer":         token + "A",
		"padded":         token + "=",
		"with a newline": token[:20] + "\n" + token[20:],
		"other version":  "p2_" + token[3:],
		"no version":     token[3:],
		"long":           "p1_" + strings.Repeat("A", 1<<20),
		"other secret":   signer{bytes.Repeat([]byte{8}, 32)}.sign(id, at),
	} {
		if _, _, ok := s.verify(forged); ok {
			t.Errorf("a token passes that is %s", what)
		}
	}
}

func TestIDs(t *testing.T) {
	a, b := newID(), newID()
	if a == b || len(a) != 16 {
		t.Fatal(a, b)
	}
}
