package verify

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Counts are what happened.
type Counts struct {
	Published    int64 `json:"published"`    // messages, each counted once
	Acknowledged int64 `json:"acknowledged"` // of them
	Repeated     int64 `json:"repeated"`     // publishes that were sent again, on purpose or for want of an answer
	Refused      int64 `json:"refused"`      // requests that the server's limits refused; they were repeated later
	Ballots      int64 `json:"ballots"`      // acknowledged
	Delivered    int64 `json:"delivered"`    // messages, over all readers
	Connections  int64 `json:"connections"`  // of readers: each change of transport, drop and resumption
	Broken       int64 `json:"broken"`       // connections and requests that failed: the server or the network was away
	Gaps         int64 `json:"gaps"`         // that readers were told of
	Lost         int64 `json:"lost"`         // acknowledged messages that a rollback took, of which readers were told (Options.MayLose)
	LostBallots  int64 `json:"lost_ballots"` // likewise: voters whose last acknowledged ballot is not the one that counts
	Violations   int64 `json:"violations"`
}

// counters are the Counts while they change.
type counters struct {
	published, acknowledged, repeated, refused, ballots, delivered, connections, broken, gaps, lost, lostBallots, violations atomic.Int64
}

func (c *counters) read() Counts {
	return Counts{
		c.published.Load(), c.acknowledged.Load(), c.repeated.Load(), c.refused.Load(), c.ballots.Load(), c.delivered.Load(),
		c.connections.Load(), c.broken.Load(), c.gaps.Load(), c.lost.Load(), c.lostBallots.Load(), c.violations.Load(),
	}
}

// Report is the verdict. The server is good if there are no Violations and nothing is left Open.
type Report struct {
	URL        string      `json:"url"`
	Nodes      []string    `json:"nodes,omitempty"`
	Seed       uint64      `json:"seed"`
	Rooms      []string    `json:"rooms"`
	Vote       string      `json:"vote"`
	Began      time.Time   `json:"began"`
	Seconds    float64     `json:"seconds"`
	Counts     Counts      `json:"counts"`
	Violations []Violation `json:"violations"` // the first of them, up to MaxViolations
	Open       []string    `json:"open"`       // what could not be decided, for want of an answer
}

// MaxViolations is how many violations a report describes. Counts.Violations counts all.
const MaxViolations = 100

// Violation is a broken promise.
type Violation struct {
	Rule     string    `json:"rule"` // lost, twice, order, altered, acknowledged, replay, rollback, tally or protocol; see the package's documentation
	Channel  string    `json:"channel"`
	Seq      uint64    `json:"seq,omitempty"`
	Who      string    `json:"who"` // saw it: a reader, publisher or voter, with its transport
	Expected string    `json:"expected"`
	Came     string    `json:"came"`
	At       time.Time `json:"at"`
}

func (v Violation) String() string {
	where := v.Channel
	if v.Seq > 0 {
		where += fmt.Sprintf(" seq %d", v.Seq)
	}
	return fmt.Sprintf("%s: %s, %s: expected %s; came %s", v.Rule, where, v.Who, v.Expected, v.Came)
}
