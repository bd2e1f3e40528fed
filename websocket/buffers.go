package websocket

import "sync"

// Buffers are borrowed while there are bytes to hold and given back before waiting, so a silent connection has none.
// The pools are the package's only shared state; they hold nothing between two uses that anyone could read.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

var (
	smallBuffers = sync.Pool{New: func() any { return &buffer{data: make([]byte, smallBuffer)} }}
	largeBuffers = sync.Pool{New: func() any { return &buffer{data: make([]byte, largeBuffer)} }}
)

// buffer is a borrowed piece of memory.
type buffer struct{ data []byte }

// borrow returns a buffer for n bytes, or the largest there is.
func borrow(n int) *buffer {
	if n <= smallBuffer {
		return smallBuffers.Get().(*buffer)
	}
	return largeBuffers.Get().(*buffer)
}

func (b *buffer) giveBack() {
	if len(b.data) == smallBuffer {
		smallBuffers.Put(b)
	} else {
		largeBuffers.Put(b)
	}
}
