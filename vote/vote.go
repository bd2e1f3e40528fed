package vote

import (
	"context"
	"net/http"
	"time"

	"parley/channel"
	"parley/problem"
)

// Vote is a question with options, and its tally.
type Vote struct {
	Code     string
	Question string
	Options  []Option
	Min, Max int // how many options a ballot has
	Room     string
	Owner    channel.Sender
	Change   bool // whether a ballot may be changed
	Named    bool // whether ballots are shown with names
	Results  Results
	Open     bool
	Closes   time.Time // deadline by the server's clock; zero: none
	Created  time.Time
	Version  uint64 // the seq of the vote's newest event in channel vote:{code}: only grows
	Voters   int    // how many ballots there are
}

// Option is one answer. IDs count from 1 in the order given.
type Option struct {
	ID    int
	Text  string
	Count int // ballots that have it
}

// Results says to whom the counts are shown, and when.
type Results string

const (
	Always Results = "always"
	Voted  Results = "voted"  // to who has voted, and to all after closing
	Closed Results = "closed" // to all after closing
	Owner  Results = "owner"  // to the owner only
)

// Ballot is what one person cast.
type Ballot struct {
	Code    string
	Voter   channel.Sender
	Options []int // ascending
	At      time.Time
}

// Change is what Update changes; nil fields stay.
type Change struct {
	Open     *bool
	Results  *Results
	Closes   *time.Time // zero time: no deadline
	Question *string
	Options  []string
	Min, Max *int
	Change   *bool
	Named    *bool
}

// Store is what the package needs of an engine. Every method that changes a vote appends, in the same transaction,
// a message of type tally to channel vote:{code} whose data is Event(vote) and whose seq is the vote's new Version. Several
// changes of one vote that share a transaction may share one event.
type Store interface {
	CreateVote(ctx context.Context, v Vote, drafts ...channel.Draft) (Vote, error) // ErrCodeTaken; drafts (the room's announcement) are appended too
	Vote(ctx context.Context, code string) (Vote, error)                           // ErrNoVote
	Votes(ctx context.Context, user string, limit int) ([]Vote, error)             // made by user, voted in by user, or in user's rooms; newest first
	// Update loads the vote, lets change turn it into what it shall be (or refuse), and stores that, in one transaction. Code,
	// Room, Owner, Created, Version, Voters and counts stay as they are. If the vote is the Same, nothing happens.
	// Here and in Cast the function may be called again when a transaction is repeated, and must not use the store.
	Update(ctx context.Context, code string, change func(Vote) (Vote, error)) (Vote, error)
	// Cast loads the vote and the voter's earlier ballot (nil if none), lets check refuse, and stores the ballot, counts it in and
	// takes the earlier one out, in one transaction. A ballot equal to the earlier one changes nothing and is no error.
	Cast(ctx context.Context, b Ballot, check func(v Vote, earlier *Ballot) error) (Vote, error)
	BallotOf(ctx context.Context, code, voter string) (*Ballot, error)       // nil if none
	Ballots(ctx context.Context, code string, limit int) ([]Ballot, error)   // limit 0: all; by time, with current names
	NextDeadline(ctx context.Context) (code string, at time.Time, err error) // of the open votes; code "" if none
	Recount(ctx context.Context, code string) (Vote, error)                  // the vote with counts and voters counted anew from the ballots
}

var (
	ErrNoVote       = problem.New(http.StatusNotFound, "no_vote", "There is no such vote")
	ErrVoteClosed   = problem.New(http.StatusConflict, "vote_closed", "The vote is closed")
	ErrAlreadyVoted = problem.New(http.StatusConflict, "already_voted", "A ballot in this vote cannot be changed")
	ErrBadOptions   = problem.New(http.StatusUnprocessableEntity, "bad_options", "The options are not right")
	ErrVoteLocked   = problem.New(http.StatusConflict, "vote_locked", "The vote has ballots already")
	ErrCodeTaken    = problem.New(http.StatusConflict, "code_taken", "The code is taken")
)
