package load

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// unmask turns what a tape sends into what a server would answer.
func unmask(t *testing.T, frames []byte) (answer []byte) {
	t.Helper()
	for len(frames) > 0 {
		size, n := 2, int(frames[1]&0x7f)
		switch n {
		case 126:
			size, n = 4, int(binary.BigEndian.Uint16(frames[2:]))
		case 127:
			size, n = 10, int(binary.BigEndian.Uint64(frames[2:]))
		}
		if frames[1]&0x80 == 0 {
			t.Fatal("a frame is not masked")
		}
		answer = append(append(answer, frames[0], frames[1]&0x7f), frames[2:size]...)
		mask := frames[size : size+4]
		for i, b := range frames[size+4 : size+4+n] {
			answer = append(answer, b^mask[i%4])
		}
		frames = frames[size+4+n:]
	}
	return answer
}

// play takes n messages from the tape, in groups.
func play(tape *Tape, n, group int) (frames []byte) {
	pos := 0
	for i := 0; i < n; i += group {
		var some []byte
		some, pos = tape.next(pos, group)
		frames = append(frames, some...)
	}
	return frames
}

func TestCompressedTapesInflateForAsLongAsOneLikes(t *testing.T) {
	messages := JSON(64, 1<<10)
	for name, e := range map[string]Extension{
		"no takeover":     {Agreed: true, ClientNoTakeover: true},
		"takeover":        {Agreed: true},
		"takeover, 4 KiB": {Agreed: true, ClientBits: 12},
	} {
		t.Run(name, func(t *testing.T) {
			const n, group = 5 * 64, 4 // five turns
			tape, err := Compressed(messages, e, group)
			if err != nil {
				t.Fatal(err)
			}
			answer := unmask(t, play(tape, n, group))
			p := parser{sample: &sample{messages: messages, noTakeover: e.ClientNoTakeover, enough: n}}
			if got, err := p.feed(answer); err != nil || got != n {
				t.Fatalf("%d messages of %d: %v", got, n, err)
			}
			if p.sample != nil {
				t.Fatalf("only %d messages were compared", p.sample.seen)
			}
		})
	}
}

func TestParserWhereverTheBytesAreCut(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 1000, 1 << 16} {
		payload := Words(size)
		answer := unmask(t, play(Repeat(Text, payload, 3), 6, 3))
		answer = append([]byte{0x89, 1, 'x'}, answer...) // a ping, which is no message
		for _, cut := range []int{1, 2, 3, 7, 130, 1 << 20} {
			if size > 1000 && cut < 130 {
				continue
			}
			var p parser
			p.expect(Text, payload)
			messages := 0
			for rest := answer; len(rest) > 0; {
				n := min(cut, len(rest))
				got, err := p.feed(rest[:n])
				if err != nil {
					t.Fatalf("%d bytes, cut by %d: %v", size, cut, err)
				}
				messages, rest = messages+got, rest[n:]
			}
			if messages != 6 {
				t.Errorf("%d bytes, cut by %d: %d messages, want 6", size, cut, messages)
			}
		}
	}
}

func TestParserSeesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"another text":    {"\x81\x02hj", "differs"},
		"too short":       {"\x81\x01h", "1 bytes came"},
		"too long":        {"\x81\x03hi!", "differs"},
		"masked":          {"\x81\x82\x00\x00\x00\x00hi", "masked"},
		"a closing frame": {"\x88\x04\x03\xf1no", "1009 no"},
	} {
		var p parser
		p.expect(Text, []byte("hi"))
		if _, err := p.feed([]byte(c.answer)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJSONIsOfItsSizeAndAllDifferent(t *testing.T) {
	all := JSON(64, 1<<10)
	for i, m := range all {
		if len(m) != 1<<10 {
			t.Errorf("message %d has %d bytes", i, len(m))
		}
		if i > 0 && bytes.Equal(m, all[i-1]) {
			t.Errorf("message %d is the one before", i)
		}
	}
}

func BenchmarkParser(b *testing.B) {
	payload := Words(64)
	answer := bytes.Repeat(append([]byte{0x81, 64}, payload...), 32)
	var p parser
	p.expect(Text, payload)
	for b.Loop() {
		if n, err := p.feed(answer); n != 32 || err != nil {
			b.Fatal(n, err)
		}
	}
}
