package websocket_test

import (
	"strings"
	"testing"
	"unicode/utf8"
)

var badText = map[string]string{
	"continuation alone":       "\x80",
	"lead alone":               "\xc3",
	"overlong slash":           "\xc0\xaf",
	"overlong 3":               "\xe0\x80\xaf",
	"overlong 4":               "\xf0\x80\x80\xaf",
	"surrogate":                "\xed\xa0\x80",
	"above U+10FFFF":           "\xf4\x90\x80\x80",
	"five bytes":               "\xf8\x88\x80\x80\x80",
	"0xff":                     "\xff",
	"cut":                      "κόσμ\xce",
	"cut in 4":                 "\xf0\x9f\x98",
	"bad after much that's ok": strings.Repeat("x", 5000) + "\xff",
	"second byte too low":      "\xe1\x20\x80",
}

func TestBoth_8_1_TextThatIsNotUTF8IsRefused1007(t *testing.T) {
	for name, bad := range badText {
		t.Run(name, func(t *testing.T) {
			refusedFrames(t, 1007, "8.1", func(p *rawPeer) []byte { return p.frame(fin|text, bad) })
			refusedFrames(t, 1007, "8.1", func(p *rawPeer) []byte { // each byte in a frame of its own
				var b []byte
				op := text
				for i := range len(bad) {
					b = append(b, p.frame(op, bad[i:i+1])...)
					op = cont
				}
				return append(b, p.frame(fin|cont, "")...)
			})
		})
	}
}

func TestBoth_8_1_BadUTF8IsRefusedBeforeTheMessageEnds(t *testing.T) {
	refusedFrames(t, 1007, "8.1", func(p *rawPeer) []byte { return p.frame(text, "ok\xc0") })
	refusedFrames(t, 1007, "8.1", func(p *rawPeer) []byte {
		return append(p.frame(text, "\xed"), p.frame(cont, "\xa0")...) // a surrogate, known by its second byte
	})
	refusedFrames(t, 1007, "8.1", func(p *rawPeer) []byte {
		whole := p.frame(fin|text, "bad \xff and a rest that is not sent")
		return whole[:len(whole)-20]
	})
}

func TestBoth_8_1_CharactersAcrossFragmentsAreAccepted(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		good := "κόσμε 微笑 😀 \U0010FFFF \uFFFF \u0000 \uD7FF\uE000"
		if !utf8.ValidString(good) {
			t.Fatal("the test is wrong")
		}
		op := text
		for i := range len(good) {
			p.send(op, good[i:i+1])
			p.send(fin|ping, "\xff") // what control frames carry does not count
			p.expect(pong, "\xff")
			op = cont
		}
		p.send(fin|cont, "")
		p.expect(text, good)
	})
}

func TestBoth_5_6_BinaryIsNotLookedAt(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, _ func() error) {
		for _, bad := range badText {
			p.send(fin|binaryOp, bad)
			p.expect(binaryOp, bad)
		}
	})
}
