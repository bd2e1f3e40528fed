package channel

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Presence knows who reads which channel: on this node, and where the log is one of many nodes ([Presences]) on all of
// them. Somebody with several readers is there once, and stays for a grace after the last one ends, so that a change of
// page, transport or network is not a coming and going. Its methods may be called concurrently.
type Presence struct {
	hub    *Hub
	all    Presences     // nil: this node is all there is
	period time.Duration // between sweeps

	mu       sync.Mutex
	channels map[Name]*place       // those with people
	leaving  map[*visitor]struct{} // without a reader
	timer    *time.Timer           // the one timer: nil when nobody is leaving
	closed   bool
}

// Presences is what a Log of many nodes is besides: it knows who is on any of them. What a hub would signal for its own
// node, the engine then hands to every node's sink: join and leave from the person, once wherever and however often they
// are; and here, from System, where streams shall get the list anew.
type Presences interface {
	// Attend is called once, after Follow. The comings and goings of more than crowd people in a channel are not
	// signalled; that they are so few again is, with here.
	Attend(crowd int)

	// Arrived says that person reads a channel on this node, or does so under a new name; Departed, that they do no more.
	// They do not block.
	Arrived(name Name, person Sender)
	Departed(name Name, person Sender)

	// Here returns at most limit of the people in a channel on all nodes, in any order, and how many there are; those
	// whose Arrived was called before are among them.
	Here(ctx context.Context, name Name, limit int) (people []Sender, count int, err error)
}

// hereLookUp is how long Here may ask the other nodes before it says who is on this one.
const hereLookUp = time.Second

// place is a channel in which somebody is.
type place struct {
	name   Name
	people map[string]*visitor // by id
}

// visitor is a person in a channel.
type visitor struct {
	place   *place
	person  Sender
	readers int
	until   time.Time // when they are gone, if no reader comes before
}

func newPresence(h *Hub) *Presence {
	return &Presence{
		hub:      h,
		period:   min(time.Second, h.options.StreamGrace/10, h.options.PollGrace/10),
		channels: map[Name]*place{},
		leaving:  map[*visitor]struct{}{},
	}
}

// Here returns at most limit of the people who are in a channel, by name, and how many there are. While the other nodes
// cannot be asked it knows of this one alone, and may take a second.
func (p *Presence) Here(name Name, limit int) (people []Sender, count int) {
	people, count = p.here(name, limit)
	slices.SortFunc(people, func(a, b Sender) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return people, count
}

func (p *Presence) here(name Name, limit int) (people []Sender, count int) {
	if p.all != nil {
		ctx, cancel := context.WithTimeout(context.Background(), hereLookUp)
		defer cancel()
		if people, count, err := p.all.Here(ctx, name, limit); err == nil {
			return people, count
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.people(name)
	people = make([]Sender, 0, min(max(limit, 0), len(there)))
	for _, v := range there {
		if len(people) == cap(people) {
			break
		}
		people = append(people, v.person)
	}
	return people, len(there)
}

// people are those in a channel, by id. p.mu must be held.
func (p *Presence) people(name Name) map[string]*visitor {
	if there := p.channels[name]; there != nil {
		return there.people
	}
	return nil
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
		there = &place{name, map[string]*visitor{}}
		p.channels[name] = there
	}
	v := there.people[person.ID]
	if v == nil {
		v = &visitor{place: there}
		there.people[person.ID] = v
	}
	v.readers++
	delete(p.leaving, v)
	if v.person != person { // new, or renamed
		v.person = person
		switch {
		case p.all != nil:
			p.all.Arrived(name, person)
		case len(there.people) <= p.hub.options.HereLimit:
			p.signal(v, SignalJoin)
		}
	}
}

// Visit is a reader that polled, and left: whoever was there stays for a grace.
func (p *Presence) Visit(name Name, person Sender) {
	grace := p.hub.options.PollGrace
	p.mu.Lock()
	v := p.people(name)[person.ID]
	again := v != nil && v.person == person
	if again {
		v.until = later(v.until, time.Now().Add(grace))
	}
	p.mu.Unlock()
	if !again {
		p.arrive(name, person)
		p.depart(name, person, grace)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// depart counts one reader less; the last one's person is gone after the grace, if none of their earlier ones lasts longer.
func (p *Presence) depart(name Name, person Sender, grace time.Duration) {
	if person.ID == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.people(name)[person.ID]
	v.readers--
	v.until = later(v.until, time.Now().Add(grace))
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
	there := v.place
	delete(there.people, v.person.ID)
	if len(there.people) == 0 {
		delete(p.channels, there.name)
	}
	// In a crowd everybody's coming told to everybody would be quadratic, and the list is cut anyway. When it has
	// shrunk to a list again, all get that.
	switch crowd := p.hub.options.HereLimit; {
	case p.all != nil:
		p.all.Departed(there.name, v.person)
	case len(there.people) < crowd:
		p.signal(v, SignalLeave)
	case len(there.people) == crowd:
		if f := p.hub.feed(there.name); f != nil {
			f.refreshHere()
		}
	}
}

// signal tells the streams of this node. It is called with p.mu held, so that comings and goings keep their order.
func (p *Presence) signal(v *visitor, typ string) {
	p.hub.Signalled(Signal{Channel: v.place.name, Type: typ, From: v.person, Data: []byte("{}")})
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
