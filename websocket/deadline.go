package websocket

import (
	"context"
	"net"
	"sync"
	"time"
)

// longAgo, as a deadline, ends a wait at once.
var longAgo = time.Unix(1, 0)

// readDeadline makes one deadline for the reads of a connection out of three reasons to stop waiting: a context that is cancelled,
// a message that takes too long, and the end of the closing handshake.
//
// A context is watched from the first wait under it until a wait under another one, so a loop that always passes the same
// context pays for it once.
type readDeadline struct {
	mu        sync.Mutex
	done      <-chan struct{} // of the context being watched
	unwatch   func() bool
	cancelled bool
	message   time.Time
	closing   time.Time
	stopped   bool
	pauses    uint32 // the machine's when the clock of message began; only the reader uses it
	applied   time.Time
}

// readDeadline returns that of the connection, which is made if there is none.
func (c *Conn) readDeadline() *readDeadline {
	if c.deadline.Load() == nil {
		c.deadline.CompareAndSwap(nil, &readDeadline{})
	}
	return c.deadline.Load()
}

// watch makes waits of the connection end when ctx is cancelled.
func (c *Conn) watch(ctx context.Context) {
	d := c.deadline.Load()
	if d == nil {
		if ctx.Done() == nil {
			return
		}
		d = c.readDeadline()
	}
	d.watch(ctx, c.nc)
}

func (d *readDeadline) watch(ctx context.Context, nc net.Conn) {
	done := ctx.Done()
	if done == d.done {
		return // only the reader changes it
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unwatch != nil {
		d.unwatch()
		d.unwatch = nil
	}
	d.done, d.cancelled = done, false
	d.apply(nc)
	if done != nil && !d.stopped {
		d.unwatch = context.AfterFunc(ctx, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.done == done {
				d.cancelled = true
				d.apply(nc)
			}
		})
	}
}

func (d *readDeadline) setMessage(t time.Time, nc net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.message = t
	d.apply(nc)
}

func (d *readDeadline) setClosing(t time.Time, nc net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closing = t
	d.apply(nc)
}

func (d *readDeadline) apply(nc net.Conn) {
	t := d.message
	if t.IsZero() || (!d.closing.IsZero() && d.closing.Before(t)) {
		t = d.closing
	}
	if d.cancelled {
		t = longAgo
	}
	if !t.Equal(d.applied) {
		d.applied = t
		nc.SetReadDeadline(t)
	}
}

// messageLate reports whether a timeout at now is the message's.
func (d *readDeadline) messageLate(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.message.IsZero() && !now.Before(d.message)
}

// stop lets go of the context.
func (d *readDeadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.unwatch != nil {
		d.unwatch()
		d.unwatch = nil
	}
}
