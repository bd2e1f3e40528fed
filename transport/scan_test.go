package transport

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"parley/body"
	"parley/internal/plain"
	"parley/internal/plain/plaintest"
)

// What the scanner takes is what encoding/json makes of it.
func FuzzScanLikeJSON(f *testing.F) {
	for _, text := range plaintest.Texts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var fast, slow publication
		if !plain.Object(data, fast.field) {
			return
		}
		if err := body.Decode(data, &slow); err != nil {
			t.Fatalf("%q was taken: %v", data, err)
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("%q is\n%+v, not\n%+v", data, fast, slow)
		}
		var c, d command
		if plain.Object(data, c.field) && (json.Unmarshal(data, &d) != nil || !reflect.DeepEqual(c, d)) {
			t.Fatalf("%q is\n%+v, not\n%+v", data, c, d)
		}
	})
}

// The plainest ones, which most are, are not left to encoding/json.
func TestThePlainestAreScanned(t *testing.T) {
	for _, text := range plaintest.Plainest() {
		var p publication
		if !plain.Object([]byte(text), p.field) {
			t.Errorf("%s was not", text)
		}
	}
	var c command
	if !plain.Object([]byte(`{"op":"publish","ref":17,"channel":"room:a","type":"text","data":{"text":"hello"}}`), c.field) || c.Op != "publish" || string(c.Ref) != "17" {
		t.Errorf("%+v", c)
	}
}

func BenchmarkDecodePublication(b *testing.B) {
	data := []byte(`{"type":"bench","data":{"sent":1234567890123456789,"pad":"` + strings.Repeat("x", 90) + `"}}`)
	b.Run("scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var p publication
			if err := p.decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var p publication
			if err := body.Decode(data, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
