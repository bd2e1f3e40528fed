package websocket

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// play feeds p to a machine in pieces that end at the cuts, and returns the events as text, pieces of one message joined.
func play(fromClient bool, readLimit, frameLimit int64, p []byte, cuts []int) []string {
	return playOn(&machine{fromClient: fromClient, readLimit: readLimit, frameLimit: frameLimit}, p, cuts)
}

func playOn(m *machine, p []byte, cuts []int) []string {
	p = bytes.Clone(p) // it is unmasked in place
	var events []string
	var data []byte
	open := false
	flush := func() {
		if open {
			events = append(events, fmt.Sprintf("data %x", data))
			data, open = nil, false
		}
	}
	start := 0
	for _, end := range append(slices.Clone(cuts), len(p)) {
		piece := p[start:max(start, end)]
		start = max(start, end)
		for {
			ev, n := m.next(piece)
			piece = piece[n:]
			if ev.kind == eventNone {
				if len(piece) > 0 {
					panic("input is left though more is wanted")
				}
				break
			}
			if ev.kind == eventData {
				if ev.first {
					events = append(events, fmt.Sprintf("begin %d", ev.message))
				}
				data, open = append(data, ev.payload...), true
				if ev.last {
					flush()
					events = append(events, "end")
				}
				continue
			}
			flush()
			switch ev.kind {
			case eventPing, eventPong:
				events = append(events, fmt.Sprintf("control %d %x", ev.kind, ev.payload))
			case eventClose:
				events = append(events, fmt.Sprintf("close %d %q", ev.end.code, ev.end.reason))
			case eventFail:
				events = append(events, fmt.Sprintf("fail %v", ev.end.failure))
			}
		}
	}
	flush()
	return events
}

func allCuts(n int) []int {
	cuts := make([]int, n)
	for i := range cuts {
		cuts[i] = i
	}
	return cuts
}

// genStream draws frames that are mostly legal in their order, so that the machine gets far.
func genStream(t *rapid.T, masked bool) []byte {
	var out []byte
	inMessage := false
	for range rapid.IntRange(0, 12).Draw(t, "frames") {
		op := rapid.SampledFrom([]opcode{opText, opBinary, opPing, opPong, opContinuation, opClose, 3}).Draw(t, "op")
		if (op == opText || op == opBinary || op == opContinuation) && rapid.IntRange(0, 19).Draw(t, "illegal") > 0 {
			if inMessage {
				op = opContinuation
			} else if op == opContinuation {
				op = opText
			}
		}
		if op == opClose && rapid.IntRange(0, 3).Draw(t, "close") > 0 {
			op = opPing
		}
		if op == 3 && rapid.IntRange(0, 9).Draw(t, "reserved") > 0 {
			op = opPong
		}
		h := header{opcode: op, masked: masked, fin: op.isControl() || rapid.Bool().Draw(t, "fin")}
		if rapid.IntRange(0, 29).Draw(t, "rsv") == 0 {
			h.rsv = 0x40
		}
		h.key = binary.LittleEndian.Uint32(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "key"))
		var payload []byte
		switch rapid.IntRange(0, 9).Draw(t, "payload") {
		case 0:
			payload = rapid.SliceOfN(rapid.Byte(), 0, 140).Draw(t, "bytes")
		case 1:
			payload = bytes.Repeat([]byte("é"), rapid.IntRange(60, 200).Draw(t, "long"))
		default:
			s := []byte(rapid.StringN(0, 20, 60).Draw(t, "text"))
			payload = s[:rapid.IntRange(0, len(s)).Draw(t, "part")]
			if rapid.Bool().Draw(t, "whole") {
				payload = s
			}
		}
		if op == opClose && len(payload) > 2 {
			payload = appendClose(nil, StatusCode(rapid.IntRange(990, 1020).Draw(t, "code")), string(payload))
		}
		if !op.isControl() {
			inMessage = !h.fin
		}
		out = appendFrame(out, h, payload)
	}
	return append(out, rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "tail")...)
}

func TestMachine_AnySplitGivesTheSameEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fromClient := rapid.Bool().Draw(t, "fromClient")
		stream := genStream(t, fromClient != (rapid.IntRange(0, 19).Draw(t, "wrong mask") == 0))
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(stream)), 0, 8).Draw(t, "cuts")
		slices.Sort(cuts)
		whole := play(fromClient, 700, 500, stream, nil)
		if got := play(fromClient, 700, 500, stream, cuts); !slices.Equal(got, whole) {
			t.Fatalf("cut at %v:\n%q\nwhole:\n%q", cuts, got, whole)
		}
		if got := play(fromClient, 700, 500, stream, allCuts(len(stream))); !slices.Equal(got, whole) {
			t.Fatalf("byte by byte:\n%q\nwhole:\n%q", got, whole)
		}
	})
}

