package websocket

import (
	"encoding/binary"
	"errors"
)

// inflater decompresses DEFLATE (RFC 1951). It is our own since it must be able to stop at any byte of its input and go on there when
// more has come, without a goroutine; and since it must refuse references beyond the window that was agreed on. What it hands out is in
// its own buffer, behind the window, and valid until the next call.
type inflater struct {
	window int    // bytes that a reference may go back
	buf    []byte // what came before, then what is being put out
	w      int    // end of what is in buf

	bits  uint64 // input that was taken and not used, lowest bit first
	nbits uint   // how many

	phase  inflatePhase
	final  bool // the block is the last of its stream
	stored int  // bytes that a stored block still has

	// The header of a block with its own codes, while it is being read.
	nlit, ndist, nlen, have int
	lengths                 [286 + 30]uint8

	own    huffTables
	tables *huffTables // of the current block
}

type inflatePhase uint8

const (
	inflateBlock   inflatePhase = iota // before a block
	inflateLength                      // before the length of a stored block
	inflateStored                      // within one
	inflateCounts                      // before the counts of codes
	inflateMeta                        // within the lengths of the code for code lengths
	inflateLengths                     // within the code lengths
	inflateSymbols                     // within the block's symbols
)

// minInflateRoom is the room for output, beside the window, where the window itself is not bigger.
const minInflateRoom = 12 << 10

// maxMatch is what one symbol puts out at most.
const maxMatch = 258

var errDeflate = errors.New("the data is not DEFLATE, or refers back further than its window")

// reset begins a message that may refer to history.
func (z *inflater) reset(bits int, history []byte) {
	z.window = 1 << bits
	if size := z.window + max(z.window, minInflateRoom); len(z.buf) != size {
		z.buf = make([]byte, size)
	}
	z.w = copy(z.buf, history)
	z.bits, z.nbits, z.phase, z.final = 0, 0, inflateBlock, false
}

// inflate takes used bytes of p and returns what they are decompressed. If full, there may be more to come without more input; if not, all
// of p is used. After an error, what was decompressed before it is returned with it.
func (z *inflater) inflate(p []byte) (out []byte, used int, full bool, err error) {
	if len(z.buf)-z.w < (len(z.buf)-z.window)/2 {
		z.w = copy(z.buf, z.buf[max(0, z.w-z.window):z.w])
	}
	start := z.w
	in := p
	for more := true; more && err == nil; {
		if full = len(z.buf)-z.w < maxMatch; full {
			break
		}
		switch z.phase {
		case inflateBlock:
			in, more, err = z.beginBlock(in)
		case inflateLength:
			in, more, err = z.readStoredLength(in)
		case inflateStored:
			in, more = z.copyStored(in)
		case inflateSymbols:
			in, more, err = z.readSymbols(in)
		default:
			in, more, err = z.readCodes(in)
		}
	}
	return z.buf[start:z.w], len(p) - len(in), full, err
}

// atEnd reports whether a message may end here. RFC 7692 has each message end with an empty stored block, of which the last four bytes,
// 00 00 FF FF, are left out (section 7.2.1): its length is what would come next. That the data ends on a byte behind a whole
// block is accepted too, as there are senders that leave nothing out.
func (z *inflater) atEnd() bool {
	return z.nbits == 0 && (z.phase == inflateLength || z.phase == inflateBlock)
}

// history returns the end of what was put out, as far as later messages may refer to it.
func (z *inflater) history() []byte { return z.buf[max(0, z.w-z.window):z.w] }

// fill takes input until there are n bits; n is at most 57. ok is false if there is not enough, and then all of it is taken.
func (z *inflater) fill(in []byte, n uint) (rest []byte, ok bool) {
	for z.nbits < n {
		if len(in) == 0 {
			return in, false
		}
		z.bits |= uint64(in[0]) << z.nbits
		z.nbits += 8
		in = in[1:]
	}
	return in, true
}

func (z *inflater) take(n uint) int {
	v := z.bits & (1<<n - 1)
	z.bits >>= n
	z.nbits -= n
	return int(v)
}

func (z *inflater) beginBlock(in []byte) ([]byte, bool, error) {
	in, ok := z.fill(in, 3)
	if !ok {
		return in, false, nil
	}
	z.final = z.take(1) == 1
	switch z.take(2) {
	case 0:
		z.take(z.nbits & 7) // the rest of the byte means nothing
		z.phase = inflateLength
	case 1:
		z.tables, z.phase = fixedTables(), inflateSymbols
	case 2:
		z.phase = inflateCounts
	default:
		return in, false, errDeflate
	}
	return in, true, nil
}

