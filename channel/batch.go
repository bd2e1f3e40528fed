package channel

// Batch is what every transport delivers: the messages after From, up to and including To. A receiver at From applies
// it; past To, drops it; between, takes the messages past its own seq; before From, it has a hole and reads from its
// own position.
//
// If Gap is set there are no messages: they cannot be had, and Gap says why.
type Batch struct {
	Channel  Name
	From, To Position
	Messages []Message
	More     bool // the limit cut it: there is more in this direction already
	Gap      *Gap
}

// Gap stands in place of messages that cannot be had.
type Gap struct {
	From   Position // of the reader
	Reason Reason
	Resume Position // reading from here misses nothing that still exists
	Tail   Position // the newest
}

// Reason says why messages cannot be had.
type Reason string

const (
	Retention Reason = "retention" // too old: removed by the channel's retention
	Rollback  Reason = "rollback"  // the log's past is not the reader's past any more
	Deleted   Reason = "deleted"   // the channel is gone; there is nothing to resume
)
