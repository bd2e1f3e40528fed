package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"parley/websocket"
)

// closeTimeout is how long a link that is left waits for the server's Close frame.
const closeTimeout = time.Second

// socketLink is WebSocket: one connection for all channels, and for publishing too.
type socketLink struct {
	env  *env
	on   events
	dial dialFunc
	ctx  context.Context
	stop context.CancelFunc

	// Under the lock.
	conn      *websocket.Conn
	user      *User
	ready     bool // hello was said
	closed    bool
	broken    bool // it ended by itself: no farewell
	ref       uint64
	pending   map[uint64]*command
	told      map[string]*told // channels that the server has been told of
	resolving map[string]bool  // channels whose `end` is being asked for
	heartbeat time.Duration
	heard     time.Time
	watch     *timer
}

// told is what the server knows of a channel.
type told struct{ answered, again bool }

// command is one that waits for its answer. answered is called once, with the lock held.
type command struct {
	answered func(json.RawMessage, *Error)
	timer    *timer
}

func newSocketLink(e *env, on events, dial dialFunc) *socketLink {
	l := &socketLink{
		env: e, on: on, dial: dial, heartbeat: 15 * time.Second,
		pending: map[uint64]*command{}, told: map[string]*told{}, resolving: map[string]bool{},
	}
	l.ctx, l.stop = context.WithCancel(e.ctx)
	return l
}

func (l *socketLink) kind() Transport { return WebSocket }

func (l *socketLink) disown() { l.user = nil }

func (l *socketLink) start() { l.env.run(l.run) }

