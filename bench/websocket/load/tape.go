package load

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/flate"
)

// Opcodes of RFC 6455, section 5.2.
const (
	Text   = 1
	Binary = 2
)

// Tape is a cycle of masked frames laid out one after another, so that any number of consecutive messages, up to
// burst, is one slice. It is shared by all connections; each has its own position.
type Tape struct {
	bytes    []byte
	offsets  []int // of each frame, and of the end
	loopFrom int   // after the last frame of the loop comes this one
	loopLen  int
	burst    int
}

// key is no secret here: one key for all frames makes them reusable.
var key = [4]byte{0x5a, 0xc3, 0x17, 0x9e}

// Repeat is the tape of one message over and over.
func Repeat(opcode byte, payload []byte, burst int) *Tape {
	t := &Tape{loopLen: 1, burst: burst}
	for range burst {
		t.add(opcode, payload)
	}
	return t.end()
}

// Compressed is the tape of messages in turn, each a permessage-deflate text message (RFC 7692).
//
// Under takeover the frames of a second turn may be sent again and again, since what they refer back to is at most
// 32 KiB away: the messages together must be longer than that, and are then the same text at each turn.
func Compressed(messages [][]byte, e Extension, burst int) (*Tape, error) {
	turns, t := 1, &Tape{loopLen: len(messages), burst: burst}
	if !e.ClientNoTakeover {
		turns, t.loopFrom = 2, len(messages)
	}
	var out bytes.Buffer
	w, err := newDeflater(&out, e.clientWindow())
	if err != nil {
		return nil, err
	}
	frame := func(m []byte) error {
		out.Reset()
		if e.ClientNoTakeover {
			w.Reset(&out)
		}
		if _, err := w.Write(m); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		t.add(Text|0x40, bytes.TrimSuffix(out.Bytes(), tail)) // RSV1; section 7.2.1
		return nil
	}
	for range turns {
		for _, m := range messages {
			if err := frame(m); err != nil {
				return nil, err
			}
		}
	}
	// The beginning of the loop once more, so that a burst across its end is one slice.
	for i := range burst {
		from := t.loopFrom + i%t.loopLen
		t.offsets = append(t.offsets, len(t.bytes))
		t.bytes = append(t.bytes, t.bytes[t.offsets[from]:t.offsets[from+1]]...)
	}
	return t.end(), nil
}

// tail ends what a flush of deflate writes, and is not sent (RFC 7692, section 7.2.1).
var tail = []byte{0, 0, 0xff, 0xff}

func newDeflater(out io.Writer, window int) (*flate.Writer, error) {
	if window < 1<<15 {
		return flate.NewWriterWindow(out, window)
	}
	return flate.NewWriter(out, flate.DefaultCompression)
}

func (t *Tape) add(first byte, payload []byte) {
	t.offsets = append(t.offsets, len(t.bytes))
	t.bytes = appendHeader(t.bytes, 0x80|first, 0x80, len(payload))
	t.bytes = append(t.bytes, key[:]...)
	for i, b := range payload {
		t.bytes = append(t.bytes, b^key[i%4])
	}
}

// appendHeader appends the header of a frame of n bytes, without the masking key.
func appendHeader(b []byte, first, mask byte, n int) []byte {
	switch {
	case n < 126:
		return append(b, first, mask|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, mask|126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, first, mask|127), uint64(n))
}

func (t *Tape) end() *Tape {
	t.offsets = append(t.offsets, len(t.bytes))
	return t
}

// next returns the frames of n messages, at most burst, from position pos, and the position after them.
func (t *Tape) next(pos, n int) (frames []byte, after int) {
	frames = t.bytes[t.offsets[pos]:t.offsets[pos+n]]
	for pos += n; pos >= t.loopFrom+t.loopLen; {
		pos -= t.loopLen
	}
	return frames, pos
}
