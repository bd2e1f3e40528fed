// Package transfer is what goes from one engine to another when a site moves: every record that an engine keeps, in a form that both know, and
// Copy, which carries them over.
//
// A copy that was broken off is taken up again: what was told of people, rooms and votes is told once more, which changes nothing, and each
// channel goes on behind its last message that arrived. Positions stay valid, because messages keep their seq and mark.
package transfer

import (
	"context"
	"errors"

	"parley/channel"
)

// What a Source or Target refuses.
var (
	ErrOccupied = errors.New("the target has data of its own: take an empty one")
	ErrOther    = errors.New("the target has part of a copy of something else, or of what was changed since: empty it and begin anew")
	ErrServed   = errors.New("a server is running on it: stop it first")
	ErrUnready  = errors.New("something is still under way in it: start a server, wait ten seconds, stop it, and try again")
)

// Records. Times are milliseconds since 1970.
type (
	Secret struct {
		Name  string
		Value []byte
	}
	AdminLink struct{ Hash []byte } // of the one-time link
	User      struct {
		ID, Name, Fold string
		Admin          bool
		Created, Seen  int64
	}
	Room struct {
		ID, Name, Topic string
		Private         bool
		Owner, Invite   string
		Created         int64
	}
	Member struct {
		Room, User string
		Read       uint64
		Joined     int64
	}
	Direct struct { // one side of a direct conversation
		User, Other, Name string // the name is other's, when it was last noted
		Read              uint64
		Joined            int64
	}
	Vote struct {
		Code, Question   string
		Options          []string
		Counts           []int
		Voters, Min, Max int
		Room             string
		Owner, OwnerName string
		Change, Named    bool
		Results          string
		Open             bool
		Closes, Created  int64 // Closes 0: no deadline
		Version          uint64
	}
	Ballot struct {
		Code, Voter, Name string
		Options           uint64 // bit n-1: option n
		At                int64
	}
	Message struct {
		channel.Message          // without Amend
		Erased          bool     // its text is gone
		Amends          uint64   // the message that this event changed; 0: none
		Also            []uint64 // the events that changed this message
		Key             []byte   // hash of its content, if its id is an idempotency key that counts still
	}
	Channel struct { // comes behind its messages
		Name        channel.Name
		Floor, Tail channel.Position
		At          int64 // of the newest message
		Deleted     bool
	}
)

// Size is how much there is, for progress, and to tell whether a source has changed.
type Size struct{ Users, Rooms, Votes, Ballots, Messages int64 }

// Source is where a copy comes from. Nobody else changes it meanwhile.
type Source interface {
	Size(context.Context) (Size, error)

	// Export tells every record: secrets, people, rooms, memberships, votes in the order in which they were made with their ballots, and each
	// channel's messages in order, behind those that the target has, and then the channel.
	Export(ctx context.Context, have func(channel.Name) (uint64, error), put func(...any) error) error
	Close() error
}

// Target is where a copy goes to.
type Target interface {
	// Begin takes up the copy of a site, or begins it. Errors: ErrOccupied, ErrOther.
	Begin(ctx context.Context, site string) error
	Have(ctx context.Context, name channel.Name) (seq uint64, err error) // up to where its messages have arrived
	Put(ctx context.Context, records ...any) error                       // to repeat it changes nothing
	Finish(context.Context) error                                        // from now on the target can be served
	Close() error
}
