package plain

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"parley/internal/plain/plaintest"
)

// What is valid, and not too deep, is skipped; nothing else is.
func FuzzSkipLikeJSON(f *testing.F) {
	for _, text := range plaintest.Texts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		trimmed := strings.Trim(string(data), " \t\r\n")
		skipped := skipValue([]byte(trimmed), 0, MaxDepth-1) == len(trimmed) && trimmed != ""
		if valid := json.Valid(data); skipped != valid && strings.Count(trimmed, "[")+strings.Count(trimmed, "{") < MaxDepth {
			t.Fatalf("%q: skipped %v, valid %v", data, skipped, valid)
		}
	})
}

// What is compacted is what encoding/json makes of it, and data itself where nothing is to be done.
func FuzzCompactLikeJSON(f *testing.F) {
	for _, text := range plaintest.Texts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want bytes.Buffer
		err := json.Compact(&want, data)
		got, ok := Compact(bytes.Clone(data))
		if ok && (err != nil || !bytes.Equal(got, want.Bytes())) {
			t.Fatalf("%q became %q, not %q (%v)", data, got, want.Bytes(), err)
		}
	})
}

func TestCompact(t *testing.T) {
	for text, want := range map[string]string{
		` 1 `: `1`, `"a b"`: `"a b"`, "{ \"a b\" :\t[ 1 ,\n2 ] }\r": `{"a b":[1,2]}`, `[{},""]`: `[{},""]`, `"\" \\"`: `"\" \\"`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64): strings.Repeat("[", 64) + strings.Repeat("]", 64),
	} {
		if got, ok := Compact([]byte(text)); !ok || string(got) != want {
			t.Errorf("%s became %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", " ", "1 2", "{", "\"\xff\"", strings.Repeat("[", 65) + strings.Repeat("]", 65)} {
		if got, ok := Compact([]byte(text)); ok {
			t.Errorf("%q was taken, as %q", text, got)
		}
	}
	data := []byte(`{"text":"as it is"}`)
	if n := testing.AllocsPerRun(100, func() { Compact(data) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestInt(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "-0": 0, "17": 17, "-3": -3, "2147483647": 2147483647} {
		if n, ok := Int([]byte(text)); !ok || n != want {
			t.Errorf("%s is %d, %v", text, n, ok)
		}
	}
	largest := int64(999999999999999999)
	if n, ok := Int([]byte("999999999999999999")); ok != (strconv.IntSize == 64) || ok && int64(n) != largest {
		t.Errorf("%d is %d, %v", largest, n, ok)
	}
	for _, text := range []string{"1.0", "1e3", "9999999999999999999", `"1"`, "null", "-", "[1]", "true"} {
		if n, ok := Int([]byte(text)); ok {
			t.Errorf("%s was taken, as %d", text, n)
		}
	}
}
