package channel

// Lens rewrites a message for one viewer: it hides, for example, the counts of a vote from those who may not see them
// yet. Nil shows messages as they are. A lens is called by whoever reads, for every message, and must be safe for
// concurrent use if readers share it; it may take its time, and must replace Data, never write into it. A message that it returns as it was shares
// the encoding made for everybody; one that it changed is encoded for this reader.
type Lens func(Message) Message

func (l Lens) over(ms []Message) []Message {
	if l == nil || len(ms) == 0 {
		return ms
	}
	seen := make([]Message, len(ms))
	for i, m := range ms {
		seen[i] = l(m)
		if seen[i].differs(&m) {
			seen[i].json = nil
		}
	}
	return seen
}

// differs reports whether m may look otherwise than before: its data is another slice, or another field changed.
func (m *Message) differs(before *Message) bool {
	return len(m.Data) != len(before.Data) || len(m.Data) > 0 && &m.Data[0] != &before.Data[0] ||
		m.Seq != before.Seq || m.ID != before.ID || m.Type != before.Type || m.From != before.From || !m.At.Equal(before.At)
}
