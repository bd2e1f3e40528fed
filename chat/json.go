package chat

import (
	"bytes"
	"encoding/json"
	"time"

	"parley/channel"
)

// timeFormat is RFC 3339 in milliseconds, as everywhere in the protocol; times are UTC.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// MarshalJSON renders the room as the protocol says. The invite is not part of it.
func (r Room) MarshalJSON() ([]byte, error) {
	return encode(struct {
		ID      string          `json:"id"`
		Channel channel.Name    `json:"channel"`
		Name    string          `json:"name"`
		Topic   string          `json:"topic"`
		Private bool            `json:"private"`
		Owner   *channel.Sender `json:"owner"`
		Members int             `json:"members"`
		Joined  bool            `json:"joined"`
		Created string          `json:"created"`
	}{r.ID, r.Channel(), r.Name, r.Topic, r.Private, orNull(r.Owner), r.Members, r.Joined, r.Created.UTC().Format(timeFormat)})
}

// MarshalJSON renders the conversation as the protocol says: in a list and in a `conversation` event alike.
func (c Conversation) MarshalJSON() ([]byte, error) {
	return encode(struct {
		Channel  channel.Name    `json:"channel"`
		Kind     string          `json:"kind"`
		Name     string          `json:"name"`
		Topic    string          `json:"topic"`
		Private  bool            `json:"private"`
		With     *channel.Sender `json:"with"`
		Position string          `json:"position"`
		Read     uint64          `json:"read"`
		Unread   int             `json:"unread"`
	}{c.Channel, c.Kind, c.Name, c.Topic, c.Private, orNull(c.With), c.Position.String(), c.Read, c.Unread})
}

func orNull(s channel.Sender) *channel.Sender {
	if s == (channel.Sender{}) {
		return nil
	}
	return &s
}

type (
	textData struct {
		Text   string `json:"text"`
		Edited string `json:"edited,omitempty"`
	}
	editData struct {
		Seq  uint64 `json:"seq"`
		Text string `json:"text"`
	}
	deleteData struct {
		Seq uint64 `json:"seq"`
	}
	topicData struct {
		Name  string `json:"name"`
		Topic string `json:"topic"`
	}
	leftData struct {
		Channel channel.Name `json:"channel"`
		Deleted bool         `json:"deleted,omitempty"`
	}
	readData struct {
		Channel channel.Name `json:"channel"`
		Seq     uint64       `json:"seq"`
	}
)

// erased is what is left of a deleted message, and of the edits it had.
var erased = json.RawMessage(`{"deleted":true}`)

func edited(text string, at time.Time) json.RawMessage {
	return mustEncode(textData{text, at.UTC().Format(timeFormat)})
}

// encode is json.Marshal without the escapes for HTML, which would make six bytes of one.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// mustEncode encodes the package's own types, which cannot fail.
func mustEncode(v any) json.RawMessage {
	b, err := encode(v)
	if err != nil {
		panic("chat: " + err.Error())
	}
	return b
}
