package channel

import (
	"slices"
	"time"
)

// window is the newest messages of a channel, without holes and up to its tail. It is immutable: add and the like
// return another one, which may share the array. So readers look at it without a lock, and the batches they
// take out are parts of that array.
type window struct {
	limits  windowLimits
	known   bool // whether tail is; an unknown window is empty
	tail    Position
	bytes   int
	dropped int // messages cut off the front, which the array still keeps alive

	// messages end at tail. Of a conflated kind they are marks only, to verify positions by; newest is the one that
	// readers get.
	messages []Message
	newest   []Message
}

type windowLimits struct {
	messages, bytes int
	policy          Policy
}

// forget returns the window of which nothing is known.
func (w window) forget() window { return window{limits: w.limits} }

// at is the window of a channel whose tail is known, and nothing else.
func (w window) at(tail Position) window { return window{limits: w.limits, known: true, tail: tail} }

// add returns the window with m as its newest message, encoded. Where m does not continue the tail (messages were not
// heard of, or the log lost its end and grew another), what is before it is forgotten and readers ask the log.
func (w window) add(m Message) window {
	if mark, ok := w.mark(m.Seq); ok && mark == m.Mark {
		return w // it was read from the log before it was announced
	}
	if !w.known || m.Before() != w.tail {
		w = w.forget()
	}
	if m.Amend != nil {
		w = w.amend(*m.Amend)
		m.Amend = nil
	}
	m.encode()
	if w.limits.policy.Conflate {
		w.newest = []Message{m}
		m = Message{Seq: m.Seq, Mark: m.Mark, Prev: m.Prev}
	}
	w.known, w.tail = true, m.Position()
	w.messages = append(w.messages, m)
	w.bytes += m.size()
	return w.trim()
}

// amend replaces the data of messages, in a new array: the old one may be in a reader's hands.
func (w window) amend(a Amendment) window {
	if w.limits.policy.Conflate || len(w.messages) == 0 {
		return w // only the newest is shown, and that is never an amended one
	}
	first, cloned := w.messages[0].Seq, false
	for _, seq := range append(slices.Clip(a.Also), a.Seq) {
		if seq < first || seq > w.tail.Seq {
			continue
		}
		if !cloned {
			w.messages, w.dropped, cloned = slices.Clone(w.messages), 0, true
		}
		m := &w.messages[seq-first]
		w.bytes -= m.size()
		m.Data, m.json = a.Data, nil
		m.encode()
		w.bytes += m.size()
	}
	return w
}

// trim drops the oldest messages down to the limits, and the array when more than half of it is dropped ones.
func (w window) trim() window {
	for len(w.messages) > 1 && (len(w.messages) > w.limits.messages || w.bytes > w.limits.bytes) {
		w.bytes -= w.messages[0].size()
		w.messages = w.messages[1:]
		w.dropped++
	}
	if w.dropped > len(w.messages) {
		w.messages, w.dropped = slices.Clone(w.messages), 0
	}
	return w
}

// mark returns the mark of the message at seq, if the window knows it.
func (w *window) mark(seq uint64) (Mark, bool) {
	if !w.known || seq > w.tail.Seq {
		return 0, false
	}
	first := w.base()
	switch {
	case seq < first.Seq:
		return 0, false
	case seq == first.Seq:
		return first.Mark, true
	}
	return w.messages[seq-first.Seq-1].Mark, true
}

// base is the position of a reader who needs exactly the messages of the window.
func (w *window) base() Position {
	if len(w.messages) == 0 {
		return w.tail
	}
	return w.messages[0].Before()
}

// after is Log.Read from memory. It answers only what it can vouch for: a position whose mark disagrees, or that it does
// not know, is for the log to judge.
func (w *window) after(name Name, p Position, limit, maxBytes int) (Batch, bool) {
	mark, ok := w.mark(p.Seq)
	if !ok || p.Mark != 0 && p.Mark != mark {
		return Batch{}, false
	}
	b := Batch{Channel: name, From: Position{p.Seq, mark}, To: w.tail}
	if p.Seq == w.tail.Seq {
		return b, true
	}
	if w.limits.policy.Conflate {
		b.Messages = w.newest
	} else {
		b.Messages = w.messages[p.Seq-w.base().Seq:]
		if n := fit(b.Messages, limit, maxBytes); n < len(b.Messages) {
			b.Messages = b.Messages[:n]
			b.To, b.More = b.Messages[n-1].Position(), true
		}
		b.Messages = slices.Clip(b.Messages)
	}
	if age := w.limits.policy.KeepAge; age > 0 && time.Since(b.Messages[0].At) > age {
		return Batch{}, false // it may be gone
	}
	return b, true
}

// fit is how many of ms a batch takes: at least one.
func fit(ms []Message, limit, maxBytes int) int {
	n := 0
	for size := 0; n < len(ms) && n < limit; n++ {
		if size += ms[n].size(); size > maxBytes && n > 0 {
			break
		}
	}
	return n
}