// endBlock goes on to the next block. Behind one that says that it is final, another stream may begin at the next byte (RFC 7692,
// section 7.2.3.4).
func (z *inflater) endBlock() {
	if z.final {
		z.take(z.nbits & 7)
	}
	z.phase = inflateBlock
}

func (z *inflater) readStoredLength(in []byte) ([]byte, bool, error) {
	in, ok := z.fill(in, 32)
	if !ok {
		return in, false, nil
	}
	n := z.take(16)
	if z.take(16) != n^0xFFFF {
		return in, false, errDeflate
	}
	z.stored, z.phase = n, inflateStored
	return in, true, nil
}

// copyStored copies what of a stored block is there and has room.
func (z *inflater) copyStored(in []byte) ([]byte, bool) {
	for z.stored > 0 && z.nbits > 0 {
		z.buf[z.w] = byte(z.take(8))
		z.w++
		z.stored--
	}
	n := copy(z.buf[z.w:min(len(z.buf), z.w+z.stored)], in)
	z.w += n
	z.stored -= n
	in = in[n:]
	if z.stored == 0 {
		z.endBlock()
		return in, true
	}
	return in, len(in) > 0
}

// metaOrder is the order in which the lengths of the code for code lengths are sent (RFC 1951, section 3.2.7).
var metaOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// metaBits is the longest code for code lengths. Its table borrows the place of that for distances, which is not made yet.
const metaBits = 7

// readCodes reads the codes of a block (section 3.2.7).
func (z *inflater) readCodes(in []byte) (rest []byte, more bool, err error) {
	ok := false
	if z.phase == inflateCounts {
		if in, ok = z.fill(in, 14); !ok {
			return in, false, nil
		}
		z.nlit, z.ndist, z.nlen, z.have = z.take(5)+257, z.take(5)+1, z.take(4)+4, 0
		if z.nlit > 286 || z.ndist > 30 {
			return in, false, errDeflate
		}
		z.phase = inflateMeta
	}
	if z.phase == inflateMeta {
		for z.have < z.nlen {
			if in, ok = z.fill(in, 3); !ok {
				return in, false, nil
			}
			z.lengths[metaOrder[z.have]] = uint8(z.take(3))
			z.have++
		}
		for _, i := range metaOrder[z.nlen:] {
			z.lengths[i] = 0
		}
		if !buildHuffman(z.own.dist[:], metaBits, z.lengths[:len(metaOrder)], lenEntry) {
			return in, false, errDeflate
		}
		z.phase, z.have = inflateLengths, 0
	}
	for z.have < z.nlit+z.ndist {
		in, _ = z.fill(in, metaBits+7)
		e := z.own.dist[z.bits&(1<<metaBits-1)]
		symbol, n, more := e.value(), e.length(), uint(0)
		repeat, value, least := 1, uint8(symbol), 0
		switch {
		case e.kind() == huffInvalid:
		case symbol == 16:
			more, least = 2, 3
		case symbol == 17:
			more, least, value = 3, 3, 0
		case symbol == 18:
			more, least, value = 7, 11, 0
		}
		if n+more > z.nbits {
			return in, false, nil
		}
		z.take(n)
		if least > 0 {
			repeat = least + z.take(more)
		}
		if e.kind() == huffInvalid || (symbol == 16 && z.have == 0) || z.have+repeat > z.nlit+z.ndist {
			return in, false, errDeflate
		}
		if symbol == 16 {
			value = z.lengths[z.have-1]
		}
		for range repeat {
			z.lengths[z.have] = value
			z.have++
		}
	}
	if z.lengths[256] == 0 || !buildHuffman(z.own.lit[:], litBits, z.lengths[:z.nlit], litEntry) ||
		!buildHuffman(z.own.dist[:], distBits, z.lengths[z.nlit:z.nlit+z.ndist], distEntry) {
		return in, false, errDeflate
	}
	z.tables, z.phase = &z.own, inflateSymbols
	return in, true, nil
}

