package websocket

import "fmt"

// machine is the receiving half of the protocol, without I/O: bytes go in, in pieces of any size, and events come out.
// However the same bytes are cut, the events are the same (data pieces of one message joined). It allocates nothing but, once,
// room for a control frame that comes in pieces: limits are checked when a header is known, and payload is handed on as a part of the input, unmasked in place.
type machine struct {
	readLimit  int64 // payload bytes of one message
	frameLimit int64 // payload bytes of one data frame
	fromClient bool  // the peer is a client, so its frames must be masked (RFC 6455, section 5.1)
	rsv        byte  // reserved bits that negotiated extensions gave a meaning (section 5.2)

	// The frame being received.
	head    [maxHeader]byte // its header, while that is incomplete
	nhead   uint8
	ncontr  uint8
	maskPos uint8
	inFrame bool // the header is complete, the payload not
	h       header
	left    int64             // payload bytes still to come
	control *[maxControl]byte // payload of a control frame that came in pieces: ncontr bytes so far

	// The message being received, across frames.
	message    opcode // opText or opBinary; opContinuation while there is none
	begun      bool   // its first piece was handed on
	compressed bool   // it is, and inflate decompresses it
	over       bool   // after a Close frame or a failure nothing is looked at any more
	text       utf8Checker
	pauses     uint32 // how many times the input ended behind something, so that waits for one thing can be told from those for the next
	size       int64  // payload bytes its frames announced so far

	inflate *inflation     // nil unless compression was negotiated
	failure *ProtocolError // to be reported by the next call
}

type eventKind byte

const (
	eventNone  eventKind = iota // all input is consumed; more is needed
	eventData                   // a piece of a message
	eventPing                   // payload: what the pong must carry
	eventPong                   // payload: that of the ping it answers
	eventClose                  // the peer's Close frame; the last event
	eventFail                   // the peer broke a rule; the last event
)

type event struct {
	kind    eventKind
	message opcode // of eventData: opText or opBinary
	first   bool   // of eventData: the message begins
	last    bool   // of eventData: the message is complete
	payload []byte // valid until the next call, or while the input is
	end     *ending
}

// ending is what a last event says.
type ending struct {
	code    StatusCode // of eventClose
	reason  string
	failure *ProtocolError // of eventFail
}

// violation is a breach of a rule of the given section that has no code of its own.
func violation(section, text string) *ProtocolError {
	return &ProtocolError{Code: StatusProtocolError, Section: section, Text: text}
}

// next consumes n bytes of p and returns the next event. Call it with what is left of p, even if that is nothing, until it returns eventNone.
func (m *machine) next(p []byte) (ev event, n int) {
	n = m.advance(p, &ev)
	return ev, n
}

// advance is next with room for the event, of which it sets what the kind of event has. (Results of this size are copied from one function to
// the next, which took longer than all the rest.)
func (m *machine) advance(p []byte, ev *event) (n int) {
	ev.kind = eventNone
	if m.over {
		return len(p)
	}
	if m.failure != nil {
		m.fail(ev, m.failure)
		return 0
	}
	if m.inflate != nil {
		m.inflate.release()
	}
	if !m.inFrame {
		var err *ProtocolError
		if n, err = m.readHeader(p); err != nil {
			m.fail(ev, err)
			return n
		}
		if !m.inFrame {
			return n
		}
	}
	if m.h.opcode.isControl() {
		return n + m.readControl(p[n:], ev)
	}
	return n + m.readData(p[n:], ev)
}

// idle reports whether the input ends between messages: nothing has begun that is not finished.
func (m *machine) idle() bool {
	return m.nhead == 0 && !m.inFrame && m.message == opContinuation
}

func (m *machine) fail(ev *event, err *ProtocolError) {
	m.over = true
	ev.kind, ev.end = eventFail, &ending{failure: err}
}

// readHeader consumes a header, or the part of it that p has, and judges it. Bad first bytes are refused without
// waiting for the rest.
func (m *machine) readHeader(p []byte) (int, *ProtocolError) {
	had := int(m.nhead)
	b := p
	if had > 0 {
		b = m.head[:had+copy(m.head[had:], p)]
	}
	size := 2
	if len(b) >= 2 {
		if err := m.checkStart(b[0], b[1]); err != nil {
			return max(0, 2-had), err
		}
		size = headerSize(b[1])
	}
	if len(b) < size {
		m.nhead += uint8(copy(m.head[had:], p))
		return len(p), nil
	}
	err := m.h.parse(b[:size])
	if err == nil {
		err = m.begin()
	}
	m.nhead = 0
	return size - had, err
}

