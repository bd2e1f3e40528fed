package channel

import (
	"encoding/json"
	"slices"
	"strconv"

	"parley/internal/plain"
)

// messageOverhead is about what a message costs beside its data.
const messageOverhead = 192

// size is about what the message takes, in memory or on the wire, in bytes.
func (m *Message) size() int { return len(m.Data) + messageOverhead }

// encode makes the encoding that all readers share; Data becomes a part of it.
func (m *Message) encode() {
	m.json = m.AppendJSON(make([]byte, 0, len(m.Data)+messageOverhead))
	end := len(m.json) - 1
	m.Data = slices.Clip(json.RawMessage(m.json[end-len(m.Data) : end]))
}

// AppendJSON appends the message as JSON, as docs/protocol.md has it.
func (m *Message) AppendJSON(dst []byte) []byte {
	if m.json != nil {
		return append(dst, m.json...)
	}
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendUint(dst, m.Seq, 10)
	dst = append(dst, `,"id":`...)
	dst = plain.AppendString(dst, m.ID)
	dst = append(dst, `,"type":`...)
	dst = plain.AppendString(dst, m.Type)
	dst = append(dst, `,"from":`...)
	dst = appendSender(dst, m.From)
	dst = append(dst, `,"at":"`...)
	dst = m.At.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `","data":`...)
	dst = appendData(dst, m.Data)
	return append(dst, '}')
}

// AppendJSON appends the batch, or its gap, as JSON, as docs/protocol.md has it.
func (b *Batch) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"channel":`...)
	dst = plain.AppendString(dst, string(b.Channel))
	if b.Gap != nil {
		dst = append(dst, `,"gap":`...)
		dst = b.Gap.appendJSON(dst)
		return append(dst, '}')
	}
	dst = append(dst, `,"from":"`...)
	dst = b.From.AppendText(dst)
	dst = append(dst, `","to":"`...)
	dst = b.To.AppendText(dst)
	dst = append(dst, `","messages":[`...)
	for i := range b.Messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = b.Messages[i].AppendJSON(dst)
	}
	dst = append(dst, ']')
	if b.More {
		dst = append(dst, `,"more":true`...)
	}
	return append(dst, '}')
}

func (g *Gap) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"from":"`...)
	dst = g.From.AppendText(dst)
	dst = append(dst, `","reason":`...)
	dst = plain.AppendString(dst, string(g.Reason))
	if g.Reason != Deleted {
		dst = append(dst, `,"resume":"`...)
		dst = g.Resume.AppendText(dst)
		dst = append(dst, '"')
	}
	dst = append(dst, `,"tail":"`...)
	dst = g.Tail.AppendText(dst)
	return append(dst, `"}`...)
}

// AppendJSON appends the signal as JSON, as docs/protocol.md has it.
func (s *Signal) AppendJSON(dst []byte) []byte {
	if s.json != nil {
		return append(dst, s.json...)
	}
	dst = append(dst, `{"channel":`...)
	dst = plain.AppendString(dst, string(s.Channel))
	dst = append(dst, `,"signal":{"type":`...)
	dst = plain.AppendString(dst, s.Type)
	dst = append(dst, `,"from":`...)
	dst = appendSender(dst, s.From)
	dst = append(dst, `,"data":`...)
	dst = appendData(dst, s.Data)
	return append(dst, `}}`...)
}

// MarshalJSON is AppendJSON for encoding/json, which escapes HTML characters inside Data besides.
func (m Message) MarshalJSON() ([]byte, error) { return m.AppendJSON(nil), nil }

// MarshalJSON is AppendJSON for encoding/json.
func (b Batch) MarshalJSON() ([]byte, error) { return b.AppendJSON(nil), nil }

// MarshalJSON is AppendJSON for encoding/json.
func (s Signal) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil), nil }

func appendSender(dst []byte, s Sender) []byte {
	dst = append(dst, `{"id":`...)
	dst = plain.AppendString(dst, s.ID)
	dst = append(dst, `,"name":`...)
	dst = plain.AppendString(dst, s.Name)
	return append(dst, '}')
}

func appendData(dst []byte, data json.RawMessage) []byte {
	if len(data) == 0 {
		return append(dst, `null`...)
	}
	return append(dst, data...)
}
