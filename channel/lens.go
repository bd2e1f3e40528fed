package channel

// Lens rewrites a message for one viewer: it hides, for example, the counts of a vote from those who may not see them
// yet. Nil shows messages as they are. A lens is called by whoever reads, for every message, and must be safe for
// concurrent use if readers share it. It must replace Data, never write into it. A message that it returns as it was shares
// the encoding made for everybody; one that it changed is encoded for this reader.
//
// Where wait is true it may take its time, and ok is true. Where wait is false it must not: if it would have to ask somebody what may be
// seen, ok is false, and seen means nothing.
type Lens func(m Message, wait bool) (seen Message, ok bool)

// over is what is seen of messages, which may be ms itself.
func (l Lens) over(ms []Message, wait bool) ([]Message, bool) {
	if l == nil {
		return ms, true
	}
	var seen []Message // from the first that looks otherwise
	for i := range ms {
		m, ok := l(ms[i], wait)
		if !ok && !wait {
			return nil, false
		}
		changed := m.differs(&ms[i])
		if changed {
			m.json = nil
		}
		if changed && seen == nil {
			seen = append(make([]Message, 0, len(ms)), ms[:i]...)
		}
		if seen != nil {
			seen = append(seen, m)
		}
	}
	if seen == nil {
		return ms, true
	}
	return seen, true
}

// differs reports whether m may look otherwise than before: its data is another slice, or another field changed.
func (m *Message) differs(before *Message) bool {
	return len(m.Data) != len(before.Data) || len(m.Data) > 0 && &m.Data[0] != &before.Data[0] ||
		m.Seq != before.Seq || m.ID != before.ID || m.Type != before.Type || m.From != before.From || !m.At.Equal(before.At)
}
