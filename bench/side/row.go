package side

import "errors"

// ErrUnsupported means that a peer does not do what a row needs.
var ErrUnsupported = errors.New("not supported")

// Peer is a program that is measured.
type Peer struct {
	Key   string
	Title string
	Ours  bool // what is judged
	Other bool // not in Go
}

// Row is one kind of work; it yields one or more lines of the table. S is a running peer.
type Row[S any] struct {
	Key     string
	Lines   []Line
	Prepare func(S) error                // once per peer, before the first round; may be nil
	Run     func(S) (Measurement, error) // once per peer and round
}

// Measurement has a value for each line of its row.
type Measurement struct {
	Values []float64
	Rate   float64 // messages a second, 0 if that says nothing
	Busy   float64 // how much of the time the server computed, 1 for all of it; 0 if that says nothing
	Load   float64 // the same of the load, which must not be what is slow; 0 if that is not known
}

// Line is a line of the table.
type Line struct {
	Title   string
	Unit    string
	More    bool // more is better
	Targets []Target
}

// Target compares one of our forms with a peer. It is reached if our value divided by the peer's is at most Factor (at
// least, if more is better).
type Target struct {
	Form   string // one of our peers, or "" for all
	Factor float64
	Of     string // a peer, "best", "best Go", or "" for Factor itself
	Aim    bool   // else it must be reached
}

// Must is a target that has to be reached, Aim one that would be good to reach.
func Must(factor float64, of string) Target { return Target{Factor: factor, Of: of} }
func Aim(factor float64, of string) Target  { return Target{Factor: factor, Of: of, Aim: true} }
