package websocket

import (
	"bufio"
	"net"
)

// rawIO is a socket that is read and written without what net.Conn costs.
type rawIO interface {
	// read waits for bytes and returns them in a borrowed buffer for about want bytes; with an error there is none.
	read(want int) (*buffer, int, error)

	// readInto waits for bytes and returns how many it has put into p.
	readInto(p []byte) (int, error)

	// await waits until a read may bring something, or an error: where it can be done with less on the stack than in a read. Else it does nothing.
	await()

	// writeNow writes what the kernel takes without waiting.
	writeNow(p []byte) (int, error)
}

// input holds the bytes that were received and not yet looked at. While there are none it holds no memory.
type input struct {
	unread   []byte
	borrowed *buffer    // what unread is in, if it is borrowed
	full     bool       // the last fill brought much: more is likely
	small    *[128]byte // where sockets that are not raw wait for the first bytes
}

// leftover takes over what the handshake's reader has read too much.
func (in *input) leftover(br *bufio.Reader) {
	if br == nil || br.Buffered() == 0 {
		return
	}
	p, _ := br.Peek(br.Buffered())
	in.keep(p)
}

// keep takes a copy of what came behind the handshake.
func (in *input) keep(p []byte) {
	if len(p) > 0 {
		in.borrowed = borrowWhole(len(p))
		in.unread = in.borrowed.data[:copy(in.borrowed.data, p)]
	}
}

func (in *input) consume(n int) { in.unread = in.unread[n:] }

// release gives memory back when all is consumed.
func (in *input) release() {
	if in.borrowed != nil {
		in.borrowed.giveBack()
	}
	in.unread, in.borrowed = nil, nil
}

// fill waits for bytes. expect is how many more are known to be on their way; unread must be empty and released. They are read into into, if
// that is not nil.
func (in *input) fill(nc net.Conn, raw rawIO, expect int64, into []byte) (err error) {
	if into != nil {
		n := 0
		if raw != nil {
			n, err = raw.readInto(into)
		} else {
			n, err = nc.Read(into)
		}
		in.unread = into[:n]
		return err
	}
	want := smallBuffer
	if in.full || expect > smallBuffer {
		want = largeBuffer
	}
	if raw != nil {
		b, n, err := raw.read(want)
		if b != nil {
			in.borrowed, in.unread = b, b.data[:n]
			in.full = n >= smallBuffer
		}
		return err
	}
	if in.small == nil {
		in.small = new([128]byte)
	}
	room := in.small[:]
	if in.full || expect > int64(len(room)) {
		// Bytes are on their way: the wait will be short, and MessageTimeout bounds it.
		in.borrowed = borrow(smallBuffer)
		room = in.borrowed.data
	}
	n, err := nc.Read(room)
	in.unread = room[:n]
	in.full = false
	if n == 0 {
		in.release()
	}
	return err
}