// checkStart judges what the first two bytes of a header say.
func (m *machine) checkStart(first, second byte) *ProtocolError {
	op := opcode(first & 0x0F)
	fin := first&bitFIN != 0
	switch {
	case first&bitsRSV&^m.rsv != 0 || (first&bitsRSV != 0 && (op.isControl() || op == opContinuation)):
		return violation("5.2", "a reserved bit is set that no negotiated extension uses")
	case !op.isDefined():
		return violation("5.2", "the opcode is reserved")
	case m.fromClient && second&bitMASK == 0:
		return violation("5.1", "a client's frame is not masked")
	case !m.fromClient && second&bitMASK != 0:
		return violation("5.1", "a server's frame is masked")
	case op.isControl() && !fin:
		return violation("5.5", "a control frame is fragmented")
	case op.isControl() && second&^bitMASK > maxControl:
		return violation("5.5", "a control frame has more than 125 bytes")
	case op == opContinuation && m.message == opContinuation:
		return violation("5.4", "a continuation frame continues no message")
	case !op.isControl() && op != opContinuation && m.message != opContinuation:
		return violation("5.4", "a new message begins before the last one ended")
	}
	return nil
}

// begin enters the frame whose header was read, if the limits allow it: they are looked at before anything could be kept for its payload.
func (m *machine) begin() *ProtocolError {
	h := &m.h
	if !h.opcode.isControl() {
		if h.opcode != opContinuation {
			m.message, m.size, m.begun, m.text = h.opcode, 0, false, utf8Checker{}
			m.compressed = h.rsv&bitRSV1 != 0
		}
		readLimit, frameLimit := m.readLimit, m.frameLimit
		if m.compressed {
			readLimit, frameLimit = compressedLimit(readLimit), compressedLimit(frameLimit)
		}
		if h.length > frameLimit {
			return tooBig("a frame has %d bytes, FrameLimit is %d", h.length, m.frameLimit)
		}
		if h.length > readLimit-m.size {
			return tooBig("a message has at least %d bytes, ReadLimit is %d", uint64(m.size)+uint64(h.length), m.readLimit)
		}
		m.size += h.length
		if m.compressed && h.opcode != opContinuation {
			m.inflate.begin()
		}
	}
	m.left, m.maskPos, m.ncontr, m.inFrame = h.length, 0, 0, true
	return nil
}

func tooBig(format string, args ...any) *ProtocolError {
	return &ProtocolError{Code: StatusMessageTooBig, Section: "10.4", Text: fmt.Sprintf(format, args...), cause: ErrMessageTooBig}
}

// take consumes what p has of the current payload, and unmasks it.
func (m *machine) take(p []byte) []byte {
	if int64(len(p)) > m.left {
		p = p[:m.left]
	}
	m.left -= int64(len(p))
	if m.h.masked {
		m.maskPos = uint8(mask(p, m.h.key, int(m.maskPos)))
	}
	return p
}

func (m *machine) readData(p []byte, ev *event) (n int) {
	if m.compressed {
		return m.readCompressed(p, ev)
	}
	p = m.take(p)
	if len(p) == 0 && m.left > 0 {
		return 0
	}
	if m.message == opText {
		if bad := m.text.check(p); bad >= 0 {
			m.failure = &ProtocolError{Code: StatusInvalidPayload, Section: "8.1", Text: "a text message is not UTF-8"}
			if bad == 0 {
				m.fail(ev, m.failure)
				return 0
			}
			m.piece(ev, p[:bad])
			return bad
		}
	}
	m.piece(ev, p)
	if m.left == 0 {
		m.inFrame = false
		if m.h.fin {
			m.endMessage(ev)
		}
	}
	return len(p)
}

// piece makes ev a piece of the message, not its last.
func (m *machine) piece(ev *event, p []byte) {
	ev.kind, ev.message, ev.first, ev.last, ev.payload = eventData, m.message, !m.begun, false, p
	m.begun = true
}

func (m *machine) endMessage(ev *event) {
	if m.message == opText && !m.text.complete() {
		m.failure = &ProtocolError{Code: StatusInvalidPayload, Section: "8.1", Text: "a text message ends within a UTF-8 character"}
		return
	}
	ev.last = true
	m.message = opContinuation
	m.pauses++
}

func (m *machine) readControl(p []byte, ev *event) (n int) {
	p = m.take(p)
	payload := p
	if m.left > 0 || m.ncontr > 0 {
		if m.control == nil {
			m.control = new([maxControl]byte)
		}
		m.ncontr += uint8(copy(m.control[m.ncontr:], p))
		payload = m.control[:m.ncontr]
	}
	if m.left > 0 {
		return len(p)
	}
	m.inFrame = false
	if m.message == opContinuation {
		m.pauses++
	}
	switch m.h.opcode {
	case opPing:
		ev.kind, ev.payload = eventPing, payload
	case opPong:
		ev.kind, ev.payload = eventPong, payload
	default:
		m.close(ev, payload)
	}
	return len(p)
}

func (m *machine) close(ev *event, payload []byte) {
	code, reason, err := parseClose(payload)
	if err != nil {
		m.fail(ev, err)
		return
	}
	m.over = true
	ev.kind, ev.end = eventClose, &ending{code: code, reason: reason}
}
