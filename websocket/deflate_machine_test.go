package websocket

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// deflateMachine is a machine whose peer compresses in this direction.
func deflateMachine(fromClient bool, limit int64, d deflateDirection) *machine {
	return &machine{
		fromClient: fromClient, readLimit: limit, frameLimit: limit,
		rsv: bitRSV1, inflate: &inflation{deflateDirection: d},
	}
}

// Messages of any content, compressed or not, fragmented and cut anywhere, with any parameters, come out as they went in.
func TestDeflate_AnyMessagesSurviveAnyFragmentsAndSplits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := deflation{
			deflateDirection: deflateDirection{
				bits:     rapid.IntRange(minWindowBits, maxWindowBits).Draw(t, "bits"),
				takeover: rapid.Bool().Draw(t, "takeover"),
			},
			level:     rapid.IntRange(1, 9).Draw(t, "level"),
			threshold: rapid.SampledFrom([]int{0, 50, 1000}).Draw(t, "threshold"),
		}
		masked := rapid.Bool().Draw(t, "masked")
		var stream []byte
		var want []string
		for range rapid.IntRange(1, 6).Draw(t, "messages") {
			plain := drawText(t, rapid.SampledFrom([]int{10, 400, 40_000}).Draw(t, "most"))
			want = append(want, "begin 2", fmt.Sprintf("data %x", plain), "end")
			h := header{opcode: opBinary, masked: masked}
			body := plain
			if d.wants(len(plain)) {
				z := d.begin(len(plain))
				body, h.rsv = bytes.Clone(z.finish(plain)), bitRSV1
				z.giveBack()
				d.remember(plain)
			}
			for !h.fin {
				n := rapid.IntRange(0, len(body)).Draw(t, "fragment")
				h.fin = n == len(body)
				h.key = binary.LittleEndian.Uint32(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "key"))
				stream = appendFrame(stream, h, body[:n])
				body, h.opcode, h.rsv = body[n:], opContinuation, 0
			}
		}
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(stream)), 0, 8).Draw(t, "cuts")
		slices.Sort(cuts)
		for _, cuts := range [][]int{nil, cuts, allCuts(min(len(stream), 2000))} {
			if got := playOn(deflateMachine(masked, 1<<20, d.deflateDirection), stream, cuts); !slices.Equal(got, want) {
				t.Fatalf("cut at %v: got %.300q, want %.300q", cuts, got, want)
			}
		}
	})
}

// FuzzDeflateMachine feeds frames, some of them compressed, to a machine with small limits: any split gives the same events, no message
// exceeds its limit, and what a connection keeps is bounded.
func FuzzDeflateMachine(f *testing.F) {
	for _, e := range rfcExamples {
		f.Add(appendFrame(nil, header{fin: true, rsv: bitRSV1, opcode: opText}, []byte(e.payload)), uint16(3), uint8(8), true)
	}
	f.Add([]byte("\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"), uint16(5), uint8(15), false) // section 7.2.3.1, in two frames
	f.Add([]byte("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00"), uint16(9), uint8(9), true)
	f.Fuzz(func(t *testing.T, p []byte, cut uint16, bits uint8, takeover bool) {
		d := deflateDirection{bits: minWindowBits + int(bits)%8, takeover: takeover}
		m := deflateMachine(false, 300, d)
		whole := playOn(m, p, nil)
		for _, event := range whole {
			if data, ok := strings.CutPrefix(event, "data "); ok && len(data) > 2*300 {
				t.Fatalf("a message of %d bytes", len(data)/2)
			}
		}
		if cap(m.inflate.kept) > d.window() {
			t.Fatalf("%d bytes are kept", cap(m.inflate.kept))
		}
		if got := playOn(deflateMachine(false, 300, d), p, []int{int(cut) % (len(p) + 1)}); !slices.Equal(got, whole) {
			t.Fatalf("cut: %q, whole: %q", got, whole)
		}
		if got := playOn(deflateMachine(false, 300, d), p, allCuts(len(p))); !slices.Equal(got, whole) {
			t.Fatalf("byte by byte: %q, whole: %q", got, whole)
		}
	})
}

