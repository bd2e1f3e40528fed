package client

import (
	"context"
	"sync"
)

// Client is one person's connection to a Parley server. Make it with New, end it with Close. All methods may be called by
// any goroutine at any time.
type Client struct {
	env  *env
	conn *connection

	bufferSize int
	closing    sync.Once
}

// New makes a client of the server at address ("https://chat.example.com"). It connects to nothing: requests are made when
// asked for, and the connection for subscriptions is opened by the first one.
func New(address string, o Options) (*Client, error) {
	switch o.Transport {
	case Auto, WebSocket, SSE, LongPoll, Poll:
	default:
		return nil, badTransport(o.Transport)
	}
	o = o.withDefaults()
	e := newEnv(o)
	var err error
	if e.http, err = newRequester(address, o, e.ctx); err != nil {
		e.stop()
		return nil, err
	}
	c := &Client{env: e, bufferSize: o.Buffer}
	e.feeds = newFeeds(e)
	dial := dialer(o.HTTPClient)
	c.conn = newConnection(e, o.Transport, func(kind Transport, on events) link { return newLink(e, kind, on, dial) })
	e.feeds.onChange = c.conn.feedsChanged
	e.feeds.onRewind, e.feeds.onFresh = c.conn.rewind, c.conn.rewind
	e.http.onGuest = c.sessionChanged
	return c, nil
}

func badTransport(t Transport) *Error {
	return &Error{Code: CodeBadOption, Detail: "There is no transport \"" + string(t) + "\": use websocket, sse, longpoll, poll, or \"\" for the best that works."}
}

// Token is the session's token, "" without one: keep it, and give it to Options.Token to be the same person another day.
func (c *Client) Token() string { return c.env.http.currentToken() }

// UseTransport reads by this transport from now on, or with Auto by the best that works. Nothing is missed or repeated by
// the change: the present one goes on until the new one works.
func (c *Client) UseTransport(t Transport) error {
	switch t {
	case Auto, WebSocket, SSE, LongPoll, Poll:
	default:
		return badTransport(t)
	}
	c.env.mu.Lock()
	defer c.env.mu.Unlock()
	c.conn.use(t)
	return nil
}

// Connection is how the connection is now.
func (c *Client) Connection() Connection {
	c.env.mu.Lock()
	defer c.env.mu.Unlock()
	return c.conn.info()
}

// Await waits until the connection is as wanted, and returns how it is then; with ctx's error where that never was.
func (c *Client) Await(ctx context.Context, wanted func(Connection) bool) (Connection, error) {
	for {
		c.env.mu.Lock()
		now, changed := c.conn.info(), c.conn.changed
		c.env.mu.Unlock()
		if wanted(now) {
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return now, context.Cause(ctx)
		case <-c.env.ctx.Done():
			if now = c.Connection(); wanted(now) {
				return now, nil
			}
			return now, closedError()
		}
	}
}

// Close ends all subscriptions and whatever is under way, and returns when nothing of it runs any more. Messages that wait
// in a subscription can still be taken.
func (c *Client) Close() {
	c.closing.Do(func() {
		c.env.mu.Lock()
		c.conn.close()
		c.env.feeds.close(closedError())
		c.env.closed = true
		c.env.stop()
		c.env.mu.Unlock()
	})
	c.env.work.Wait()
}

// sessionChanged: we are somebody else to the server now, so the connection has to be another.
func (c *Client) sessionChanged() {
	c.env.mu.Lock()
	defer c.env.mu.Unlock()
	c.conn.renew()
}
