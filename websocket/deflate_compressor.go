package websocket

import (
	"math"
	"sync"

	"github.com/klauspost/compress/flate"
)

// compressor is a borrowed compressor and where its output goes.
type compressor struct {
	w    *flate.Writer
	out  []byte
	dict []byte // for a small message: the dictionary, which w has not seen
	pool *sync.Pool
}

// smallMessage is the size below which a flate.Writer finds no repetitions, not even of its dictionary; flate.StatelessDeflate does.
const smallMessage = 128

var (
	levelCompressors  [10]sync.Pool                // by level, for windows of 32 KiB
	windowCompressors [maxWindowBits + 1]sync.Pool // by the bits of smaller windows, of one level
)

// unknownSize is for messages whose end is not known.
const unknownSize = math.MaxInt

// borrowCompressor returns a compressor for a message of at most n bytes behind the dictionary, that refers back by at most 2^bits bytes. The
// compressors of the levels know only the full window. They can be used for a smaller one if everything they are given fits into it;
// for longer messages there is one that keeps to a window, of one level of its own.
func borrowCompressor(level, bits, n int, dict []byte) *compressor {
	window := 1 << bits
	pool, make := &levelCompressors[level], func() (*flate.Writer, error) { return flate.NewWriter(nil, level) }
	if bits < maxWindowBits {
		if n <= window {
			dict = dict[max(0, len(dict)-(window-n)):]
		} else {
			pool, make = &windowCompressors[bits], func() (*flate.Writer, error) { return flate.NewWriterWindow(nil, window) }
		}
	}
	z, _ := pool.Get().(*compressor)
	if z == nil {
		w, err := make()
		if err != nil {
			panic("websocket: " + err.Error()) // the options were checked
		}
		z = &compressor{w: w, pool: pool}
	}
	if z.dict = z.dict[:0]; n < smallMessage && len(dict) > 0 {
		z.dict = append(z.dict, dict...)
	} else {
		z.w.ResetDict(z, dict)
	}
	z.out = z.out[:0]
	return z
}

// Write is where the flate.Writer puts its output.
func (z *compressor) Write(p []byte) (int, error) {
	z.out = append(z.out, p...)
	return len(p), nil
}

// flush compresses a piece of a message that goes on. The result is valid until the next call.
func (z *compressor) flush(plain []byte) []byte {
	z.out = z.out[:0]
	if len(z.dict) > 0 {
		flate.StatelessDeflate(z, plain, false, z.dict)
		return z.out
	}
	z.w.Write(plain)
	z.w.Flush()
	return z.out
}

// finish compresses the last piece, and leaves out the four bytes 00 00 FF FF that every message ends with (RFC 7692, section 7.2.1).
func (z *compressor) finish(plain []byte) []byte {
	out := z.flush(plain)
	return out[:len(out)-4]
}

// giveBack returns the compressor. What it saw stays in it, out of reach, until it is borrowed again.
func (z *compressor) giveBack() {
	if cap(z.out) > largeBuffer {
		z.out = nil
	}
	z.pool.Put(z)
}
