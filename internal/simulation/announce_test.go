package simulation

import (
	"fmt"
	"time"

	"parley/channel"
)

// Committed hears what the database has committed, on its writer's goroutine, before the publisher is answered.
func (f *file) Committed(ms []channel.Message) {
	e := f.of
	e.mu.Lock()
	replaced := e.file != f
	e.w.truth.committed(ms, replaced)
	e.mu.Unlock()
	if replaced || e.dies(afterCommit) {
		return
	}
	if !e.hints {
		e.sink.Committed(ms)
		return
	}
	for i := range ms {
		e.hint(f, ms[i])
	}
}

// hint announces one message as a network does: late, though in the channel's order; now and then twice, or not at all. What was
// lost, the engine finds out (in Redis: a canary, or the subscription that broke), and has everybody read again.
func (e *engine) hint(f *file, m channel.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, random := time.Now(), e.fate(fmt.Sprintf("hint %s %d", m.Channel, m.Seq))
	if lost := random.IntN(10) == 0; e.deaf.After(now) || e.w.faulty() && lost {
		e.tellAgain(m.Channel)
		return
	}
	at := now.Add(upTo(random, 300*time.Millisecond))
	if due := e.due[m.Channel]; at.Before(due) {
		at = due.Add(1)
	}
	times := 1
	if e.w.faulty() && random.IntN(10) == 0 {
		times = 2
	}
	for range times {
		e.due[m.Channel] = at
		e.later(f, at.Sub(now), func(to channel.Sink) { to.Committed([]channel.Message{m}) })
		at = at.Add(upTo(random, 100*time.Millisecond))
	}
}

// tellAgain has the hub forget what it knows of a channel, within a few seconds. e.mu is held.
func (e *engine) tellAgain(name channel.Name) {
	e.later(e.file, upTo(e.fate("again "+string(name)), 5*time.Second), func(to channel.Sink) { to.Deleted(name) })
}

// later tells the sink something, unless the node has died, or the database was replaced by then: word of the old one comes over
// a connection that has ended.
func (e *engine) later(f *file, delay time.Duration, tell func(channel.Sink)) {
	e.errands.Go(func() {
		time.Sleep(delay)
		e.mu.Lock()
		over := e.dead || e.file != f
		e.mu.Unlock()
		if !over {
			tell(e.sink)
		}
	})
}

// Deleted and Signalled pass.
func (f *file) Deleted(name channel.Name) {
	if e := f.of; e.current() == f {
		e.sink.Deleted(name)
	}
}

func (f *file) Signalled(s channel.Signal) {
	if e := f.of; e.current() == f {
		e.sink.Signalled(s)
	}
}
