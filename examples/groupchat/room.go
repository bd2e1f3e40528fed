package main

import (
	"sync"

	"parley/websocket"
)

// room is who is connected just now. It sends under its lock: Send never waits, and so everybody gets everything in the same order.
type room struct {
	mu      sync.Mutex
	members map[*websocket.Conn]string // nicknames
}

func newRoom() *room { return &room{members: map[*websocket.Conn]string{}} }

// join lets somebody in. Who connects again under a name, say because a page was loaded again, takes it over.
func (r *room) join(c *websocket.Conn, nickname string) {
	if former := r.enter(c, nickname); former != nil {
		former.Close(4000, "this name has connected elsewhere")
	}
}

func (r *room) enter(c *websocket.Conn, nickname string) (former *websocket.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, name := range r.members {
		if nickname != "" && name == nickname {
			former = other
			delete(r.members, other)
		}
	}
	r.members[c] = nickname
	return former
}

func (r *room) leave(c *websocket.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members, c)
}

// say sends to all but the one who speaks.
func (r *room) say(from *websocket.Conn, message *websocket.Prepared) {
	for _, c := range r.send(from, message) {
		c.CloseNow() // it has not taken a MiB: memory is not for those who do not listen
	}
}

func (r *room) send(from *websocket.Conn, message *websocket.Prepared) (slow []*websocket.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, in := r.members[from]; !in {
		return nil // somebody else has the name now
	}
	for c := range r.members {
		if c != from && c.Send(message) == websocket.Full {
			slow = append(slow, c)
		}
	}
	return slow
}
