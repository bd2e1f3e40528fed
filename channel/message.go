package channel

import (
	"encoding/json"
	"time"
)

// Sender is who a message is from. The zero Sender is nobody: an anonymous reader, never an author.
type Sender struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// System is the author of what the server itself writes. No person can have this id.
var System = Sender{ID: "parley", Name: "Parley"}

// Message is one entry of a channel. It is immutable once an engine has made it; only a Lens makes another of it.
type Message struct {
	Channel Name
	Seq     uint64 // dense, from 1
	Mark    Mark   // of this message
	Prev    Mark   // of the message before it; 0 for the first
	ID      string // the publisher's key, or made by the server
	Type    string
	From    Sender
	At      time.Time       // the server's clock, in milliseconds, UTC
	Data    json.RawMessage // valid JSON, compact

	// Amend is set on an event that changed an earlier message of the channel (an edit, a deletion), so that whoever
	// holds that message in memory can change it too. Set only on freshly committed messages.
	Amend *Amendment

	json []byte // the encoding that all readers share; nil: none was made
}

// Position is that of a reader who has the channel up to and including m.
func (m *Message) Position() Position { return Position{m.Seq, m.Mark} }

// Before is the position of a reader who has everything before m.
func (m *Message) Before() Position { return Position{m.Seq - 1, m.Prev} }

// Amendment replaces the data of an earlier message, in the commit that appends the event which says so.
type Amendment struct {
	Seq   uint64
	Data  json.RawMessage
	Erase bool // afterwards the message cannot be amended any more

	// Also is set by the engine on an erasure: the earlier events that amended the message. Their data is replaced
	// by Data too, so that nothing of the message can be read any more.
	Also []uint64
}

// Draft is a message before it is appended.
type Draft struct {
	Channel Name
	Key     string // idempotency key, unique per channel and sender, and the message's id; "" lets the engine make one
	Type    string
	From    Sender
	Data    json.RawMessage
	Amend   *Amendment
}

// Receipt is the answer to a publish: it is committed.
type Receipt struct {
	Channel    Name
	Position   Position
	ID         string
	At         time.Time
	Durability Durability
	Replayed   bool // the key was known: this is the first answer, and nothing was appended now
}

// Durability is what an acknowledgement means.
type Durability string

const (
	Fsynced    Durability = "fsynced"    // on disk: survives power loss
	Replicated Durability = "replicated" // on another machine
	Memory     Durability = "memory"     // in the memory of one process only
)

// Signal is something not worth keeping: delivered to who is there now, never stored.
type Signal struct {
	Channel Name
	Type    string
	From    Sender
	Data    json.RawMessage

	json []byte // the encoding that all readers share; nil: none was made
}