// readSymbols decodes symbols until the block ends, the input does, or there is no room for what one symbol may put out.
func (z *inflater) readSymbols(in []byte) (rest []byte, more bool, err error) {
	if len(in) >= 8 {
		in, err = z.readSymbolsFast(in)
		if err != nil || z.phase != inflateSymbols {
			return in, true, err
		}
	}
	for len(z.buf)-z.w >= maxMatch {
		in, _ = z.fill(in, 48) // the most that one symbol has: 15+5 bits of length and 15+13 of distance
		bits, nbits := z.bits, z.nbits
		e := z.tables.lit[bits&(1<<litBits-1)]
		if e.kind()&huffLink != 0 {
			if nbits < litBits {
				return in, false, nil
			}
			bits, nbits = bits>>litBits, nbits-litBits
			e = z.tables.lit[e.value()+int(bits&(1<<(e.kind()&0xF)-1))]
		}
		if e.length() > nbits {
			return in, false, nil
		}
		bits, nbits = bits>>e.length(), nbits-e.length()
		switch kind := e.kind(); {
		case kind == huffLiteral:
			z.bits, z.nbits = bits, nbits
			z.buf[z.w] = byte(e.value())
			z.w++
			continue
		case kind == huffEnd:
			z.bits, z.nbits = bits, nbits
			z.endBlock()
			return in, true, nil
		case kind == huffInvalid:
			return in, false, errDeflate
		case kind > nbits:
			return in, false, nil
		}
		length := e.value() + int(bits&(1<<e.kind()-1))
		bits, nbits = bits>>e.kind(), nbits-e.kind()
		e = z.tables.dist[bits&(1<<distBits-1)]
		if e.kind()&huffLink != 0 {
			if nbits < distBits {
				return in, false, nil
			}
			bits, nbits = bits>>distBits, nbits-distBits
			e = z.tables.dist[e.value()+int(bits&(1<<(e.kind()&0xF)-1))]
		}
		if e.length() > nbits {
			return in, false, nil
		}
		bits, nbits = bits>>e.length(), nbits-e.length()
		if e.kind() == huffInvalid {
			return in, false, errDeflate
		}
		if e.kind() > nbits {
			return in, false, nil
		}
		distance := e.value() + int(bits&(1<<e.kind()-1))
		z.bits, z.nbits = bits>>e.kind(), nbits-e.kind()
		if distance > z.window || distance > z.w {
			return in, false, errDeflate
		}
		z.copyMatch(distance, length)
	}
	return in, true, nil
}

// readSymbolsFast is readSymbols while there is so much input and room that no symbol can lack either.
func (z *inflater) readSymbolsFast(in []byte) ([]byte, error) {
	bits, nbits := z.bits, z.nbits
	lit, dist := &z.tables.lit, &z.tables.dist
	buf, w := z.buf, z.w
	var err error
	for len(in) >= 8 && len(buf)-w >= maxMatch+2 {
		// Bytes that do not fit whole are taken in part and again the next time, which changes nothing.
		bits |= binary.LittleEndian.Uint64(in) << (nbits & 63)
		in = in[(63-nbits)>>3:]
		nbits |= 56
		e := lit[bits&(1<<litBits-1)]
		if e.kind() == huffLiteral { // up to three times 9 bits
			bits >>= e.length()
			nbits -= e.length()
			buf[w] = byte(e.value())
			w++
			e = lit[bits&(1<<litBits-1)]
			if e.kind() == huffLiteral {
				bits >>= e.length()
				nbits -= e.length()
				buf[w] = byte(e.value())
				w++
				continue
			}
			if nbits < 48 {
				continue
			}
		}
		if kind := e.kind(); kind&huffLink != 0 {
			bits >>= litBits
			nbits -= litBits
			e = lit[e.value()+int(bits&(1<<(kind&0xF)-1))]
		}
		bits >>= e.length()
		nbits -= e.length()
		if e.kind() >= huffInvalid {
			if e.kind() == huffLiteral {
				buf[w] = byte(e.value())
				w++
				continue
			}
			z.bits, z.nbits, z.w = bits&(1<<nbits-1), nbits, w
			if e.kind() == huffInvalid {
				return in, errDeflate
			}
			z.endBlock()
			return in, nil
		}
		length := e.value() + int(bits&(1<<e.kind()-1))
		bits >>= e.kind()
		nbits -= e.kind()
		e = dist[bits&(1<<distBits-1)]
		if kind := e.kind(); kind&huffLink != 0 {
			bits >>= distBits
			nbits -= distBits
			e = dist[e.value()+int(bits&(1<<(kind&0xF)-1))]
		}
		bits >>= e.length()
		nbits -= e.length()
		if e.kind() == huffInvalid {
			err = errDeflate
			break
		}
		distance := e.value() + int(bits&(1<<e.kind()-1))
		bits >>= e.kind()
		nbits -= e.kind()
		if distance > z.window || distance > w {
			err = errDeflate
			break
		}
		z.w = w
		z.copyMatch(distance, length)
		w = z.w
	}
	z.bits, z.nbits, z.w = bits&(1<<nbits-1), nbits, w
	return in, err
}

// copyMatch repeats length bytes from distance back; they may overlap with what is being written.
func (z *inflater) copyMatch(distance, length int) {
	from := z.w - distance
	for length > 0 {
		n := copy(z.buf[z.w:z.w+length], z.buf[from:z.w])
		z.w += n
		length -= n
	}
}
