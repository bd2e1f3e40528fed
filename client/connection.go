package client

import (
	"slices"
	"time"
)

// State is how a connection is.
type State string

// The states of a connection.
const (
	Idle       State = "idle" // nobody subscribes
	Connecting State = "connecting"
	Open       State = "open"
	Waiting    State = "waiting" // for the next try, at Connection.RetryAt
	Closed     State = "closed"
)

// Connection is how a client's connection is at a moment.
type Connection struct {
	State     State
	Transport Transport // the one in use, or being tried; "" while there is none
	Forced    Transport // the one asked for; Auto: chosen by itself
	RetryAt   time.Time // when the next try comes, while Waiting
}

// maxShortLives is how many connections in a row may die young before the next lower transport is taken.
const maxShortLives = 3

// soon is when a better transport that has worked before is tried again: more likely the server was away than the way is
// barred.
const soon = 2 * time.Second

// connection is which transport is in use. It chooses, falls back and climbs back:
//
//   - A round tries transports in order until one says hello, that is, until a byte of the server's has come through it.
//     A round that finds none is followed by a wait (full jitter) and another round.
//   - The current link is the one that has said hello. While it works, a round of the better transports is tried now and
//     then; the current link goes on delivering until the better one has said hello.
//   - What dies young three times in a row is as bad as what does not open.
//
// It needs to know nothing of positions: those are in feeds, which every link feeds and reads. All of it is under the lock.
type connection struct {
	env     *env
	make    func(Transport, events) link
	backoff backoff
	changed chan struct{} // closed, and another one put in its place, after each change
	observe func(Connection)

	preferred Transport
	current   link
	candidate link        // the one being tried
	stale     link        // that of a session that is no longer ours
	queue     []Transport // what this round will try next
	told      Connection
	closed    bool

	retryAt                       time.Time
	retryTimer, helloTimer, climb *timer
	climbDelay                    time.Duration
	openedAt                      time.Time
	failedRounds                  int
	last                          Transport // that has worked
	shortLives                    map[Transport]int
	worked                        map[Transport]bool
}

func newConnection(e *env, preferred Transport, factory func(Transport, events) link) *connection {
	c := &connection{
		env: e, make: factory, preferred: preferred, changed: make(chan struct{}),
		backoff:    backoff{min: e.timeouts.RetryMin, max: e.timeouts.RetryMax, random: e.random},
		climbDelay: e.timeouts.ClimbMin,
		shortLives: map[Transport]int{}, worked: map[Transport]bool{},
	}
	c.told = c.info()
	return c
}

func (c *connection) info() Connection {
	now := Connection{State: Idle, Forced: c.preferred, RetryAt: c.retryAt}
	switch {
	case c.closed:
		now.State = Closed
	case c.current != nil:
		now.State, now.Transport = Open, c.current.kind()
	case !c.retryAt.IsZero():
		now.State = Waiting
	case c.candidate != nil:
		now.State, now.Transport = Connecting, c.candidate.kind()
	}
	return now
}

func (c *connection) tell() {
	now := c.info()
	if now == c.told {
		return
	}
	c.told = now
	close(c.changed)
	c.changed = make(chan struct{})
	if c.observe != nil {
		c.observe(now)
	}
}

// feedsChanged: the wanted channels are others. The first one opens the connection.
func (c *connection) feedsChanged() {
	if c.closed {
		return
	}
	if c.current != nil {
		c.current.sync()
	}
	if c.candidate != nil {
		c.candidate.sync()
	}
	if c.env.feeds.size() > 0 && c.current == nil && c.candidate == nil && c.retryAt.IsZero() {
		c.round(c.plan())
	}
}

func (c *connection) rewind(channel string) {
	if c.current != nil {
		c.current.rewind(channel)
	}
	if c.candidate != nil {
		c.candidate.rewind(channel)
	}
}

// use changes the transport. The present one goes on delivering until the new one has said hello.
func (c *connection) use(kind Transport) {
	if c.closed || kind == c.preferred {
		return
	}
	c.preferred = kind
	c.climbDelay = c.env.timeouts.ClimbMin
	clear(c.shortLives)
	c.abandon()
	if c.current != nil || c.env.feeds.size() > 0 {
		if better := c.better(); kind == Auto && len(better) > 0 {
			c.round(better)
		} else if c.current == nil || c.current.kind() != kind || c.current == c.stale {
			c.round(c.plan())
		}
	}
	c.tell()
}

// renew: the session has changed, so connect again as whoever this is now. The present link, still somebody else's, goes
// on delivering until the new one has said hello, but carries nothing out any more.
func (c *connection) renew() {
	if c.closed || c.current == nil && c.candidate == nil {
		return
	}
	c.abandon()
	c.stale = c.current
	if c.current != nil {
		c.current.disown()
		c.round([]Transport{c.current.kind()})
	} else {
		c.round(c.plan())
	}
}

func (c *connection) close() {
	if c.closed {
		return
	}
	c.abandon()
	if c.current != nil {
		c.current.close()
		c.current = nil
	}
	c.closed = true
	c.tell()
}

