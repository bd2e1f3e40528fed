package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// activity counts what happened in all runs: a test in which nothing happens proves nothing.
type activity struct {
	mu    sync.Mutex
	times map[string]int
}

func (a *activity) add(w *world) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times == nil {
		a.times = map[string]int{}
	}
	for _, h := range w.truth.channels {
		a.times["messages"] += len(h.nodes)
		a.times["deletions"] += len(h.deleted)
		for _, n := range h.nodes {
			if !n.lost.IsZero() {
				a.times["lost with an older copy"]++
			}
		}
	}
	a.times["connections"] += w.net.dials
	a.times["deaths"] += w.deaths
	a.times["older copies"] += w.truth.restores
	for _, p := range w.publishers {
		for _, s := range p.said {
			a.times["acknowledged"] += len(s.answers)
		}
	}
	for _, r := range w.readers {
		for _, got := range r.got {
			for _, e := range got.events {
				switch {
				case e.checkpoint:
				case e.gap != nil:
					a.times["gaps: "+e.gap.Reason]++
				case e.from != "":
					a.times["subscriptions"]++
				default:
					a.times["delivered"]++
				}
			}
		}
	}
}

// enough tells whether everything happened that is to be survived.
func (a *activity) enough() bool {
	for _, what := range []string{"deaths", "older copies", "gaps: retention", "gaps: rollback", "gaps: deleted", "lost with an older copy"} {
		if a.times[what] == 0 {
			return false
		}
	}
	return a.times["delivered"] > 1000
}

func (a *activity) String() string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(a.times)) {
		all = append(all, fmt.Sprintf("%s %d", what, a.times[what]))
	}
	return strings.Join(all, ", ")
}
