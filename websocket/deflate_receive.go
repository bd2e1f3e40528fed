package websocket

import (
	"math"
	"sync"
)

// bitRSV1 marks the first frame of a compressed message (RFC 7692, section 6).
const bitRSV1 = 0x40

// inflaters are borrowed while a message is being received; one pool for each size of window.
var inflaters [maxWindowBits + 1]sync.Pool

// inflation is the receiving half of permessage-deflate on one connection.
type inflation struct {
	deflateDirection
	kept     []byte    // with takeover: the end of the messages so far, at most one window
	z        *inflater // while a compressed message is being received, and until its last piece was looked at
	spent    bool      // z is only still there since its last output is in use
	inflated int64     // bytes the message was decompressed to so far
	clear    int       // bytes at the beginning of the unread input that were unmasked and not yet taken
}

// begin is called for the first frame of a compressed message.
func (f *inflation) begin() {
	f.release()
	f.z, _ = inflaters[f.bits].Get().(*inflater)
	if f.z == nil {
		f.z = &inflater{}
	}
	f.z.reset(f.bits, f.kept)
	f.inflated = 0
}

// end is called when the message is complete. The inflater stays until its output was used.
func (f *inflation) end() {
	if f.takeover {
		f.kept = appendWindow(f.kept[:0], f.z.history(), f.window())
	}
	f.spent = true
}

// release gives the inflater of a complete message back.
func (f *inflation) release() {
	if f.spent {
		inflaters[f.bits].Put(f.z)
		f.z, f.spent = nil, false
	}
}

// compressedLimit is how many bytes a compressed message may have on the wire, so that one of limit bytes comes through however badly it
// was compressed. The limit itself is for what it becomes.
func compressedLimit(limit int64) int64 {
	if limit > math.MaxInt64/2 {
		return math.MaxInt64
	}
	return limit + limit/4 + 1024
}

// readCompressed is readData for a compressed message.
func (m *machine) readCompressed(p []byte, ev *event) (n int) {
	f := m.inflate
	if int64(len(p)) > m.left {
		p = p[:m.left]
	}
	if m.h.masked && len(p) > f.clear {
		m.maskPos = uint8(mask(p[f.clear:], m.h.key, int(m.maskPos)))
	}
	out, used, full, err := f.z.inflate(p)
	m.left -= int64(used)
	f.clear = len(p) - used
	ended := err == nil && !full && m.left == 0
	if ended && m.h.fin && !f.z.atEnd() {
		err = errDeflate
	}
	if err != nil {
		m.failure = &ProtocolError{
			Code: StatusInvalidPayload, Section: "RFC 7692, section 7.2.2",
			Text: "a compressed message cannot be decompressed: " + err.Error(),
		}
	}
	if room := m.readLimit - f.inflated; int64(len(out)) > room {
		out = out[:room]
		m.failure = tooBig("a message has more than %d bytes when decompressed, which is ReadLimit", m.readLimit)
	}
	f.inflated += int64(len(out))
	if m.message == opText {
		if bad := m.text.check(out); bad >= 0 {
			out = out[:bad]
			m.failure = &ProtocolError{Code: StatusInvalidPayload, Section: "8.1", Text: "a text message is not UTF-8"}
		}
	}
	if len(out) == 0 {
		if m.failure != nil {
			m.fail(ev, m.failure)
			return used
		}
		if !ended {
			return used
		}
	}
	m.piece(ev, out)
	if ended && m.failure == nil {
		m.inFrame = false
		if m.h.fin {
			m.endMessage(ev)
			f.end()
		}
	}
	return used
}

// appendWindow appends the last n bytes of p to dst. A slice that must grow is made no bigger than n.
func appendWindow(dst, p []byte, n int) []byte {
	p = p[max(0, len(p)-n):]
	if need := len(dst) + len(p); need > cap(dst) {
		size := 64
		for size < need {
			size *= 2
		}
		dst = append(make([]byte, 0, min(size, n)), dst...)
	}
	return append(dst, p...)
}