// A message of a thousand to one costs no memory beyond its limit and the inflater.
func TestDeflate_BombIsRefusedWhileInflating(t *testing.T) {
	for _, limit := range []int64{1000, 1 << 20} {
		z := borrowCompressor(1, 15, unknownSize, nil)
		stream := appendFrame(nil, header{fin: true, rsv: bitRSV1, opcode: opBinary}, z.finish(make([]byte, 50*limit)))
		z.giveBack()
		m := deflateMachine(false, limit, deflateDirection{bits: 15})
		var got int64
		for p := stream; ; {
			ev, n := m.next(p)
			p = p[n:]
			if ev.kind == eventFail {
				if ev.end.failure.Code != StatusMessageTooBig {
					t.Fatal(ev.end.failure)
				}
				break
			}
			if ev.kind != eventData {
				t.Fatalf("event %+v", ev)
			}
			got += int64(len(ev.payload))
		}
		if got != limit {
			t.Fatalf("%d bytes came out, the limit is %d", got, limit)
		}
		if len(m.inflate.z.buf) > 64<<10 {
			t.Fatalf("the inflater has %d bytes", len(m.inflate.z.buf))
		}
	}
}

func TestDeflate_NothingIsHeldBetweenMessages(t *testing.T) {
	m := deflateMachine(false, 1000, deflateDirection{bits: 9, takeover: true})
	for range 3 {
		stream := appendFrame(nil, header{fin: true, rsv: bitRSV1, opcode: opText}, []byte("\xf2\x48\xcd\xc9\xc9\x07\x00"))
		ev, n := m.next(stream)
		if string(ev.payload) != "Hello" || !ev.last || n != len(stream) {
			t.Fatal(ev, n)
		}
		if ev, _ := m.next(nil); ev.kind != eventNone || m.inflate.z != nil {
			t.Fatal(ev, m.inflate.z)
		}
	}
	if string(m.inflate.kept) != "HelloHelloHello" {
		t.Fatalf("%q is kept", m.inflate.kept)
	}
}

func FuzzDeflateOffers(f *testing.F) {
	for _, s := range []string{
		"permessage-deflate", `permessage-deflate; client_max_window_bits; server_max_window_bits="10"`,
		"x, permessage-deflate; server_no_context_takeover; client_no_context_takeover", "permessage-deflate; client_max_window_bits=08",
		"permessage-deflate; a, permessage-deflate; client_max_window_bits=8",
	} {
		f.Add(s, uint8(12), true)
	}
	f.Fuzz(func(t *testing.T, s string, bits uint8, takeover bool) {
		h := map[string][]string{extensionsHeader: {s}}
		o := Compression{Mode: CompressionNoTakeover, WindowBits: minWindowBits + int(bits)%8, Level: 1}
		if takeover {
			o.Mode = CompressionTakeover
		}
		p, response := acceptDeflate(h, o)
		if p.on != (response != "") {
			t.Fatalf("%q: %+v %q", s, p, response)
		}
		if p.on {
			answer, ok := parseExtensions(map[string][]string{extensionsHeader: {response}})
			if !ok || len(answer) != 1 {
				t.Fatalf("%q is answered with %q", s, response)
			}
			if _, ok := parseDeflate(answer[0], true); !ok || p.out.bits > o.WindowBits || (p.in.takeover && p.in.bits > o.WindowBits) {
				t.Fatalf("%q: %+v %q", s, p, response)
			}
		}
		if p, ok := agreeDeflate(h, o); ok && p.on && (p.out.bits > o.WindowBits || (p.in.takeover && p.in.bits > o.WindowBits)) {
			t.Fatalf("response %q: %+v", s, p)
		}
	})
}
