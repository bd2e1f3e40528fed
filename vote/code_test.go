package vote

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
)

func TestNormalizeCode(t *testing.T) {
	for in, want := range map[string]string{
		"K7QM3": "K7QM3", "k7qm3": "K7QM3", " k7 Qm 3 ": "K7QM3",
		"": "", "K7QM": "", "K7QM34": "", "K7-QM3": "", "ſ7QM3": "", "K7QM٣": "",
		"K0QM3": "", "K7OM3": "", "k7om3": "", "1IL2Z": "", "5S8B0": "", "K7Qil": "",
	} {
		got, err := NormalizeCode(in)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrNoVote) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := NormalizeCode("K7QO3"); err == nil || !strings.Contains(err.Error(), "O") {
		t.Errorf("the look-alike is not named: %v", err)
	}
}

func TestNewCode(t *testing.T) {
	seen := map[byte]int{}
	for range 5000 {
		code, err := newCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := NormalizeCode(code); err != nil || same != code {
			t.Fatalf("drew %q: %v", code, err)
		}
		for i := range len(code) {
			seen[code[i]]++
		}
	}
	for i := range len(alphabet) { // 1000 each; 800 is six standard deviations away
		if n := seen[alphabet[i]]; n < 800 || n > 1200 {
			t.Errorf("%c was drawn %d times of 25000", alphabet[i], n)
		}
	}
	if code, err := newCode(bytes.NewReader([]byte{255, 250, 251, 0, 1, 24, 252, 253, 254, 249, 25, 26, 0, 0, 0, 0, 0, 0, 0, 0})); err != nil || code != "AC99A" {
		t.Errorf("bytes past the alphabet's multiple: %q, %v", code, err)
	}
	if _, err := newCode(bytes.NewReader(nil)); err == nil {
		t.Error("drew without randomness")
	}
}

func FuzzNormalizeCode(f *testing.F) {
	f.Add("k7 qm3")
	f.Add("K7QM0")
	f.Add("\xff\u017f")
	f.Fuzz(func(t *testing.T, s string) {
		code, err := NormalizeCode(s)
		if err != nil {
			return
		}
		if len(code) != codeLength || strings.Trim(code, alphabet) != "" {
			t.Errorf("%q became %q", s, code)
		}
	})
}
