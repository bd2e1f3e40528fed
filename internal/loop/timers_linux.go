package loop

import "time"

// timers is a heap of sources by when they are to be looked at: one entry for each, for the earliest of its deadlines. Deadlines that are
// put off, as nearly all are, leave the entry where it is; it is set right when its time comes.
type timers []timerEntry

type timerEntry struct {
	when time.Duration
	s    *Source
}

// next returns when the first is due.
func (h timers) next() (time.Duration, bool) {
	if len(h) == 0 {
		return 0, false
	}
	return h[0].when, true
}

func (h timers) when(s *Source) time.Duration { return h[s.timer-1].when }

// due removes and returns one that is due, nil if there is none.
func (h *timers) due(now time.Duration) *Source {
	if when, ok := h.next(); !ok || when > now {
		return nil
	}
	s := (*h)[0].s
	h.remove(s)
	return s
}

// set makes s due at when, or never if that is 0.
func (h *timers) set(s *Source, when time.Duration) {
	h.remove(s)
	if when != 0 {
		*h = append(*h, timerEntry{when, s})
		h.up(len(*h) - 1)
	}
}

func (h *timers) remove(s *Source) {
	i := int(s.timer) - 1
	if i < 0 {
		return
	}
	s.timer = 0
	last := len(*h) - 1
	moved := (*h)[last]
	(*h)[last] = timerEntry{}
	*h = (*h)[:last]
	if i < last {
		(*h)[i] = moved
		h.up(h.down(i))
	}
}

// up and down move an entry to where it belongs and return its new place.
func (h timers) up(i int) int {
	e := h[i]
	for i > 0 && e.when < h[(i-1)/2].when {
		h.put(i, h[(i-1)/2])
		i = (i - 1) / 2
	}
	h.put(i, e)
	return i
}

func (h timers) down(i int) int {
	e := h[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].when < h[child].when {
			child++
		}
		if h[child].when >= e.when {
			break
		}
		h.put(i, h[child])
		i = child
	}
	h.put(i, e)
	return i
}

func (h timers) put(i int, e timerEntry) {
	h[i] = e
	e.s.timer = int32(i + 1)
}
