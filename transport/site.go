package transport

import (
	"context"
	"encoding/json"
	"net/http"

	"parley/channel"
)

// Site is what the transports ask about people and their rights; they know nothing of rooms, votes or sessions
// themselves. Its methods may be called concurrently. Errors should be, or wrap, a problem.Problem: it is what the other
// side is shown.
type Site interface {
	// Person returns who makes the request: the zero Sender for nobody, an error for a bad or ended session.
	Person(r *http.Request) (channel.Sender, error)

	// Enlist is Person, but makes a guest where there is nobody, setting headers on w.
	Enlist(w http.ResponseWriter, r *http.Request) (channel.Sender, error)

	// Generation changes whenever somebody's right to read something may have been taken away. Open streams compare
	// it before they deliver anything, and ask MayRead again when it has changed.
	Generation() uint64

	// MayRead returns an error if p may not read the channel, and otherwise how p sees its messages (nil: as they are).
	MayRead(ctx context.Context, p channel.Sender, name channel.Name) (channel.Lens, error)

	// Publish commits the drafts, which have Channel, Key, Type and Data, in the name of p, after it has checked the right to and
	// the shape: all of them, in their order, or none. It returns when they are committed.
	Publish(ctx context.Context, p channel.Sender, drafts ...channel.Draft) ([]channel.Receipt, error)

	// Signal sends a signal in the name of p, after it has checked the right to.
	Signal(ctx context.Context, p channel.Sender, name channel.Name, typ string, data json.RawMessage) error

	// Allow is the rate limits' say about n at once, all or none.
	Allow(p channel.Sender, what Action, n int) error

	// Hold counts one more open stream or waiting poll from the request's address, until release is called.
	Hold(r *http.Request) (release func(), err error)

	// Regular is asked when a read was let through that is likely to be made again and again, byte for byte. It returns what is to be asked then instead of the
	// handlers that the request went through, or nil if it shall go through them each time.
	Regular(r *http.Request) Regular

	// CheckOrigin refuses pages of foreign origins. It is asked before anything else, on every request.
	CheckOrigin(r *http.Request) error
}

// Regular is somebody who sends the same read over and over on one connection. Its methods must not block; an error means that the request
// shall go through the handlers, which then say what is wrong.
type Regular interface {
	// Person is Site.Person for the same request now, if that can be told from memory.
	Person() (channel.Sender, error)

	// Hold is Site.Hold for it, until Release is called.
	Hold() error
	Release()

	// Count counts it against the limits that the handlers before count a request against. It is called last, so that nothing is counted twice.
	Count() error
}

// Action is something that rate limits may count.
type Action int

const (
	ActionPublish Action = iota + 1 // a message
	ActionSignal                    // a signal
)