// What was encoded is decoded to the same: messages of any content and fragmentation.
func TestMachine_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		masked := rapid.Bool().Draw(t, "masked")
		var stream []byte
		var want []string
		for range rapid.IntRange(1, 5).Draw(t, "messages") {
			op := rapid.SampledFrom([]opcode{opText, opBinary}).Draw(t, "op")
			payload := []byte(rapid.String().Draw(t, "payload"))
			if rapid.IntRange(0, 9).Draw(t, "big") == 0 {
				payload = bytes.Repeat([]byte("x"), rapid.SampledFrom([]int{125, 126, 65535, 65536}).Draw(t, "size"))
			}
			want = append(want, fmt.Sprintf("begin %d", op), fmt.Sprintf("data %x", payload), "end")
			for rest := payload; ; {
				n := rapid.IntRange(0, len(rest)).Draw(t, "fragment")
				fin := n == len(rest)
				h := header{fin: fin, opcode: op, masked: masked}
				h.key = binary.LittleEndian.Uint32(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "key"))
				stream = appendFrame(stream, h, rest[:n])
				rest, op = rest[n:], opContinuation
				if fin {
					break
				}
			}
		}
		if got := play(masked, math.MaxInt64, math.MaxInt64, stream, nil); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestMachine_HeaderRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := header{
			fin: rapid.Bool().Draw(t, "fin"), rsv: rapid.SampledFrom([]byte{0, 0x40, 0x20, 0x10, 0x70}).Draw(t, "rsv"),
			opcode: opcode(rapid.IntRange(0, 15).Draw(t, "opcode")), masked: rapid.Bool().Draw(t, "masked"),
			length: rapid.OneOf(rapid.Int64Range(0, 130), rapid.Int64Range(65530, 65540), rapid.Int64Range(0, math.MaxInt64)).Draw(t, "length"),
		}
		if h.masked {
			h.key = binary.LittleEndian.Uint32(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "key"))
		}
		b := appendHeader(nil, h)
		if len(b) != headerSize(b[1]) {
			t.Fatalf("%x has %d bytes, headerSize says %d", b, len(b), headerSize(b[1]))
		}
		var got header
		if err := got.parse(b); err != nil || got != h {
			t.Fatalf("%x: got %+v %v, want %+v", b, got, err, h)
		}
	})
}

func TestMachine_LooksAtNothingAfterItsLastEvent(t *testing.T) {
	m := &machine{readLimit: 100, frameLimit: 100}
	end := appendFrame(nil, header{fin: true, opcode: opClose}, nil)
	if ev, n := m.next(end); ev.kind != eventClose || ev.end.code != StatusNoStatus || n != len(end) {
		t.Fatal(ev, n)
	}
	if ev, n := m.next([]byte("anything")); ev.kind != eventNone || n != 8 {
		t.Fatal(ev, n)
	}
}

func TestMachine_AllocatesNothing(t *testing.T) {
	m := &machine{readLimit: 100, frameLimit: 100}
	stream := appendFrame(nil, header{opcode: opText}, []byte("hello"))
	stream = appendFrame(stream, header{fin: true, opcode: opPing}, []byte("x"))
	stream = appendFrame(stream, header{fin: true, opcode: opContinuation}, []byte("world"))
	if n := testing.AllocsPerRun(100, func() {
		for i := range stream {
			m.next(stream[i : i+1])
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestMask_IsXorFromAnyPosition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "p")
		pos := rapid.IntRange(0, 3).Draw(t, "pos")
		skip := rapid.IntRange(0, min(8, len(p))).Draw(t, "skip") // alignment
		p = p[skip:]
		key := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "key"))
		want := make([]byte, len(p))
		for i := range p {
			want[i] = p[i] ^ key[(pos+i)%4]
		}
		if next := mask(p, binary.LittleEndian.Uint32(key[:]), pos); !bytes.Equal(p, want) || next != (pos+len(p))%4 {
			t.Fatalf("got %x %d, want %x", p, next, want)
		}
	})
}

// checkUTF8 compares the checker with the standard library, for any cut.
func checkUTF8(t interface{ Fatalf(string, ...any) }, p []byte, cut int) {
	var whole, pieces utf8Checker
	bad := whole.check(p)
	valid := utf8.Valid(p)
	if (bad < 0 && whole.complete()) != valid {
		t.Fatalf("%q: bad %d, complete %v, utf8.Valid %v", p, bad, whole.complete(), valid)
	}
	got := pieces.check(p[:cut])
	if got < 0 {
		if got = pieces.check(p[cut:]); got >= 0 {
			got += cut
		}
	}
	if got != bad || (bad < 0 && pieces.complete() != whole.complete()) {
		t.Fatalf("%q: bad at %d, cut at %d at %d", p, bad, cut, got)
	}
	if bad >= 0 && !canGoOn(p[:bad]) {
		t.Fatalf("%q: byte %d is not the first bad one", p, bad)
	}
	if bad >= 0 && canGoOn(p[:bad+1]) {
		t.Fatalf("%q: byte %d is not bad", p, bad)
	}
}

// canGoOn reports whether some valid text begins with p: whether one to three continuation bytes, or none, complete it.
func canGoOn(p []byte) bool {
	for _, more := range []string{"", "\x80", "\x90", "\xa0", "\x80\x80", "\x90\x80", "\xa0\x80", "\x80\x80\x80", "\x90\x80\x80"} {
		if utf8.Valid(append(bytes.Clone(p), more...)) {
			return true
		}
	}
	return false
}

func TestUTF8_AgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := []byte(rapid.String().Draw(t, "text"))
		if rapid.Bool().Draw(t, "broken") {
			p = append(p, rapid.SliceOfN(rapid.ByteRange(0x70, 0xff), 0, 4).Draw(t, "noise")...)
			p = append(p, rapid.String().Draw(t, "rest")...)
		}
		checkUTF8(t, p, rapid.IntRange(0, len(p)).Draw(t, "cut"))
	})
}

func TestUTF8_EverySequenceOfTwoBytesAndLeadOfFour(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			checkUTF8(t, []byte{byte(a), byte(b)}, 1)
			checkUTF8(t, []byte{byte(a), byte(b), 0x80}, 2)
			checkUTF8(t, []byte{byte(a), byte(b), 0xbf, 0x80}, 2)
		}
	}
}
