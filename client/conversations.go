package client

import (
	"context"
	"net/http"
)

// Direct is the conversation with one person.
type Direct struct {
	Channel string `json:"channel"`
	With    Person `json:"with"`
}

// Conversation is a room or direct conversation of ours.
type Conversation struct {
	Channel  string  `json:"channel"`
	Kind     string  `json:"kind"` // "room" or "direct"
	Name     string  `json:"name"`
	Topic    string  `json:"topic"`
	Private  bool    `json:"private"`
	With     *Person `json:"with"` // nil for rooms
	Position string  `json:"position"`
	Read     uint64  `json:"read"`
	Unread   int     `json:"unread"` // others' texts, up to 100
}

// Here is who reads a channel now.
type Here struct {
	Channel string   `json:"channel"`
	Here    []Person `json:"here"` // up to 200
	Count   int      `json:"count"`
}

// Direct finds the conversation with a person, by id or name. Publish to its channel to write to them.
func (c *Client) Direct(ctx context.Context, user string) (Direct, error) {
	return fetch[Direct](ctx, c, http.MethodGet, "/v1/direct/"+inPath(user), nil)
}

// Conversations are our rooms and direct conversations, the most recently active first.
func (c *Client) Conversations(ctx context.Context) ([]Conversation, error) {
	var answer struct{ Conversations []Conversation }
	err := c.env.http.get(ctx, "/v1/conversations", &answer)
	return answer.Conversations, err
}

// MarkRead says how far we have read; never backwards.
func (c *Client) MarkRead(ctx context.Context, channel string, seq uint64) error {
	return c.env.http.send(ctx, http.MethodPut, "/v1/channels/"+inPath(channel)+"/read", map[string]uint64{"seq": seq}, nil)
}

// Presence asks who reads a channel now, by whatever transport.
func (c *Client) Presence(ctx context.Context, channel string) (Here, error) {
	return fetch[Here](ctx, c, http.MethodGet, "/v1/channels/"+inPath(channel)+"/presence", nil)
}

// Signal sends something passing, such as "typing", to who reads the channel now. It is never repeated. data is encoded as
// JSON, up to 1 KiB; nil is {}.
func (c *Client) Signal(ctx context.Context, channel, typ string, data any) error {
	if data == nil {
		data = struct{}{}
	}
	return c.env.http.send(ctx, http.MethodPost, "/v1/channels/"+inPath(channel)+"/signals", map[string]any{"type": typ, "data": data}, nil)
}
