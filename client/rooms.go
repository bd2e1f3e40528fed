package client

import (
	"context"
	"net/http"
	"time"
)

// Room is a room.
type Room struct {
	ID      string    `json:"id"`
	Channel string    `json:"channel"`
	Name    string    `json:"name"`
	Topic   string    `json:"topic"`
	Private bool      `json:"private"`
	Owner   *Person   `json:"owner"`
	Members int       `json:"members"`
	Joined  bool      `json:"joined"`
	Created time.Time `json:"created"`
}

// NewRoom is a room to be made.
type NewRoom struct {
	Name    string `json:"name"` // up to 60 characters
	Topic   string `json:"topic,omitempty"`
	Private bool   `json:"private,omitempty"`
}

// RoomChange is what to change of a room; nil leaves as it is.
type RoomChange struct {
	Name  *string `json:"name,omitempty"`
	Topic *string `json:"topic,omitempty"`
}

// Invite lets people into a private room.
type Invite struct {
	Invite string `json:"invite"`
	URL    string `json:"url"`
}

// Rooms are the public rooms, and the private ones we are in.
func (c *Client) Rooms(ctx context.Context) ([]Room, error) {
	var answer struct{ Rooms []Room }
	err := c.env.http.get(ctx, "/v1/rooms", &answer)
	return answer.Rooms, err
}

// Room is one room.
func (c *Client) Room(ctx context.Context, id string) (Room, error) {
	return fetch[Room](ctx, c, http.MethodGet, "/v1/rooms/"+inPath(id), nil)
}

// CreateRoom makes a room. The id is made from the name.
func (c *Client) CreateRoom(ctx context.Context, wanted NewRoom) (Room, error) {
	return fetch[Room](ctx, c, http.MethodPost, "/v1/rooms", wanted)
}

// UpdateRoom changes a room, as its owner or an administrator.
func (c *Client) UpdateRoom(ctx context.Context, id string, change RoomChange) (Room, error) {
	return fetch[Room](ctx, c, http.MethodPatch, "/v1/rooms/"+inPath(id), change)
}

// DeleteRoom removes a room and its messages, as its owner or an administrator.
func (c *Client) DeleteRoom(ctx context.Context, id string) error {
	return c.env.http.send(ctx, http.MethodDelete, "/v1/rooms/"+inPath(id), nil, nil)
}

// Join makes us a member; private rooms need an invite, public ones "".
func (c *Client) Join(ctx context.Context, id, invite string) error {
	body := map[string]string{}
	if invite != "" {
		body["invite"] = invite
	}
	return c.env.http.send(ctx, http.MethodPut, "/v1/rooms/"+inPath(id)+"/membership", body, nil)
}

// Leave ends our membership.
func (c *Client) Leave(ctx context.Context, id string) error {
	return c.env.http.send(ctx, http.MethodDelete, "/v1/rooms/"+inPath(id)+"/membership", nil, nil)
}

// Members are who is in a room.
func (c *Client) Members(ctx context.Context, id string) ([]Person, error) {
	var answer struct{ Members []Person }
	err := c.env.http.get(ctx, "/v1/rooms/"+inPath(id)+"/members", &answer)
	return answer.Members, err
}

// Invite is the room's invite, for any member to give.
func (c *Client) Invite(ctx context.Context, id string) (Invite, error) {
	return fetch[Invite](ctx, c, http.MethodPost, "/v1/rooms/"+inPath(id)+"/invite", nil)
}

// RevokeInvites makes old invite links void, as the owner.
func (c *Client) RevokeInvites(ctx context.Context, id string) error {
	return c.env.http.send(ctx, http.MethodDelete, "/v1/rooms/"+inPath(id)+"/invite", nil, nil)
}
