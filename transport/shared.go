package transport

import (
	"sync"

	"parley/channel"
)

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

// answerKey is what an answer is made of. Messages are the same if they are the same part of the hub's memory, which is never changed.
type answerKey struct {
	channel  channel.Name
	from, to channel.Position
	first    *channel.Message
	n        int
	more     bool
	waited   bool
	head     string
	second   int64 // of the date
}

// date is a second, as the header Date tells it.
type date struct {
	second int64
	line   string
}
