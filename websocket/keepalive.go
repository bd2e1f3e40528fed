package websocket

import (
	"sync"
	"sync/atomic"
	"time"
)

// keepalive pings a silent peer and closes the connection of one that is gone, by one timer and no goroutine. Anything received counts
// as life. A peer is gone if it was pinged and then, while one single Read waited all the time, nothing came for PongTimeout: an
// application that does not read is not its peer's fault.
type keepalive struct {
	heard atomic.Bool   // something came since the timer last looked
	waits atomic.Uint32 // odd while a Read waits; another number for every wait

	mu         sync.Mutex // held while the timer's function runs
	timer      *time.Timer
	pinged     bool
	waitAtPing uint32
}

func (k *keepalive) start(c *Conn) {
	if c.limits.pingInterval > 0 {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.timer = time.AfterFunc(c.limits.pingInterval, func() { k.look(c) })
	}
}

// stop stops the timer; its function may still be running, for which join waits.
func (k *keepalive) stop() {
	if k.timer != nil {
		k.timer.Stop()
	}
}

func (k *keepalive) join() {
	k.mu.Lock()
	defer k.mu.Unlock()
}

func (k *keepalive) waiting() { k.waits.Add(1) }

func (k *keepalive) waited(heard bool) {
	k.waits.Add(1)
	if heard {
		k.heardOf()
	}
}

// heardOf is waited for who does not wait in a Read: a loop.
func (k *keepalive) heardOf() {
	if !k.heard.Load() {
		k.heard.Store(true)
	}
}

func (k *keepalive) look(c *Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, alive := k.next(c)
	if !alive {
		return
	}
	k.timer.Reset(next)
	if c.ended() != nil {
		k.timer.Stop()
	}
}

// next pings the peer or ends the connection, if it is time to, and returns how long to wait until the next look. mu must be held, or all
// calls come from one goroutine.
func (k *keepalive) next(c *Conn) (next time.Duration, alive bool) {
	next = c.limits.pingInterval
	wait := k.waits.Load()
	waiting := wait&1 == 1
	switch {
	case k.heard.Swap(false) || (k.pinged && !waiting):
		k.pinged = false
	case !k.pinged:
		c.answers.put(c, opPing, nil)
		c.answerPings()
		if c.limits.pongTimeout > 0 {
			k.pinged, k.waitAtPing = true, wait
			next = c.limits.pongTimeout
		}
	case wait != k.waitAtPing:
		k.waitAtPing = wait
		next = c.limits.pongTimeout
	default:
		c.teardown(&CloseError{Code: StatusAbnormalClosure, cause: ErrPongTimeout}, true)
		return 0, false
	}
	return next, true
}
