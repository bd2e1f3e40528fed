package verify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options say what to verify, and how hard.
type Options struct {
	URL   string   // of the server or of a proxy before it: http://127.0.0.1:8080
	Nodes []string // addresses of more nodes of the same site: everybody takes another for each request and connection
	Token string   // who does everything; empty: guests made for it. One person is one voter.
	Room  string   // id of a room to use beside other people; empty: two private rooms made for it, and removed afterwards
	Keep  bool     // leave rooms and guests on the server afterwards. Where a violation was found they are left in any case.

	// Writing ends after For (default 30 s), after so many acknowledged Messages (0: any number), or when Stop is closed,
	// whichever is first. Then the readers catch up.
	For      time.Duration
	Messages int
	Stop     <-chan struct{}

	// MayLose are the levels of durability, as acknowledgements say them ("memory", "replicated", "fsynced"), that may be lost: by a failover, or
	// by a backup that is restored meanwhile. Logs may then go back, if everybody who had read further is told so, by a gap; what was
	// acknowledged with another level must still be there. Default: none, and any such gap is a violation. Not together with Room.
	MayLose []string

	// Transports to read by, and with "websocket" to publish by: of "poll", "longpoll", "sse" and "websocket". Default: all.
	Transports []string

	Publishers int     // default 4: every other one over HTTP, one after the other; over WebSocket, pipelined
	Readers    int     // default 8: the first four keep to a transport each, the others switch; every fourth comes late
	Voters     int     // default 8
	Rate       float64 // messages a second of each publisher; default 200; negative: as many as are answered
	Seed       uint64  // of all that is random; 0: one is chosen, and told in the report

	Timeout time.Duration // of a request before it is repeated; default 10 s
	Settle  time.Duration // how long the last answers and the readers' catching up may take; default 1 minute

	// Progress, if set, is told four times a second how far the run is.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	Phase   string        // what is being done: "preparing", "running", "catching up", "judging"
	Elapsed time.Duration // since writing began
	Done    float64       // of the writing, 0 to 1; 0 where there is no telling
	Counts
}

// durabilities are what an acknowledgement may say of itself.
var durabilities = []string{"memory", "replicated", "fsynced"}

func (o Options) withDefaults() (Options, error) {
	o.URL, o.Nodes = strings.TrimSuffix(o.URL, "/"), slices.Clone(o.Nodes)
	for i := range o.Nodes {
		o.Nodes[i] = strings.TrimSuffix(o.Nodes[i], "/")
	}
	for _, addr := range o.addresses() {
		u, err := url.Parse(addr)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return o, fmt.Errorf("%q is not the address of a server, like http://127.0.0.1:8080", addr)
		}
	}
	if o.Publishers < 0 || o.Readers < 0 || o.Voters < 0 || o.Messages < 0 || o.For < 0 {
		return o, fmt.Errorf("publishers, readers, voters, messages and the time cannot be negative")
	}
	if len(o.Transports) == 0 {
		o.Transports = slices.Clone(transports)
	}
	for _, name := range o.Transports {
		if !slices.Contains(transports, name) {
			return o, fmt.Errorf("there is no transport %q: there are %s", name, strings.Join(transports, ", "))
		}
	}
	for _, level := range o.MayLose {
		if !slices.Contains(durabilities, level) {
			return o, fmt.Errorf("there is no durability %q: there are %s", level, strings.Join(durabilities, ", "))
		}
	}
	if len(o.MayLose) > 0 && o.Room != "" {
		return o, fmt.Errorf("what may be lost can be judged in rooms of its own only: nobody knows what others were promised")
	}
	or(&o.Publishers, 4)
	or(&o.Readers, 8)
	or(&o.Voters, 8)
	or(&o.Rate, 200)
	or(&o.Timeout, 10*time.Second)
	or(&o.Settle, time.Minute)
	if o.For == 0 && o.Messages == 0 && o.Stop == nil {
		o.For = 30 * time.Second
	}
	if o.Token != "" {
		o.Voters = 1
	}
	return o, nil
}

func (o Options) addresses() []string { return append([]string{o.URL}, o.Nodes...) }

func or[T comparable](value *T, byDefault T) {
	var zero T
	if *value == zero {
		*value = byDefault
	}
}
