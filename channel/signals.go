package channel

import "encoding/json"

// The signals that a hub itself sends.
const (
	SignalHere  = "here"  // from System: who is there, {"here":[{"id","name"}…],"count":12}
	SignalJoin  = "join"  // from who came
	SignalLeave = "leave" // from who left
)

// pushSignal keeps sig for the stream until it calls Next. When too many wait the oldest is dropped; if that told
// who came or left, the reader will get a fresh here.
func (r *Reader) pushSignal(s *subscription, sig Signal) {
	if r.options.Mode != Stream {
		return
	}
	r.mu.Lock()
	if s.live {
		if len(r.signals) >= r.hub.options.SignalQueue {
			r.forgetSignal(r.signals[0])
			copy(r.signals, r.signals[1:])
			r.signals = r.signals[:len(r.signals)-1]
		}
		r.signals = append(r.signals, sig)
	}
	r.mu.Unlock()
	r.notify()
}

func (r *Reader) forgetSignal(sig Signal) {
	if sig.Type != SignalJoin && sig.Type != SignalLeave {
		return
	}
	if i := r.find(sig.Channel); i >= 0 {
		r.subs[i].hereDue, r.hereSent = true, false
	}
}

func (r *Reader) refreshHere(s *subscription) {
	if r.options.Mode != Stream {
		return
	}
	r.mu.Lock()
	s.hereDue, r.hereSent = true, false
	r.mu.Unlock()
	r.notify()
}

// isHereDue reports whether a here signal is to be sent.
func (r *Reader) isHereDue() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.hereSent
}

// takeSignals returns the here signals that are due, and then what waits. The list is made last: whatever comes or leaves from
// then on is signalled later, and hearing again what is in the list already does no harm.
func (r *Reader) takeSignals() []Signal {
	r.mu.Lock()
	waiting := r.signals
	r.signals = nil
	var due []Name
	if !r.hereSent {
		r.hereSent = true
		for _, s := range r.subs {
			if s.hereDue {
				s.hereDue = false
				due = append(due, s.name)
			}
		}
	}
	r.mu.Unlock()
	if len(due) == 0 {
		return waiting
	}
	signals := make([]Signal, 0, len(due)+len(waiting))
	for _, name := range due {
		people, count := r.hub.presence.Here(name, r.hub.options.HereLimit)
		signals = append(signals, hereSignal(name, people, count))
	}
	return append(signals, waiting...)
}

func hereSignal(name Name, people []Sender, count int) Signal {
	data, _ := json.Marshal(struct { // cannot fail: strings and a number
		Here  []Sender `json:"here"`
		Count int      `json:"count"`
	}{people, count})
	return Signal{Channel: name, Type: SignalHere, From: System, Data: data}
}
