package websocket

import (
	"math/bits"
	"sync"
)

// huffEntry is what some bits of input mean: bits 0–3 how many of them are the code, bits 8–15 one of the kinds below, bits 16–31 the value.
type huffEntry uint32

// The kinds of entries. A plain number up to 13 is a length or distance: the value and that many extra bits.
const (
	huffLiteral = 0x80 // the value is a byte
	huffEnd     = 0x40 // the block ends
	huffLink    = 0x20 // the value is where a table of second level begins; plus the bits that index it
	huffInvalid = 0x10 // no code begins so
)

func (e huffEntry) length() uint { return uint(e & 0xF) }
func (e huffEntry) kind() uint   { return uint(e>>8) & 0xFF }
func (e huffEntry) value() int   { return int(e >> 16) }

func newHuffEntry(length, kind, value int) huffEntry {
	return huffEntry(length | kind<<8 | value<<16)
}

const (
	litBits  = 9 // bits that index the first level for literals and lengths
	distBits = 6 // and for distances

	// What tables of two levels need at most, which zlib's examples/enough.c computes: 286 symbols and 9 bits, 30 and 6; codes of up to
	// 15 bits.
	litEntries  = 852
	distEntries = 592

	maxCodeLen = 15
)

var (
	lengthBase = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthMore = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase   = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
		8193, 12289, 16385, 24577}
	distMore = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// litEntry and distEntry are the entries of symbols (RFC 1951, section 3.2.5), and lenEntry of the code that code lengths are sent in.
func litEntry(symbol, length int) huffEntry {
	switch {
	case symbol < 256:
		return newHuffEntry(length, huffLiteral, symbol)
	case symbol == 256:
		return newHuffEntry(length, huffEnd, 0)
	case symbol < 257+len(lengthBase):
		return newHuffEntry(length, int(lengthMore[symbol-257]), int(lengthBase[symbol-257]))
	}
	return newHuffEntry(length, huffInvalid, 0)
}

func distEntry(symbol, length int) huffEntry {
	if symbol < len(distBase) {
		return newHuffEntry(length, int(distMore[symbol]), int(distBase[symbol]))
	}
	return newHuffEntry(length, huffInvalid, 0)
}

func lenEntry(symbol, length int) huffEntry { return newHuffEntry(length, 0, symbol) }

// buildHuffman fills a table whose first level is indexed by root bits, for codes of these lengths (section 3.2.2). It reports whether they
// make a complete code; a single code of one bit passes too, as encoders use it for a block with one distance, and none at all
// where there is none.
func buildHuffman(table []huffEntry, root int, lengths []uint8, entry func(symbol, length int) huffEntry) bool {
	var count, offset [maxCodeLen + 2]int
	for _, n := range lengths {
		count[n]++
	}
	longest := maxCodeLen
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	left := 1 // codes that are still free
	for n := 1; n <= maxCodeLen; n++ {
		if left = left<<1 - count[n]; left < 0 {
			return false
		}
		offset[n+1] = offset[n] + count[n]
	}
	if left > 0 {
		if longest > 1 {
			return false
		}
		for i := range 1 << root {
			table[i] = newHuffEntry(1, huffInvalid, 0)
		}
	}
	var sorted [288 + 32]uint16
	for symbol, n := range lengths {
		if n != 0 {
			sorted[offset[n]] = uint16(symbol)
			offset[n]++
		}
	}
	code, at := 0, 0 // the next code; where in sorted its symbol is
	for n := 1; n <= min(longest, root); n++ {
		for range count[n] {
			e := entry(int(sorted[at]), n)
			for i := reverseBits(code, n); i < 1<<root; i += 1 << n {
				table[i] = e
			}
			code++
			at++
		}
		code <<= 1
	}
	end, prefix := 1<<root, -1
	var sub []huffEntry // the table of second level for codes that begin with prefix
	for n := root + 1; n <= longest; n++ {
		for ; count[n] > 0; count[n]-- {
			reversed := reverseBits(code, n)
			if first := reversed & (1<<root - 1); first != prefix {
				prefix = first
				size := subtableBits(count[:], n, longest, root)
				sub = table[end : end+1<<size]
				table[prefix] = newHuffEntry(root, huffLink|size, end)
				end += len(sub)
			}
			e := entry(int(sorted[at]), n-root)
			for i := reversed >> root; i < len(sub); i += 1 << (n - root) {
				sub[i] = e
			}
			code++
			at++
		}
		code <<= 1
	}
	return true
}

// subtableBits is how many bits index the table of second level whose first code has n bits: as many as its longest code has, which the
// counts of codes not yet placed tell, since codes come in order.
func subtableBits(count []int, n, longest, root int) int {
	size := n - root
	for left := 1 << size; size+root < longest; left <<= 1 {
		if left -= count[size+root]; left <= 0 {
			break
		}
		size++
	}
	return size
}

func reverseBits(code, n int) int { return int(bits.Reverse16(uint16(code))) >> (16 - n) }

// huffTables are the two codes of a block.
type huffTables struct {
	lit  [litEntries]huffEntry
	dist [distEntries]huffEntry
}

// fixedTables are those of section 3.2.6, made when first needed.
var fixedTables = sync.OnceValue(func() *huffTables {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	t := &huffTables{}
	buildHuffman(t.lit[:], litBits, lengths[:], litEntry)
	for i := range 32 {
		lengths[i] = 5
	}
	buildHuffman(t.dist[:], distBits, lengths[:32], distEntry)
	return t
})
