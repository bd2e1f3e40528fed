package client

import (
	"encoding/json"
	"time"
)

// Person is somebody, as others see them.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// User is who we are.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
}

// Message is one entry of a channel.
type Message struct {
	Seq  uint64          `json:"seq"` // dense, from 1, per channel
	ID   string          `json:"id"`  // the publisher's key
	Type string          `json:"type"`
	From *Person         `json:"from"` // nil: the server itself
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
}

// Text is the text of a message of type "text", and "" for all others and for deleted ones.
func (m Message) Text() string {
	var data struct{ Text string }
	if m.Type != "text" || json.Unmarshal(m.Data, &data) != nil {
		return ""
	}
	return data.Text
}

// Draft is a message to be published.
type Draft struct {
	Type string // "" is "text"
	Data any    // encoded as JSON; nil is {}
	ID   string // the idempotency key, 1 to 64 of A–Z a–z 0–9 . _ ~ -; "": a new one is made
}

// Receipt says that a message is committed.
type Receipt struct {
	Channel    string    `json:"channel"`
	Seq        uint64    `json:"seq"`
	Position   string    `json:"position"`
	ID         string    `json:"id"` // the key; set also where Publish failed, so that it can be repeated
	At         time.Time `json:"at"`
	Durability string    `json:"durability"` // "fsynced", "replicated" or "memory"
}

// Batch is a run of messages, ascending, from one position to another.
type Batch struct {
	Channel  string    `json:"channel"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Messages []Message `json:"messages"`
	More     bool      `json:"more"` // the limit cut it
}

// Signal is something passing: "typing", "here", "join", "leave", "read".
type Signal struct {
	Channel string          `json:"-"`
	Type    string          `json:"type"`
	From    *Person         `json:"from"`
	Data    json.RawMessage `json:"data"`
}

// object is whatever a stream carries; docs/protocol.md, "The streams' objects".
type object struct {
	Channel  string          `json:"channel"`
	From     string          `json:"from"`
	To       string          `json:"to"`
	Messages []Message       `json:"messages"`
	More     bool            `json:"more"`
	Gap      *Gap            `json:"gap"`
	Signal   *Signal         `json:"signal"`
	Ended    *ended          `json:"ended"`
	Hello    *hello          `json:"hello"`
	Bye      *bye            `json:"bye"`
	Ref      *uint64         `json:"ref"`
	Result   json.RawMessage `json:"result"`
	Error    *problem        `json:"error"`
}

type hello struct {
	Heartbeat float64 `json:"heartbeat"` // seconds
	User      *User   `json:"user"`
}

type bye struct {
	RetryAfter float64 `json:"retry_after"` // seconds
}

type ended struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (b bye) err() *Error {
	return &Error{Code: CodeNetwork, Detail: "The server is leaving.", RetryAfter: seconds(b.RetryAfter), said: true}
}
