package websocket

import (
	"encoding/base64"
	"net/http"
	"slices"
	"testing"
)

// The seeds beside these are in testdata/fuzz. Run one longer with: go test -fuzz=FuzzMachine -fuzztime=1m ./websocket/

func FuzzMachine(f *testing.F) {
	f.Add([]byte("\x81\x05Hello"), uint16(3), false)                                   // section 5.7
	f.Add([]byte("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), uint16(5), true)     // masked
	f.Add([]byte("\x01\x03Hel\x89\x00\x80\x02lo\x88\x02\x03\xe8"), uint16(7), false)   // fragments, a ping, a close
	f.Add([]byte("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), uint16(1), false)        // 2^63-1 bytes
	f.Add([]byte("\x01\x01\xe2\x00\x01\x82\x80\x01\xac"), uint16(4), false)            // a character in three frames
	f.Add([]byte("\x88\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00"), uint16(6), true) // bytes after a Close
	f.Fuzz(func(t *testing.T, p []byte, cut uint16, fromClient bool) {
		whole := play(fromClient, 300, 200, p, nil)
		if got := play(fromClient, 300, 200, p, []int{int(cut) % (len(p) + 1)}); !slices.Equal(got, whole) {
			t.Fatalf("cut: %q, whole: %q", got, whole)
		}
		if got := play(fromClient, 300, 200, p, allCuts(len(p))); !slices.Equal(got, whole) {
			t.Fatalf("byte by byte: %q, whole: %q", got, whole)
		}
	})
}

func FuzzUTF8(f *testing.F) {
	for _, s := range []string{"", "hello", "κόσμε", "\xed\xa0\x80", "\xf4\x90\x80\x80", "0123456789\xff", "😀\xf0\x9f\x98"} {
		f.Add([]byte(s), uint8(2))
	}
	f.Fuzz(func(t *testing.T, p []byte, cut uint8) {
		checkUTF8(t, p, int(cut)%(len(p)+1))
	})
}

func FuzzClosePayload(f *testing.F) {
	f.Add([]byte("\x03\xe8bye"))
	f.Add([]byte("\x03"))
	f.Add([]byte("\x03\xed"))
	f.Fuzz(func(t *testing.T, p []byte) {
		code, reason, err := parseClose(p)
		if err != nil {
			return
		}
		if code != StatusNoStatus && !code.onWire() {
			t.Fatalf("%x: code %d", p, code)
		}
		if len(p) <= maxControl && string(appendClose(nil, code, reason)) != string(p) {
			t.Fatalf("%x does not survive", p)
		}
	})
}

func FuzzHandshakeHeaders(f *testing.F) {
	f.Add(`foo; a="b\c", bar`, "a, b", "https://a.example", "dGhlIHNhbXBsZSBub25jZQ==")
	f.Add(`x;y="`, ",", "://", "=")
	f.Fuzz(func(t *testing.T, extensions, subprotocols, origin, key string) {
		h := http.Header{extensionsHeader: {extensions}, subprotocolHeader: {subprotocols}, "Origin": {origin}}
		if list, ok := parseExtensions(h); ok {
			for _, e := range list {
				for _, p := range e.params {
					if !isToken(e.name) || !isToken(p.name) || (p.hasValue && !isToken(p.value)) {
						t.Fatalf("%q: %+v", extensions, e)
					}
				}
			}
		}
		if names, ok := offeredSubprotocols(h); ok && slices.ContainsFunc(names, func(s string) bool { return !isToken(s) }) {
			t.Fatalf("%q: %q", subprotocols, names)
		}
		if isKey(key) {
			if b, err := base64.StdEncoding.DecodeString(key); err != nil || len(b) != 16 {
				t.Fatalf("key %q", key)
			}
		}
		checkOrigin(&http.Request{Host: "a.example", Header: h}, []string{"*.b.example"})
	})
}
