package websocket

import "sync"

// Buffers are borrowed while there are bytes to hold and given back before waiting, so a silent connection has none.
// The pools are the package's only shared state; they hold nothing between two uses that anyone could read.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
	hugeBuffer  = 1 << 20
)

var (
	smallBuffers = sync.Pool{New: func() any { return &buffer{data: make([]byte, smallBuffer)} }}
	largeBuffers = sync.Pool{New: func() any { return &buffer{data: make([]byte, largeBuffer)} }}
)

var hugeBuffers = [...]sync.Pool{
	{New: func() any { return &buffer{data: make([]byte, 256<<10)} }},
	{New: func() any { return &buffer{data: make([]byte, hugeBuffer)} }},
}

// buffer is a borrowed piece of memory.
type buffer struct{ data []byte }

// borrow returns a buffer for n bytes, or the largest there is.
func borrow(n int) *buffer {
	if n <= smallBuffer {
		return smallBuffers.Get().(*buffer)
	}
	return largeBuffers.Get().(*buffer)
}

// borrowWhole returns one of at least n bytes, beyond hugeBuffer a new one: for what must be in one piece.
func borrowWhole(n int) *buffer {
	switch {
	case n <= largeBuffer:
		return borrow(n)
	case n <= 256<<10:
		return hugeBuffers[0].Get().(*buffer)
	case n <= hugeBuffer:
		return hugeBuffers[1].Get().(*buffer)
	}
	return &buffer{data: make([]byte, n)}
}

func (b *buffer) giveBack() {
	switch len(b.data) {
	case smallBuffer:
		smallBuffers.Put(b)
	case largeBuffer:
		largeBuffers.Put(b)
	case 256 << 10:
		hugeBuffers[0].Put(b)
	case hugeBuffer:
		hugeBuffers[1].Put(b)
	}
}
