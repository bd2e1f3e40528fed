package transport

import "parley/channel"

// shared returns the whole answer if another poll has had the same, or nil.
func (p *parkedPoll) shared(batches []channel.Batch) []byte {
	if len(batches) != 1 || p.q.many || p.last || !p.plain {
		return nil
	}
	b := &batches[0]
	if b.Gap != nil || len(b.Messages) == 0 {
		return nil
	}
	key := answerKey{keyOf(b), p.q.waits, p.head, p.loop.unix()}
	s := &p.t.lastAnswer
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != key {
		s.of, s.tag, s.text = key, "", nil
		return nil
	}
	if s.text == nil {
		if s.tag = tagOf(&p.q, p.reader); !matches(p.listed, s.tag) {
			if s.text = p.appendAnswer(nil, batches); len(s.text) > sharedMost {
				s.of, s.text = answerKey{}, nil
			}
		}
	}
	if s.text == nil || matches(p.listed, s.tag) {
		return nil
	}
	p.brought = brought{b.To, s.tag}
	return s.text
}
