package websocket

import "bytes"

// Prepared is a message that is encoded once and sent to any number of connections with [Conn.Send]. It never changes; any number of
// goroutines may use it at once.
type Prepared struct {
	kind    MessageType
	payload []byte
	frame   []byte // as a server sends it, uncompressed
	deflate sharedFrames
	err     error
}

// Prepare encodes a message to be sent to many. data is copied. A message that may not be sent, such as text that is not UTF-8, is
// refused by every Send; Err tells beforehand.
func Prepare(typ MessageType, data []byte) *Prepared {
	if err := checkMessage(typ, data); err != nil {
		return &Prepared{err: err}
	}
	h := header{fin: true, opcode: opcode(typ)}
	frame := appendFrame(make([]byte, 0, maxHeader+len(data)), h, data)
	frame = bytes.Clone(frame) // without the room that was left for a longer header
	return &Prepared{kind: typ, payload: frame[len(frame)-len(data):], frame: frame}
}

// Err returns why the message cannot be sent, nil if it can: [ErrInvalidUTF8] or [ErrMessageType].
func (p *Prepared) Err() error { return p.err }

// Type returns the message's type.
func (p *Prepared) Type() MessageType { return p.kind }

// Len returns the bytes of the message.
func (p *Prepared) Len() int { return len(p.payload) }
