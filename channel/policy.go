package channel

import "time"

// Policy is how long a kind of channel keeps its messages, and how it is read. The zero Policy keeps everything.
type Policy struct {
	KeepCount uint64        // keep at most about this many messages; 0: no limit
	KeepAge   time.Duration // keep messages at most about this long; 0: no limit
	Conflate  bool          // only the newest message matters: readers get that one alone
}

// Policies gives the policy of each kind; kinds that are absent have the zero Policy.
type Policies map[string]Policy

// For returns the policy of a channel.
func (p Policies) For(name Name) Policy { return p[name.Kind()] }
