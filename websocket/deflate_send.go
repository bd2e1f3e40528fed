package websocket

import "sync"

// deflation is the sending half of permessage-deflate on one connection. It keeps no compressor: that takes hundreds of KiB, and is borrowed
// for each message. With takeover it keeps the end of what was sent, which the compressor is given as its dictionary.
//
// The compressor's view must be the peer's: what is sent must be remembered in the order of the wire. That order is decided under the lock of
// the connection's output, which therefore guards sent and own too; see compressTurn.
type deflation struct {
	deflateDirection
	level     int
	threshold int
	sent      []byte // with takeover: the end of the compressed messages so far, at most one window; in own, or shared and not to be written
	own       []byte // memory of this connection for it
}

// wants reports whether a message of n bytes is to be compressed. d may be nil.
func (d *deflation) wants(n int) bool { return d != nil && n >= d.threshold }

// begin borrows a compressor that knows what the peer knows, for a message of at most n bytes.
func (d *deflation) begin(n int) *compressor { return borrowCompressor(d.level, d.bits, n, d.sent) }

// remember appends plain, which is sent compressed, to what later messages may refer to.
func (d *deflation) remember(plain []byte) {
	if !d.takeover {
		return
	}
	window := d.window()
	keep := d.sent[max(0, min(len(d.sent), len(d.sent)+len(plain)-window)):]
	d.own = appendWindow(appendWindow(d.own[:0], keep, window), plain, window)
	d.sent = d.own
}

// rememberShared is remember for a message that was compressed by itself, for many connections, and whose bytes nobody changes any more. They
// are kept in place of all that was before, without a copy: so a broadcast costs no memory and next to no time for each
// connection. No later message will refer to what was before. That is a compressor's choice; a decompressor cannot tell.
func (d *deflation) rememberShared(plain []byte) {
	if d.takeover {
		d.sent = plain[max(0, len(plain)-d.window()):]
	}
}

// message adds a message, compressed if that was agreed on and is worth it.
func (o *outgoing) message(t MessageType, p []byte) {
	c := o.c
	if !c.deflate.wants(len(p)) {
		o.frame(header{fin: true, opcode: opcode(t)}, p)
		return
	}
	z := o.compressTurn(len(p))
	c.deflate.remember(p)
	c.out.mu.Unlock()
	body := z.finish(p)
	o.frame(header{fin: true, rsv: bitRSV1, opcode: opcode(t)}, body)
	z.giveBack()
}

// compressTurn is for who holds the wire and sends something compressed next: it sends everything that was accepted before, borrows
// a compressor, and leaves the output locked for remember. Whatever is accepted afterwards comes later on the wire too.
func (o *outgoing) compressTurn(n int) *compressor {
	c := o.c
	for {
		c.out.mu.Lock()
		if c.out.waiting == nil || c.sock != nil || o.err != nil || c.closeSent {
			return c.deflate.begin(n)
		}
		c.out.mu.Unlock()
		o.flush()
		c.sendOutput(o.ctx)
	}
}

// compressFragment compresses a piece of a streamed message; z is nil for the first. While a message is streamed, everything else waits
// behind it, and is not compressed if it would have to be remembered: see mayCompress.
func (o *outgoing) compressFragment(z *compressor, plain []byte, fin bool) (*compressor, []byte) {
	c := o.c
	if z == nil {
		n := len(plain)
		if !fin {
			n = unknownSize
		}
		z = o.compressTurn(n)
	} else {
		c.out.mu.Lock()
	}
	c.deflate.remember(plain)
	c.out.mu.Unlock()
	if fin {
		return z, z.finish(plain)
	}
	return z, z.flush(plain)
}

// mayCompress reports whether a message of n bytes that is being accepted now may be compressed. The output must be locked.
func (c *Conn) mayCompress(n int) bool {
	return c.deflate.wants(n) && !(c.out.streaming && c.deflate.takeover)
}

// sharedForm is what of p the connection is to be sent: the reserved bits of its header, the frame as a server sends it, and the payload. The
// output must be locked.
func (c *Conn) sharedForm(p *Prepared) (rsv byte, frame, payload []byte) {
	if c.mayCompress(len(p.payload)) {
		if f := p.deflate.deflateShared(c.deflate, p.kind, p.payload); f != nil {
			c.deflate.rememberShared(p.payload)
			return bitRSV1, f.frame, f.body
		}
	}
	return 0, p.frame, p.payload
}

// copyMessage is copyFrame for a whole message, compressed if it is to be. The output must be locked.
func (c *Conn) copyMessage(list *pieces, t MessageType, plain []byte) int64 {
	h := header{fin: true, opcode: opcode(t)}
	if !c.mayCompress(len(plain)) {
		return c.copyFrame(list, h, plain)
	}
	z := c.deflate.begin(len(plain))
	defer z.giveBack()
	c.deflate.remember(plain)
	h.rsv = bitRSV1
	return c.copyFrame(list, h, z.finish(plain))
}

// sharedFrame is a compressed message as a server sends it to many.
type sharedFrame struct {
	frame []byte
	body  []byte // its payload
}

// sharedFrames are the forms of one message for different windows, each made when first needed.
type sharedFrames struct {
	mu    sync.Mutex
	forms map[int]*sharedFrame
}

// deflateShared returns the message compressed by itself, so that every connection with d's window can be sent it. The window
// matters only for messages that are longer than it. nil if compression does not make it smaller.
func (s *sharedFrames) deflateShared(d *deflation, t MessageType, plain []byte) *sharedFrame {
	bits := d.bits
	if len(plain) <= d.window() {
		bits = maxWindowBits
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.forms[bits]
	if !ok {
		z := borrowCompressor(d.level, bits, len(plain), nil)
		if body := z.finish(plain); len(body) < len(plain) {
			frame := appendFrame(nil, header{fin: true, rsv: bitRSV1, opcode: opcode(t)}, body)
			f = &sharedFrame{frame: frame, body: frame[len(frame)-len(body):]}
		}
		z.giveBack()
		if s.forms == nil {
			s.forms = make(map[int]*sharedFrame, 1)
		}
		s.forms[bits] = f
	}
	return f
}
