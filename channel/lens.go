package channel

// Lens rewrites a message for one viewer: it hides, for example, the counts of a vote from those who may not see them
// yet. Nil shows messages as they are. A lens is called by whoever reads, for every message, and must be safe for
// concurrent use if readers share it; it must replace Data, never write into it. What it returns does not share the
// encoding made for everybody else.
type Lens func(Message) Message

func (l Lens) over(ms []Message) []Message {
	if l == nil || len(ms) == 0 {
		return ms
	}
	seen := make([]Message, len(ms))
	for i, m := range ms {
		seen[i] = l(m)
		seen[i].json = nil
	}
	return seen
}
