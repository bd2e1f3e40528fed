package transport

import (
	"time"

	"parley/channel"
	"parley/internal/loop"
)

// gathering is the polls of one loop that have something to be answered with, and wait a moment longer, as messages seldom come alone. All wait
// equally long, so they are due in the order in which they came, and one timer is enough for them.
type gathering struct {
	loop.Source // without a socket: what it has is the timer
	t           *Transport
	due         []gathered
	turn        time.Duration // of the loop, in which the last one came
	by          time.Duration // when that is due

	room   [1]channel.Batch // for what a poll of this loop takes
	second int64            // the time of day, as of that
	told   time.Duration    // turn
}

// gathered is a poll, and until when it waits. If it was answered meanwhile it has another time, or none.
type gathered struct {
	*parkedPoll
	by time.Duration
}

// gatheringOf returns that of a loop.
func (t *Transport) gatheringOf(l *loop.Loop) *gathering {
	if g, ok := t.gatherings.Load(l); ok {
		return g.(*gathering)
	}
	g := &gathering{t: t}
	g.Init(l, g, -1)
	kept, _ := t.gatherings.LoadOrStore(l, g)
	return kept.(*gathering)
}

// add makes p wait, and returns until when. Those of one turn are due together.
func (g *gathering) add(p *parkedPoll) time.Duration {
	if now := g.Loop().Now(); now != g.turn || len(g.due) == 0 {
		g.turn, g.by = now, g.Loop().Time()+g.t.o.Gather
		g.RemindBy(g.by)
	}
	g.due = append(g.due, gathered{p, g.by})
	return g.by
}

// Late is called when the first is due.
func (g *gathering) Late() (next time.Duration) {
	n := 0
	for ; n < len(g.due); n++ {
		if next = g.due[n].by; next > g.Loop().Now() {
			break
		}
		g.due[n].gathered()
		next = 0
	}
	rest := copy(g.due, g.due[n:])
	clear(g.due[rest:])
	g.due = g.due[:rest]
	return next
}

// unix is the time of day in seconds, as of this turn or a little later.
func (g *gathering) unix() int64 {
	if now := g.Loop().Now(); now != g.told || g.second == 0 {
		g.told, g.second = now, time.Now().Unix()
	}
	return g.second
}

// Nothing else happens to what has no socket.
func (g *gathering) Happened(loop.Events) {}
func (g *gathering) Again()               {}
func (g *gathering) Flush()               {}
func (g *gathering) Attend()              {}
