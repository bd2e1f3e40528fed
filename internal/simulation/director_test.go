package simulation

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"parley/channel"
)

// direct lets the plan's faults happen, at random times.
func (w *world) direct() {
	for range w.plan.faults {
		time.Sleep(w.upTo(2 * w.plan.lasts / time.Duration(w.plan.faults)))
		p := w.running()
		switch w.random.IntN(11) {
		case 0:
			p.engine.kill()
		case 1:
			p.engine.dieAt(beforeCommit, w.random.IntN(20))
		case 2, 3:
			p.engine.dieAt(afterCommit, w.random.IntN(20))
		case 4:
			p.engine.suffer(&p.engine.slow, w.upTo(10*time.Second))
		case 5:
			p.engine.suffer(&p.engine.failing, w.upTo(8*time.Second))
		case 6:
			p.engine.suffer(&p.engine.deaf, w.upTo(10*time.Second))
		case 7:
			w.takeCopy(p)
			time.Sleep(w.upTo(10 * time.Second))
			w.goBack(w.running())
		case 8:
			w.takeCopy(p)
		case 9:
			if err := p.hub.Delete(context.Background(), doomed); err != nil {
				w.truth.bad("deleting: %v", err)
			}
		case 10:
			w.net.fallSilent(w.random)
		}
	}
	time.Sleep(w.upTo(w.plan.lasts))
	if w.faulty() && w.random.IntN(2) == 0 {
		w.net.fallSilent(w.random)
	}
}

func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d) + 1))
}

// running waits for the server.
func (w *world) running() *process {
	for {
		w.mu.Lock()
		p := w.process
		w.mu.Unlock()
		if p != nil {
			return p
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// calm ends all faults.
func (w *world) calm() {
	w.bad.Store(false)
	w.net.heal()
	w.running().engine.heal()
	w.reviving.Wait()
	w.running().engine.heal()
}

func (e *engine) suffer(until *time.Time, d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*until = time.Now().Add(d)
}

// kill ends the process now.
func (e *engine) kill() {
	e.dieAt(beforeCommit, 0)
	e.dies(beforeCommit)
}

// dieAt ends it at one of the next appends.
func (e *engine) dieAt(at moment, in int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.die = func(now moment) bool {
		if now != at {
			return false
		}
		in--
		return in < 0
	}
}

func (w *world) takeCopy(p *process) {
	w.taken++
	path := filepath.Join(w.dir, fmt.Sprintf("copy-%d.db", w.taken))
	if err := p.engine.copyTo(path); err != nil {
		w.truth.bad("copying: %v", err)
		return
	}
	w.copies = append(w.copies, path)
}

// goBack takes up an older copy: at the next start, or, in an engine of many nodes, while the node runs.
func (w *world) goBack(p *process) {
	if len(w.copies) == 0 {
		return
	}
	i := w.random.IntN(len(w.copies))
	path := w.copies[i]
	w.copies = w.copies[:i] // the younger ones are not of this log's past
	if p.engine.hints && w.random.IntN(2) == 0 {
		if !p.engine.failOver(path) {
			return
		}
		w.mu.Lock()
		w.path = path
		w.mu.Unlock()
		return
	}
	w.mu.Lock()
	w.path, w.restore = path, true
	w.mu.Unlock()
	p.engine.kill()
}

var _ channel.Log = (*engine)(nil)
