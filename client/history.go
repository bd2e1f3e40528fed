package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
)

// History is the messages just before a position (End: the newest), ascending; limit 1 to 1,000, 0 is 50. More says that there are
// older ones still: ask again before the first message's seq.
func (c *Client) History(ctx context.Context, channel, before string, limit int) (Batch, error) {
	if limit == 0 {
		limit = 50
	}
	path := fmt.Sprintf("/v1/channels/%s/messages?before=%s&limit=%d", inPath(channel), url.QueryEscape(before), limit)
	return fetch[Batch](ctx, c, http.MethodGet, path, nil)
}

// End stands for the newest position.
const End = end

// AllHistory is everything a channel has, from the first message to the last one there is while it is read. Messages that
// cannot be had are a *Gap, and the iteration goes on; any other error ends it.
func (c *Client) AllHistory(ctx context.Context, channel string) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for after, more := "0", true; more; {
			var o object
			if err := c.env.http.get(ctx, "/v1/channels/"+inPath(channel)+"/messages?limit=1000&after="+url.QueryEscape(after), &o); err != nil {
				yield(Message{}, err)
				return
			}
			if o.Gap != nil {
				o.Gap.Channel = channel
				if !yield(Message{}, o.Gap) || o.Gap.Resume == "" {
					return
				}
				after = o.Gap.Resume
				continue
			}
			for _, m := range o.Messages {
				if !yield(m, nil) {
					return
				}
			}
			after, more = o.To, o.More
		}
	}
}
