package transport

import (
	"sync"

	"parley/channel"
	"parley/websocket"
)

// batchKey is what the encoding of a batch is made of. Messages are the same if they are the same part of the hub's memory, which is never changed:
// what a lens has changed is elsewhere.
type batchKey struct {
	channel  channel.Name
	from, to channel.Position
	first    *channel.Message
	n        int
	more     bool
}

// keyOf returns the key of a batch that has messages.
func keyOf(b *channel.Batch) batchKey {
	return batchKey{b.Channel, b.From, b.To, &b.Messages[0], len(b.Messages), b.More}
}

// sharedBatch is the last batch that WebSockets were told: nearly all readers of a channel are at the same position, so it is encoded, and framed,
// once for all of them.
type sharedBatch struct {
	mu      sync.Mutex
	of      batchKey
	message *websocket.Prepared // nil until a second one asks
}

// prepared returns the message if another connection has been told the same, or nil.
func (s *sharedBatch) prepared(b *channel.Batch) *websocket.Prepared {
	if b == nil || b.Gap != nil || len(b.Messages) == 0 {
		return nil
	}
	key := keyOf(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.of != key:
		s.of, s.message = key, nil
	case s.message == nil:
		s.message = websocket.Prepare(websocket.MessageText, b.AppendJSON(nil))
	}
	return s.message
}

// sharedAnswer is the last answer that two got: whoever waits at the same position of a channel, as most of its readers do, is told the same, so
// it is encoded once for all.
type sharedAnswer struct {
	mu   sync.Mutex
	of   answerKey
	tag  string
	text []byte // never changed; nil until a second one asks
}

// sharedMost is how long an answer may be that is kept, in bytes.
const sharedMost = 16 << 10

// answerKey is what an answer is made of.
type answerKey struct {
	batchKey
	waited bool
	head   string
	second int64 // of the date
}

// date is a second, as the header Date tells it.
type date struct {
	second int64
	line   string
}
