package websocket

import (
	"sync"
	"time"
)

// Wake makes [Handler.OnWake] be called soon, once for all calls until then: what an application does for a connection because of something
// else than a message is done there, one after the other with the other handlers. It never blocks; any goroutine may call it.
func (c *Conn) Wake() {
	if !c.handled || c.woken.Load() || c.woken.Swap(true) {
		return
	}
	if c.sock != nil {
		c.sock.Schedule()
		return
	}
	go c.wakeUp()
}

// WakeAfter is Wake in d from now, in place of what it was given before; d must be positive. It is for handlers to call. A timer for a
// silent connection costs next to nothing on an event loop.
func (c *Conn) WakeAfter(d time.Duration) {
	if c.sock != nil {
		c.sock.wakeAfter(d)
		return
	}
	if c.serving.timer == nil {
		c.serving.timer = time.AfterFunc(d, c.Wake)
		return
	}
	c.serving.timer.Reset(d)
}

// WakeDrained is Wake once everything written has been taken by the kernel: at once, if it has. Whoever has much to send a peer that may be
// slow sends a part, and goes on when it is woken. Any goroutine may call it.
func (c *Conn) WakeDrained() {
	c.out.mu.Lock()
	wait := c.out.size > 0 && !c.out.shut
	c.out.wake = wait
	c.out.mu.Unlock()
	if !wait {
		c.Wake()
	}
}

// Pause makes the connection not be read until Resume, as an application does that is not done with earlier messages. Messages that were
// read already may still be handed on. Both are for handlers to call.
func (c *Conn) Pause() {
	if c.sock != nil {
		c.sock.pause()
	} else if c.serving.resumed == nil {
		c.serving.resumed = make(chan struct{})
	}
}

// Resume undoes Pause.
func (c *Conn) Resume() {
	if c.sock != nil {
		c.sock.resume()
	} else if c.serving.resumed != nil {
		close(c.serving.resumed)
		c.serving.resumed = nil
	}
}

// serving is what the handler form needs where no event loop reads the connection.
type serving struct {
	mu      sync.Mutex // held while a handler runs
	closed  bool       // OnClose was called
	timer   *time.Timer
	resumed chan struct{} // nil while the connection is not paused
}

// one runs a handler while no other runs.
func (s *serving) one(handler func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	handler()
}

// awaitResume waits while the connection is paused.
func (c *Conn) awaitResume() {
	c.serving.mu.Lock()
	resumed := c.serving.resumed
	c.serving.mu.Unlock()
	if resumed != nil {
		select {
		case <-resumed:
		case <-c.Done():
		}
	}
}

// wakeUp calls OnWake.
func (c *Conn) wakeUp() {
	c.serving.one(func() {
		c.woken.Store(false)
		if h := c.server.Handler.OnWake; h != nil && !c.serving.closed {
			h(c)
		}
	})
}