// run is the link's goroutine: it opens the connection and reads until the end.
func (l *socketLink) run() {
	defer l.stop()
	conn, err := l.dial(l.ctx, l.env.http.base+"/v1/connect", l.env.http.currentToken())
	l.env.mu.Lock()
	if err != nil {
		l.down(asError(err))
		l.env.mu.Unlock()
		return
	}
	l.conn = conn
	l.env.mu.Unlock()
	err = l.readAll(conn)
	l.env.mu.Lock()
	l.down(networkError("The connection was closed.", err))
	broken := l.broken
	l.env.mu.Unlock()
	if broken {
		_ = conn.CloseNow()
	} else {
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
}

func (l *socketLink) readAll(conn *websocket.Conn) error {
	for {
		_, data, err := conn.Read(l.ctx)
		if err != nil {
			return err
		}
		var o object
		err = json.Unmarshal(data, &o)
		l.env.mu.Lock()
		if err != nil {
			l.down(unexpected(0))
		} else if !l.closed {
			l.receive(&o)
		}
		l.env.mu.Unlock()
	}
}

// All that follows is called with the lock held.

func (l *socketLink) receive(o *object) {
	l.heard = time.Now()
	switch {
	case o.Hello != nil:
		l.hello(*o.Hello)
	case o.Bye != nil:
		l.down(o.Bye.err())
	case o.Ref != nil || o.Error != nil:
		l.answer(o)
	case o.Channel != "":
		if o.Ended != nil || o.Gap != nil && o.Gap.Reason == "deleted" {
			// The server has forgotten it, so it has to be told again if anybody still wants it.
			delete(l.told, o.Channel)
		}
		l.env.feeds.receive(o)
	}
}

func (l *socketLink) hello(h hello) {
	l.user = h.User
	if h.Heartbeat > 0 {
		l.heartbeat = seconds(h.Heartbeat)
	}
	l.ready = true
	l.listen()
	l.on.hello(h)
	l.sync()
}

// listen finds silence suspicious: first it asks, then it leaves.
func (l *socketLink) listen() {
	silent := time.Since(l.heard)
	if silent >= l.heartbeat*5/2 {
		l.down(networkError("The connection fell silent.", nil))
		return
	}
	if silent >= l.heartbeat*13/10 {
		l.command(map[string]any{"op": "ping"}, func(json.RawMessage, *Error) {})
	}
	l.watch = l.env.after(l.heartbeat/3, l.listen)
}

// sync tells the server the difference between what is wanted and what it knows.
func (l *socketLink) sync() {
	if !l.ready || l.closed {
		return
	}
	wanted := l.env.feeds.wanted()
	for channel := range l.told {
		if _, is := slices.BinarySearch(wanted, channel); !is {
			l.unsubscribe(channel)
		}
	}
	for _, channel := range wanted {
		if t := l.told[channel]; t == nil {
			l.subscribe(channel)
		} else if t.answered && l.env.feeds.unresolved(channel) {
			l.resolve(channel)
		}
	}
}

func (l *socketLink) rewind(channel string) {
	t := l.told[channel]
	switch {
	case t == nil:
	case !t.answered:
		t.again = true
	default:
		l.unsubscribe(channel)
		l.sync()
	}
}

func (l *socketLink) unsubscribe(channel string) {
	delete(l.told, channel)
	l.command(map[string]any{"op": "unsubscribe", "channel": channel}, func(json.RawMessage, *Error) {})
}

func (l *socketLink) subscribe(channel string) {
	t, after := &told{}, l.env.feeds.after(channel)
	l.told[channel] = t
	l.command(map[string]any{"op": "subscribe", "channel": channel, "after": after}, func(result json.RawMessage, err *Error) {
		if l.told[channel] != t || l.closed {
			return
		}
		if err != nil {
			delete(l.told, channel)
			if err.Status >= 400 && err.Status < 500 && err.Status != http.StatusTooManyRequests {
				l.env.feeds.end(channel, err)
			} else {
				l.down(err)
			}
			return
		}
		t.answered = true
		var at struct{ Position string }
		if after == end && json.Unmarshal(result, &at) == nil && at.Position != "" {
			l.env.feeds.resolved(channel, at.Position)
		}
		if t.again {
			l.rewind(channel)
		} else {
			l.sync() // subscriptions made while this was under way
		}
	})
}

// resolve asks where `end` is for a subscription that came to a channel that is being read already.
func (l *socketLink) resolve(channel string) {
	if l.resolving[channel] {
		return
	}
	l.resolving[channel] = true
	l.env.run(func() {
		err := l.env.feeds.resolve(l.ctx, channel)
		l.env.mu.Lock()
		defer l.env.mu.Unlock()
		delete(l.resolving, channel)
		if err != nil {
			l.down(asError(err))
		}
	})
}

// command sends a command; answered gets its answer, or an error with code "network" when none came.
func (l *socketLink) command(body map[string]any, answered func(json.RawMessage, *Error)) {
	if l.closed {
		answered(nil, networkError("The connection was closed.", nil))
		return
	}
	l.ref++
	ref := l.ref
	body["ref"] = ref
	text, err := json.Marshal(body)
	if err != nil {
		answered(nil, &Error{Code: "bad_request", Detail: "The data cannot be encoded as JSON.", cause: err})
		return
	}
	c := &command{answered: answered}
	c.timer = l.env.after(l.env.timeouts.Request, func() {
		delete(l.pending, ref)
		answered(nil, networkError("The server did not answer in time.", nil))
	})
	l.pending[ref] = c
	if l.conn.Send(websocket.Prepare(websocket.MessageText, text)) == websocket.Full {
		l.down(networkError("The connection takes nothing more.", errors.New("the send buffer is full")))
	}
}

func (l *socketLink) answer(o *object) {
	if o.Ref == nil {
		return
	}
	c := l.pending[*o.Ref]
	if c == nil {
		return
	}
	delete(l.pending, *o.Ref)
	c.timer.stop()
	if o.Error != nil {
		c.answered(nil, o.Error.err())
	} else {
		c.answered(o.Result, nil)
	}
}

func (l *socketLink) down(why *Error) {
	if l.closed {
		return
	}
	l.broken = true
	l.close()
	l.on.down(why)
}

func (l *socketLink) close() {
	if l.closed {
		return
	}
	l.closed, l.ready = true, false
	l.watch.stop()
	l.stop()
	for ref, c := range l.pending {
		delete(l.pending, ref)
		c.timer.stop()
		c.answered(nil, networkError("The connection was closed before the answer came.", nil))
	}
}
