package main

import (
	"fmt"
	"slices"
	"sync"

	"parley/websocket"
)

// vote counts, and tells everybody who is connected. It sends under its lock: Send never waits, and so the counts reach everybody in
// the order in which they were counted.
type vote struct {
	mu         sync.Mutex
	candidates []candidate
	conns      map[*websocket.Conn]struct{}
}

type candidate struct {
	UID   string `json:"uid"`
	Name  string `json:"-"`
	Count int    `json:"count"`
}

func newVote(candidates ...candidate) *vote {
	return &vote{candidates: candidates, conns: map[*websocket.Conn]struct{}{}}
}

// join also tells the newcomer all counts: they may have changed since its page was made.
func (v *vote) join(c *websocket.Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.conns[c] = struct{}{}
	for _, candidate := range v.candidates {
		c.Send(asJSON(candidate))
	}
}

func (v *vote) leave(c *websocket.Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.conns, c)
}

func (v *vote) add(uid string) error {
	slow, err := v.count(uid)
	for _, c := range slow {
		c.CloseNow() // it has not taken a MiB of counts; when it connects again it is told them all
	}
	return err
}

func (v *vote) count(uid string) (slow []*websocket.Conn, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.candidates, func(c candidate) bool { return c.UID == uid })
	if i < 0 {
		return nil, fmt.Errorf("there is no candidate with the uid %q", uid)
	}
	v.candidates[i].Count++
	message := asJSON(v.candidates[i])
	for c := range v.conns {
		if c.Send(message) == websocket.Full {
			slow = append(slow, c)
		}
	}
	return slow, nil
}

func (v *vote) all() []candidate {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.candidates)
}
