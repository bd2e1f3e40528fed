package channel

import (
	"context"
	"net/http"

	"parley/problem"
)

// Log is what the package needs of an engine: durable, ordered channels. A channel comes into being with its first
// message. All methods may be called concurrently.
type Log interface {
	// Append commits the drafts in one transaction, in order, and returns when they are as durable as the receipts say.
	// A draft whose Key is known (same channel and sender) yields the first receipt, with Replayed; with other content,
	// ErrKeyReused, and then nothing is appended. An Amend of a message that is absent yields ErrNoMessage, of an
	// erased one ErrErased. When its queue is full it returns problem.Overloaded at once.
	Append(ctx context.Context, drafts ...Draft) ([]Receipt, error)

	// Read returns the messages after a position: at most limit, and at most about maxBytes of data but always at least
	// one. A position that is not in the log's past yields a Batch with a Gap. A bare position (Mark 0) is not
	// verified; past the tail it means the tail. In a conflated kind only the newest message is returned, with From
	// and To spanning the rest. After End: an empty batch at the tail. An absent channel is empty. From and To have
	// their marks, also where after has none.
	Read(ctx context.Context, name Name, after Position, limit, maxBytes int) (Batch, error)

	// Before returns the newest messages before a position (End: the newest of all), ascending; More tells that older
	// ones are still there.
	Before(ctx context.Context, name Name, before Position, limit, maxBytes int) (Batch, error)

	// Message returns one message, or ErrNoMessage.
	Message(ctx context.Context, name Name, seq uint64) (Message, error)

	// Tail is the position of the newest message; the zero Position for an empty channel.
	Tail(ctx context.Context, name Name) (Position, error)

	// Delete removes a channel with its messages, for good: the name cannot be used again (ErrDeleted), readers get a
	// gap, and the sink hears Deleted.
	Delete(ctx context.Context, name Name) error

	// Signal hands s to every node's sink. It is neither stored nor acknowledged.
	Signal(ctx context.Context, s Signal) error

	// Follow makes sink hear of everything committed from now on. It is called once, before the engine is used.
	Follow(sink Sink)
}

// Sink hears what an engine committed: in the order of each channel's seq, each message once, and never before it is
// durable. Its methods must not block.
type Sink interface {
	Committed([]Message)
	// Deleted says that nothing known of the channel holds any more: readers ask the log again. So an engine may also call
	// it where the log lost its end, or where it may have missed something.
	Deleted(Name)
	Signalled(Signal)
}

var (
	ErrKeyReused = problem.New(http.StatusUnprocessableEntity, "key_reused", "The idempotency key was used for other content")
	ErrNoMessage = problem.New(http.StatusNotFound, "no_message", "There is no such message")
	ErrErased    = problem.New(http.StatusNotFound, "no_message", "The message was deleted")
	ErrDeleted   = problem.New(http.StatusGone, "channel_deleted", "The channel was deleted")
)
