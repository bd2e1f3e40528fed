package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// SendText publishes a text of 1 to 4,000 characters. See Publish.
func (c *Client) SendText(ctx context.Context, channel, text string) (Receipt, error) {
	return c.Publish(ctx, channel, Draft{Data: map[string]string{"text": text}})
}

// Publish publishes a message, and returns when it is committed. It has one effect: it goes out with an idempotency key, and
// whatever breaks, it goes out again with the same key until it is answered, refused, or ctx is done. After the last of
// these nobody knows whether it was committed; publish again with the returned receipt's ID, as often as you like.
//
// It goes over the WebSocket where that is open, along with others that wait for their answers, and else by HTTP. One
// goroutine's messages are committed in the order of its calls. A rate limit is an answer: the *Error has code
// rate_limited and says when to try again.
func (c *Client) Publish(ctx context.Context, channel string, d Draft) (Receipt, error) {
	if d.Type == "" {
		d.Type = "text"
	}
	if d.Data == nil {
		d.Data = struct{}{}
	}
	if d.ID == "" {
		d.ID = strings.ToLower(rand.Text())
	}
	b := backoff{min: c.env.timeouts.RetryMin, max: c.env.timeouts.RetryMax, random: c.env.random}
	for {
		receipt, err := c.publishOnce(ctx, channel, d)
		if err == nil {
			return receipt, nil
		}
		e := asError(err)
		switch {
		case c.env.ctx.Err() != nil:
			return Receipt{ID: d.ID}, closedError()
		case ctx.Err() == nil && !isPassing(e):
			return Receipt{ID: d.ID}, e
		case ctx.Err() == nil:
			c.pause(ctx, b.next(e))
		}
		if ctx.Err() != nil {
			return Receipt{ID: d.ID}, networkError("The message was given up; whether it was committed is not known.", context.Cause(ctx))
		}
	}
}

func (c *Client) publishOnce(ctx context.Context, channel string, d Draft) (Receipt, error) {
	if receipt, err, sent := c.publishBySocket(ctx, channel, d); sent {
		return receipt, err
	}
	var receipt Receipt
	_, _, err := c.env.http.do(ctx, http.MethodPost, "/v1/channels/"+inPath(channel)+"/messages", request{
		body:   map[string]any{"type": d.Type, "data": d.Data},
		header: http.Header{"Idempotency-Key": {d.ID}},
	}, &receipt)
	return receipt, err
}

// publishBySocket publishes over the WebSocket, if it is open and we are somebody there. Nobody publishes by HTTP: only
// there can the server make a guest of him on the spot.
func (c *Client) publishBySocket(ctx context.Context, channel string, d Draft) (Receipt, error, bool) {
	type outcome struct {
		result json.RawMessage
		err    *Error
	}
	answer := make(chan outcome, 1)
	c.env.mu.Lock()
	l, is := c.conn.current.(*socketLink)
	if !is || l.user == nil {
		c.env.mu.Unlock()
		return Receipt{}, nil, false
	}
	l.command(map[string]any{"op": "publish", "channel": channel, "type": d.Type, "data": d.Data, "id": d.ID}, func(result json.RawMessage, err *Error) {
		answer <- outcome{result, err}
	})
	c.env.mu.Unlock()
	select {
	case o := <-answer:
		if o.err != nil {
			return Receipt{}, o.err, true
		}
		var receipt Receipt
		if json.Unmarshal(o.result, &receipt) != nil {
			return Receipt{}, unexpected(0), true
		}
		return receipt, nil, true
	case <-ctx.Done():
		return Receipt{}, context.Cause(ctx), true
	}
}

// pause waits, but no longer than until the connection is open again.
func (c *Client) pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	wasOpen := c.Connection().State == Open
	_, _ = c.Await(ctx, func(now Connection) bool {
		open := !wasOpen && now.State == Open
		wasOpen = wasOpen && now.State == Open
		return open
	})
}
