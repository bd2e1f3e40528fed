package redis

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/channel"
)

// Who reads what on all nodes: see lua/presence_tell.lua.
func (k keys) people(name channel.Name) string { return k.in(partitionOf(name), "p:"+string(name)) }
func (k keys) telling(partition int) string    { return k.in(partition, "pn") }
func (k keys) leases() string                  { return k.in(facts, "leases") }
func (k keys) toldBy(partition int, lease string) string {
	return k.in(partition, "pp:"+lease)
}

var tellScript = newScript(frees, "presence_tell")

var _ channel.Presences = (*Engine)(nil)

// attendance is who is on this node, and has all nodes know it. What is untold waits as a set and not as a queue: what is so now is
// told, however often it changed. So it is bounded by the people; an outage delays it; and telling twice does no harm.
type attendance struct {
	e     *Engine
	crowd int
	rolls rolls
	wake  chan struct{}

	renewed, since time.Time // when the lease was renewed last, and since when without a pause: for keepLease alone

	mu     sync.Mutex
	lease  string                             // the name under which the node tells; "": it has none yet
	here   map[channel.Name]map[string]string // names, by the person's id
	untold map[visit]struct{}
	pages  [Partitions]page
	broken bool          // Redis could not be told
	turned chan struct{} // closed when broken or a page's told changes
}

// visit is a person in a channel.
type visit struct {
	name   channel.Name
	person string
}

// parseVisit reads a visit as toldBy has it.
func parseVisit(text string) visit {
	name, person, _ := strings.Cut(text, " ")
	return visit{channel.Name(name), person}
}

// page is how far Redis knows a partition's comings and goings: their number, and how many of them it has been told.
type page struct{ changes, told uint64 }

func newAttendance(e *Engine) *attendance {
	return &attendance{
		e: e, rolls: rolls{e: e, of: map[channel.Name]*roll{}}, wake: make(chan struct{}, 1),
		here: map[channel.Name]map[string]string{}, untold: map[visit]struct{}{}, turned: make(chan struct{}),
	}
}

// Attend implements channel.Presences.
func (e *Engine) Attend(crowd int) {
	a := e.here
	a.crowd = crowd
	e.work.Go(a.keepTelling)
	e.work.Go(a.keepLease)
}

// Arrived implements channel.Presences.
func (e *Engine) Arrived(name channel.Name, person channel.Sender) {
	a := e.here
	a.mu.Lock()
	defer a.mu.Unlock()
	there := a.here[name]
	if there == nil {
		there = map[string]string{}
		a.here[name] = there
	}
	there[person.ID] = person.Name
	a.tell(visit{name, person.ID})
}

// Departed implements channel.Presences.
func (e *Engine) Departed(name channel.Name, person channel.Sender) {
	a := e.here
	a.mu.Lock()
	defer a.mu.Unlock()
	there := a.here[name]
	if delete(there, person.ID); len(there) == 0 {
		delete(a.here, name)
	}
	a.tell(visit{name, person.ID})
}

// tell has a visit told. It is called with mu held.
func (a *attendance) tell(v visit) {
	a.untold[v] = struct{}{}
	a.pages[partitionOf(v.name)].changes++
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// turn lets those look again who wait for something of a to change. It is called with mu held.
func (a *attendance) turn() {
	close(a.turned)
	a.turned = make(chan struct{})
}

const (
	tellVisits              = 256 // in one script
	firstRetell, lastRetell = 50 * time.Millisecond, 2 * time.Second
)

// keepTelling tells Redis what is untold, until the engine closes.
func (a *attendance) keepTelling() {
	wait := firstRetell
	for {
		select {
		case <-a.e.ctx.Done():
			return
		case <-a.wake:
		}
		err := a.tellAll()
		a.mu.Lock()
		if broken := err != nil; broken != a.broken {
			a.broken = broken
			a.turn()
		}
		a.mu.Unlock()
		if err == nil {
			wait = firstRetell
			continue
		}
		a.e.o.Logger.Debug("who is here could not be told to the other nodes; trying again", "error", err)
		sleep(a.e.ctx, wait)
		wait = min(2*wait, lastRetell)
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// tellAll tells Redis what is untold when it begins, the partitions at once.
func (a *attendance) tellAll() error {
	a.mu.Lock()
	if a.lease == "" {
		a.mu.Unlock()
		return nil // to have one wakes us
	}
	lease, pages := a.lease, a.pages
	var visits [Partitions][]visit
	for v := range a.untold {
		p := partitionOf(v.name)
		visits[p] = append(visits[p], v)
	}
	clear(a.untold)
	a.mu.Unlock()
	var errs [Partitions]error
	var told sync.WaitGroup
	for p, some := range visits {
		if len(some) > 0 {
			told.Go(func() { errs[p] = a.tellPartition(p, lease, some, pages[p].changes) })
		}
	}
	told.Wait()
	return cmp.Or(errs[:]...)
}

// tellPartition tells what is so now about visits of one partition. If that fails they are untold again.
func (a *attendance) tellPartition(partition int, lease string, visits []visit, changes uint64) error {
	for left := visits; len(left) > 0; {
		some := left[:min(tellVisits, len(left))]
		err := a.tellIn(a.e.ctx, partition, lease, some, func(v visit) (name string, here bool) {
			name, here = a.here[v.name][v.person]
			return name, here
		})
		if err != nil {
			a.mu.Lock()
			defer a.mu.Unlock()
			for _, v := range left {
				a.untold[v] = struct{}{}
			}
			return err
		}
		left = left[len(some):]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pages[partition].told = changes
	a.turn()
	return nil
}

// tellIn tells, in the name of a lease, which people of visits are there and what they are called, as is says when it is asked with mu held.
func (a *attendance) tellIn(ctx context.Context, partition int, lease string, visits []visit, is func(visit) (name string, here bool)) error {
	c := a.e.newCall(tellScript, partition)
	c.key(a.e.keys.telling(partition), a.e.keys.toldBy(partition, lease))
	c.arg(lease, strconv.Itoa(a.crowd))
	c.int(int64(len(visits)))
	a.mu.Lock()
	for _, v := range visits {
		name, here := is(v)
		c.key(a.e.keys.people(v.name))
		c.arg(string(v.name), v.person, flag(here), name)
	}
	a.mu.Unlock()
	_, err := c.run(ctx)
	for _, v := range visits {
		a.rolls.forget(v.name)
	}
	return err
}

// settled returns when Redis knows what is so now in a partition, or err where it cannot be told.
func (a *attendance) settled(ctx context.Context, partition int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for upTo := a.pages[partition].changes; a.pages[partition].told < upTo; {
		if a.broken {
			return errUntold
		}
		turned := a.turned
		a.mu.Unlock()
		select {
		case <-turned:
		case <-ctx.Done():
		}
		a.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
