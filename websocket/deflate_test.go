package websocket

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The DEFLATE of the standard library and the one under test, side by side.

// strictInflate decompresses whole streams with the inflater, fed in pieces that end at the cuts.
func strictInflate(bits int, history, p []byte, cuts []int) ([]byte, error) {
	z := &inflater{}
	z.reset(bits, history)
	var got []byte
	start := 0
	for _, end := range append(slices.Clone(cuts), len(p)) {
		piece := p[start:max(start, end)]
		start = max(start, end)
		for {
			out, used, full, err := z.inflate(piece)
			got = append(got, out...)
			if err != nil {
				return got, err
			}
			if piece = piece[used:]; !full {
				if len(piece) > 0 {
					panic("input is left though more is wanted")
				}
				break
			}
		}
	}
	if !z.atEnd() {
		return got, io.ErrUnexpectedEOF
	}
	return got, nil
}

// drawText draws text as it compresses: words, repeats and noise.
func drawText(t *rapid.T, most int) []byte {
	n := rapid.IntRange(0, most).Draw(t, "size")
	seed := rapid.Uint64().Draw(t, "seed")
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	return someText(n, seed, kind)
}

func someText(n int, seed uint64, kind int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, n+300)
	for len(b) < n {
		switch kind {
		case 0:
			b = fmt.Appendf(b, `{"id":%d,"name":"%c%c","on":%v},`, r.IntN(1e6), 'a'+r.IntN(26), 'a'+r.IntN(26), r.IntN(2) == 0)
		case 1:
			b = append(b, byte(r.Uint32()))
		case 2:
			b = append(b, strings.Repeat(string(rune('a'+r.IntN(4))), 1+r.IntN(280))...)
		default:
			if len(b) > 10 && r.IntN(3) > 0 {
				from := r.IntN(len(b))
				b = append(b, b[from:min(len(b), from+r.IntN(300))]...)
			} else {
				b = append(b, byte('a'+r.IntN(26)), ' ')
			}
		}
	}
	return b[:n]
}

func TestInflate_AgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := drawText(t, 100_000)
		var b bytes.Buffer
		w, _ := stdflate.NewWriter(&b, rapid.IntRange(-2, 9).Draw(t, "level"))
		for rest := plain; ; {
			n := rapid.IntRange(0, len(rest)).Draw(t, "piece")
			w.Write(rest[:n])
			w.Flush()
			if rest = rest[n:]; n == 0 || len(rest) == 0 {
				w.Write(rest)
				break
			}
		}
		w.Flush()
		p := b.Bytes()[:b.Len()-4]
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(p)), 0, 8).Draw(t, "cuts")
		slices.Sort(cuts)
		got, err := strictInflate(15, nil, p, cuts)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%v, %d bytes, want %d", err, len(got), len(plain))
		}
		if len(p) < 3000 {
			got, err = strictInflate(15, nil, p, allCuts(len(p)))
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("byte by byte: %v, %d bytes, want %d", err, len(got), len(plain))
			}
		}
	})
}

// Whatever bytes come, both decide the same, and however they are cut.
func checkInflate(t interface{ Fatalf(string, ...any) }, p []byte, cut int) {
	whole, err := strictInflate(15, nil, p, nil)
	for _, cuts := range [][]int{{cut}, allCuts(len(p))} {
		got, cerr := strictInflate(15, nil, p, cuts)
		if !bytes.Equal(got, whole) || !errors.Is(cerr, err) {
			t.Fatalf("%x cut at %v: %d bytes, %v; whole: %d bytes, %v", p, cuts, len(got), cerr, len(whole), err)
		}
	}
	// Behind a block that says that it is final, the standard library reads nothing more.
	r := bytes.NewReader(append(bytes.Clone(p), 0, 0, 0xFF, 0xFF))
	want, serr := io.ReadAll(stdflate.NewReader(r))
	n := min(len(want), len(whole))
	if !bytes.Equal(want[:n], whole[:n]) {
		t.Fatalf("%x: %x, want %x", p, whole, want)
	}
	if err == nil && serr == nil && !bytes.HasPrefix(whole, want) {
		t.Fatalf("%x: %x, want %x", p, whole, want)
	}
	if err == nil && serr != nil && serr != io.ErrUnexpectedEOF {
		t.Fatalf("%x: %x and no error, want %v", p, whole, serr)
	}
	if errors.Is(err, errDeflate) && serr == io.EOF {
		t.Fatalf("%x: %v", p, err)
	}
}

func FuzzInflate(f *testing.F) {
	for _, s := range rfcExamples {
		f.Add([]byte(s.payload), uint16(3))
	}
	f.Fuzz(func(t *testing.T, p []byte, cut uint16) {
		checkInflate(t, p, int(cut)%(len(p)+1))
	})
}

func TestInflate_NoiseIsJudgedAsByTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "noise")
		if rapid.Bool().Draw(t, "almost right") {
			var b bytes.Buffer
			w, _ := stdflate.NewWriter(&b, 6)
			w.Write(drawText(t, 2000))
			w.Flush()
			p = b.Bytes()
			for range rapid.IntRange(0, 3).Draw(t, "flips") {
				p[rapid.IntRange(0, len(p)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			}
		}
		checkInflate(t, p, rapid.IntRange(0, len(p)).Draw(t, "cut"))
	})
}

// rfcExamples are those of RFC 7692, section 7.2.3.
var rfcExamples = []struct{ section, payload, plain, history string }{
	{"7.2.3.1, one block", "\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello", ""},
	{"7.2.3.2, sharing the window", "\xf2\x00\x11\x00\x00", "Hello", "Hello"},
	{"7.2.3.3, a block without compression", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello", ""},
	{"7.2.3.4, a final block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello", ""},
	{"7.2.3.5, two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello", ""},
	{"7.2.3.6, an empty message", "\x00", "", ""},
}

func TestInflate_ExamplesOfTheRFC(t *testing.T) {
	for _, e := range rfcExamples {
		for _, cuts := range [][]int{nil, allCuts(len(e.payload))} {
			got, err := strictInflate(8, []byte(e.history), []byte(e.payload), cuts)
			if err != nil || string(got) != e.plain {
				t.Errorf("section %s: %q %v", e.section, got, err)
			}
		}
	}
}

// Compressors of every window, level and dictionary keep to what the peer has: the inflater refuses every reference beyond it.
func TestDeflate_NoReferenceLeavesTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(minWindowBits, maxWindowBits).Draw(t, "bits")
		d := deflation{
			deflateDirection: deflateDirection{bits: bits, takeover: rapid.Bool().Draw(t, "takeover")},
			level:            rapid.IntRange(1, 9).Draw(t, "level"),
		}
		var history []byte
		for range rapid.IntRange(1, 8).Draw(t, "messages") {
			most := rapid.SampledFrom([]int{20, 1 << bits, 3 << bits, 70_000}).Draw(t, "most")
			plain := drawText(t, most)
			var body []byte
			var z *compressor
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0: // in fragments
				z = d.begin(unknownSize)
				half := rapid.IntRange(0, len(plain)).Draw(t, "half")
				body = bytes.Clone(z.flush(plain[:half]))
				body = append(body, z.finish(plain[half:])...)
				d.remember(plain)
			case 1: // for many
				f := (&sharedFrames{}).deflateShared(&d, MessageBinary, plain)
				if f == nil {
					continue
				}
				body = f.body
				d.rememberShared(plain)
			default:
				z = d.begin(len(plain))
				body = bytes.Clone(z.finish(plain))
				d.remember(plain)
			}
			if z != nil {
				z.giveBack()
			}
			got, err := strictInflate(bits, history, body, nil)
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%v, %d bytes, want %d", err, len(got), len(plain))
			}
			if d.takeover {
				history = append(history, plain...)
				history = history[max(0, len(history)-1<<bits):]
			}
			if len(d.sent) > 1<<bits || cap(d.own) > 1<<bits || !bytes.HasSuffix(history, d.sent) {
				t.Fatalf("%d bytes are kept, of %d", len(d.sent), cap(d.own))
			}
		}
	})
}

// StrictInflate and SomeText are for the tests over sockets.
var (
	StrictInflate = strictInflate
	SomeText      = someText
)

// What is accepted while somebody holds the wire goes out before what the holder compresses next, or the histories of the two ends differ.
func TestDeflate_WhatWasAcceptedComesBeforeWhatIsCompressed(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	l := (&AcceptOptions{}).limits()
	both := deflateDirection{bits: 12, takeover: true}
	c := newConn(ours, nil, false, &agreement{deflate: deflateParams{on: true, level: 1, out: both, in: both}}, &l, nil)
	defer c.CloseNow()
	received := make(chan []string, 1)
	go func() {
		m := deflateMachine(false, 1<<20, both)
		var got []string
		buf := make([]byte, 64<<10)
		for len(got) < 3 {
			n, err := theirs.Read(buf)
			if err != nil {
				break
			}
			for p := buf[:n]; ; {
				ev, used := m.next(p)
				p = p[used:]
				if ev.kind != eventData {
					break
				}
				got = append(got, string(ev.payload))
			}
		}
		received <- got
	}()

	first, shared, last := someText(500, 1, 0), someText(500, 2, 0), someText(500, 3, 0)
	if err := c.Write(t.Context(), MessageBinary, first); err != nil {
		t.Fatal(err)
	}
	if err := c.lockMessage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := c.Send(Prepare(MessageBinary, shared)); r != Accepted {
		t.Fatal(r)
	}
	out := outgoing{c: c, ctx: t.Context(), buf: borrow(smallBuffer)}
	out.message(MessageBinary, last)
	if err := out.finish(); err != nil {
		t.Fatal(err)
	}
	c.unlockMessage()
	if got, want := <-received, []string{string(first), string(shared), string(last)}; !slices.Equal(got, want) {
		t.Fatalf("got %.80q, want %.80q", got, want)
	}
}