// plan is what a new round tries.
func (c *connection) plan() []Transport {
	if c.preferred != Auto {
		return []Transport{c.preferred}
	}
	start := 0
	// After a round in vain what worked once is no better than the others.
	if c.failedRounds == 0 {
		start = max(0, slices.Index(Transports[:], c.last))
	}
	for start < len(Transports)-1 && c.shortLives[Transports[start]] >= maxShortLives {
		start++
	}
	return Transports[start:]
}

// better are the transports above the current one.
func (c *connection) better() []Transport {
	if c.current == nil {
		return nil
	}
	return Transports[:slices.Index(Transports[:], c.current.kind())]
}

// abandon ends whatever is being waited for or tried.
func (c *connection) abandon() {
	c.retryTimer.stop()
	c.helloTimer.stop()
	c.climb.stop()
	c.retryAt = time.Time{}
	c.queue = nil
	if c.candidate != nil {
		c.candidate.close()
		c.candidate = nil
	}
}

func (c *connection) round(kinds []Transport) {
	c.queue = slices.Clone(kinds)
	c.next(nil)
}

// next tries what is next in the round; why is why the one before was given up.
func (c *connection) next(why *Error) {
	if len(c.queue) > 0 {
		kind := c.queue[0]
		c.queue = c.queue[1:]
		c.try(kind)
		return
	}
	if c.current != nil && (c.preferred != Auto && c.current.kind() != c.preferred || c.current == c.stale) {
		// Somebody insists on a transport that does not work: show it, instead of quietly using another. And nobody reads
		// on with a session that has ended.
		c.current.close()
		c.current = nil
	}
	if c.current != nil {
		c.planClimb()
		c.tell()
		return
	}
	c.failedRounds++
	c.wait(why)
}

func (c *connection) try(kind Transport) {
	var l link
	l = c.make(kind, events{
		hello: func(hello) { c.hello(l) },
		down:  func(why *Error) { c.down(l, why) },
	})
	c.candidate = l
	patience := c.env.timeouts.hello(kind) << min(2, c.failedRounds)
	c.helloTimer = c.env.after(patience, func() {
		l.close()
		c.lost(l, nil)
	})
	l.start()
	c.tell()
}

func (c *connection) hello(l link) {
	if l != c.candidate {
		return
	}
	c.helloTimer.stop()
	before := c.current
	c.current, c.candidate, c.queue, c.stale = l, nil, nil, nil
	if before != nil {
		before.close()
	}
	c.openedAt = time.Now()
	c.failedRounds = 0
	c.worked[l.kind()] = true
	if c.preferred == Auto {
		c.last = l.kind()
	}
	c.planClimb()
	c.tell()
}

func (c *connection) down(l link, why *Error) {
	// The server itself has spoken: another transport would be told the same, unless it is too many connections, for a
	// poll is none.
	if l == c.candidate && why.said && why.Code != "too_many_connections" {
		c.queue = nil
	}
	c.lost(l, why)
}

func (c *connection) lost(l link, why *Error) {
	if l == c.candidate {
		c.helloTimer.stop()
		c.candidate = nil
		c.next(why)
		return
	}
	if l != c.current {
		return
	}
	c.current = nil
	c.climb.stop()
	c.judgeLife(l.kind(), why)
	// One that is being tried goes on; if it fails, the wait comes then.
	if c.candidate == nil {
		c.wait(why)
	}
	c.tell()
}

func (c *connection) judgeLife(kind Transport, why *Error) {
	if time.Since(c.openedAt) >= c.env.timeouts.Stable {
		c.shortLives[kind] = 0
		c.backoff.reset()
		c.climbDelay = c.env.timeouts.ClimbMin
	} else if why == nil || !why.said {
		if c.shortLives[kind]++; c.shortLives[kind] >= maxShortLives {
			delete(c.worked, kind)
		}
	}
}

func (c *connection) wait(why *Error) {
	if c.env.feeds.size() > 0 {
		delay := c.backoff.next(why)
		c.retryAt = time.Now().Add(delay)
		c.retryTimer = c.env.after(delay, func() {
			c.retryAt = time.Time{}
			if c.env.feeds.size() > 0 {
				c.round(c.plan())
			}
			c.tell()
		})
	}
	c.tell()
}

// planClimb plans the next try of something better than the current link.
func (c *connection) planClimb() {
	c.climb.stop()
	better := c.better()
	if c.preferred != Auto || len(better) == 0 {
		return
	}
	delay := c.climbDelay
	if delay == c.env.timeouts.ClimbMin && slices.ContainsFunc(better, func(kind Transport) bool { return c.worked[kind] }) {
		delay = min(soon, delay)
	}
	c.climbDelay = min(c.env.timeouts.ClimbMax, c.climbDelay*2)
	c.climb = c.env.after(time.Duration(float64(delay)*(0.75+c.env.random()/2)), func() {
		if c.candidate == nil && c.current != nil {
			c.round(c.better())
		}
	})
}
