package channel

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Presence knows who reads which channel on this node. Somebody with several readers is there once, and stays for a grace
// after the last one ends, so that a change of page, transport or network is not a coming and going. Its methods may be
// called concurrently.
type Presence struct {
	hub    *Hub
	period time.Duration // between sweeps

	mu       sync.Mutex
	channels map[Name]map[string]*visitor // by the person's id
	leaving  map[*visitor]struct{}        // without a reader
	timer    *time.Timer                  // the one timer: nil when nobody is leaving
	closed   bool
}

// visitor is a person in a channel.
type visitor struct {
	channel Name
	person  Sender
	readers int
	until   time.Time // when they are gone, if no reader comes before
}

func newPresence(h *Hub) *Presence {
	return &Presence{
		hub:      h,
		period:   min(time.Second, h.options.StreamGrace/10, h.options.PollGrace/10),
		channels: map[Name]map[string]*visitor{},
		leaving:  map[*visitor]struct{}{},
	}
}

// Here returns at most limit of the people who are in a channel, by name, and how many there are.
func (p *Presence) Here(name Name, limit int) (people []Sender, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.channels[name]
	people = make([]Sender, 0, min(max(limit, 0), len(there)))
	for _, v := range there {
		if len(people) == cap(people) {
			break
		}
		people = append(people, v.person)
	}
	slices.SortFunc(people, func(a, b Sender) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return people, len(there)
}

// arrive counts one more reader of a person.
func (p *Presence) arrive(name Name, person Sender) {
	if person.ID == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.channels[name]
	if there == nil {
		there = map[string]*visitor{}
		p.channels[name] = there
	}
	v := there[person.ID]
	if v == nil {
		v = &visitor{channel: name}
		there[person.ID] = v
	}
	v.readers++
	delete(p.leaving, v)
	if v.person != person { // new, or renamed
		v.person = person
		if len(there) <= p.hub.options.HereLimit {
			p.signal(v, SignalJoin)
		}
	}
}

// depart counts one reader less; the last one's person is gone after the grace, if none of their earlier ones lasts longer.
func (p *Presence) depart(name Name, person Sender, grace time.Duration) {
	if person.ID == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.channels[name][person.ID]
	v.readers--
	if until := time.Now().Add(grace); until.After(v.until) {
		v.until = until
	}
	if v.readers > 0 || p.closed {
		return
	}
	p.leaving[v] = struct{}{}
	if p.timer == nil {
		p.timer = time.AfterFunc(p.period, p.sweep)
	}
}

// sweep removes those whose grace is over.
func (p *Presence) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	now := time.Now()
	for v := range p.leaving {
		if !now.Before(v.until) {
			p.remove(v)
		}
	}
	if p.timer = nil; len(p.leaving) > 0 {
		p.timer = time.AfterFunc(p.period, p.sweep)
	}
}

func (p *Presence) remove(v *visitor) {
	delete(p.leaving, v)
	there := p.channels[v.channel]
	delete(there, v.person.ID)
	if len(there) == 0 {
		delete(p.channels, v.channel)
	}
	// In a crowd everybody's coming told to everybody would be quadratic, and the list is cut anyway. When it has
	// shrunk to a list again, all get that.
	switch crowd := p.hub.options.HereLimit; {
	case len(there) < crowd:
		p.signal(v, SignalLeave)
	case len(there) == crowd:
		if f := p.hub.feed(v.channel); f != nil {
			f.refreshHere()
		}
	}
}

// signal tells the streams of this node. It is called with p.mu held, so that comings and goings keep their order.
func (p *Presence) signal(v *visitor, typ string) {
	p.hub.Signalled(Signal{Channel: v.channel, Type: typ, From: v.person, Data: []byte("{}")})
}

// close stops the timer; a sweep that runs has ended when it returns.
func (p *Presence) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
}
