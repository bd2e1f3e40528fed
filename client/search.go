package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// SearchOptions narrow a search.
type SearchOptions struct {
	Channel string // a room or direct conversation; "": all that we are in
	Before  string // SearchPage.Next, to go on; "": begin with the newest
	Limit   int    // 1 to 100; 0 is 20
}

// Found is a message that a search found.
type Found struct {
	Channel  string  `json:"channel"`
	Position string  `json:"position"`
	Message  Message `json:"message"`
}

// SearchPage is what a search found, the newest first. It may have few results, or none, and yet a Next.
type SearchPage struct {
	Results  []Found   `json:"results"`
	Next     string    `json:"next"`     // where it goes on; "": that was all
	Searched time.Time `json:"searched"` // with Next: back to when everything was searched
}

// Search finds messages that have all words of q, 1 to 200 characters. The newest come first.
func (c *Client) Search(ctx context.Context, q string, o SearchOptions) (SearchPage, error) {
	values := url.Values{"q": {q}}
	for name, value := range map[string]string{"channel": o.Channel, "before": o.Before} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if o.Limit != 0 {
		values.Set("limit", strconv.Itoa(o.Limit))
	}
	return fetch[SearchPage](ctx, c, http.MethodGet, "/v1/search?"+values.Encode(), nil)
}
