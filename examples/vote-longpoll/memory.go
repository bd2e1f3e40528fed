package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// maxVisitors bounds the memory that visitors can take, whoever sends whatever cookies.
const maxVisitors = 10_000

var errFull = errors.New("too many visitors just now: try again in a minute")

// memory is queues in the memory of this process.
type memory struct {
	mu       sync.Mutex
	counts   map[string]int
	visitors map[string]*visitor
	voted    chan struct{} // closed, and replaced, by each vote
	swept    time.Time     // when those who left were last looked for
}

// visitor has each candidate in its queue once at most, since it is the newest count that matters: so no queue grows beyond the
// number of candidates, and nothing has to be dropped.
type visitor struct {
	changed []string
	waiting int       // requests that wait just now
	seen    time.Time // when the last one ended
}

func newMemory() *memory {
	return &memory{counts: map[string]int{}, visitors: map[string]*visitor{}, voted: make(chan struct{})}
}

func (m *memory) join(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.admit(id)
	return err
}

// admit makes a queue, if there is room. mu must be held.
func (m *memory) admit(id string) (*visitor, error) {
	if time.Since(m.swept) > freeAfter/10 {
		m.swept = time.Now()
		maps.DeleteFunc(m.visitors, func(_ string, v *visitor) bool { return v.waiting == 0 && time.Since(v.seen) > freeAfter })
	}
	if len(m.visitors) >= maxVisitors {
		return nil, errFull
	}
	v := &visitor{seen: time.Now()}
	m.visitors[id] = v
	return v, nil
}

func (m *memory) vote(_ context.Context, uid string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[uid]++
	for _, v := range m.visitors {
		if !slices.Contains(v.changed, uid) {
			v.changed = append(v.changed, uid)
		}
	}
	close(m.voted)
	m.voted = make(chan struct{})
	return m.counts[uid], nil
}

func (m *memory) next(ctx context.Context, id string, hold time.Duration) (string, int, error) {
	ctx, cancel := context.WithTimeout(ctx, hold)
	defer cancel()
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.visitors[id]
	if v == nil { // freed, or of a former run: it may have missed anything
		var err error
		if v, err = m.admit(id); err != nil {
			return "", 0, err
		}
		for _, c := range candidates {
			v.changed = append(v.changed, c.UID)
		}
	}
	v.waiting++
	defer func() { v.waiting--; v.seen = time.Now() }()
	for len(v.changed) == 0 && ctx.Err() == nil {
		voted := m.voted
		m.mu.Unlock()
		select {
		case <-voted:
		case <-ctx.Done():
		}
		m.mu.Lock()
	}
	if len(v.changed) == 0 || ctx.Err() == context.Canceled { // what nobody reads any more is left for the next request
		return "", 0, nil
	}
	uid := v.changed[0]
	v.changed = v.changed[1:]
	return uid, m.counts[uid], nil
}

func (m *memory) count(_ context.Context, uid string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[uid], nil
}
