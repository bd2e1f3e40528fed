package load

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Kinds are what can be measured.
var Kinds = []string{"publish", "fanout", "longpoll", "idle", "ballots"}

// Transports are the ways to publish and read; of publish: http and websocket; of the others: websocket, sse and longpoll.
var Transports = []string{"http", "websocket", "sse", "longpoll"}

// Options say what to measure.
type Options struct {
	URL         string
	Token       string // who publishes and reads; empty: guests made for it
	Kind        string // default fanout
	Transport   string // default: http for publish, longpoll for longpoll, websocket for the others
	Connections int    // of publishers (publish), readers (fanout, longpoll, idle) or watchers of the tally (ballots); default 64, 0 for ballots
	People      int    // guests that the connections belong to, in turn; default 1. Of ballots: the voters; default 256

	// Rate is the messages or ballots a second of an open loop. Else InFlight of them wait for their answers at any time in
	// a closed loop: default 64, of fanout and longpoll 1.
	Rate     float64
	InFlight int

	Warmup time.Duration // before measuring; default 1 s; negative: none
	For    time.Duration // default 10 s
	Size   int           // bytes of a message's data, from 64; default 128

	// Progress, if set, is told four times a second.
	Progress func(Progress)
}

// Progress is how far a measurement is.
type Progress struct {
	Phase     string  // "preparing", "connecting", "warming up", "measuring", "draining"
	Done      float64 // 0 to 1, of the phase
	Connected int
	Sent      int64 // acknowledged publishes or ballots, a second
	Delivered int64 // messages, a second
	Lost      int64 // connections
}

func (o Options) withDefaults() (Options, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.TrimSuffix(u.Path, "/") != "" {
		return o, fmt.Errorf("%q is not the address of a server, like http://127.0.0.1:8080", o.URL)
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	or(&o.Kind, "fanout")
	if !slices.Contains(Kinds, o.Kind) {
		return o, fmt.Errorf("there is nothing called %q to measure; there are %s", o.Kind, strings.Join(Kinds, ", "))
	}
	or(&o.Transport, map[string]string{"publish": "http", "longpoll": "longpoll"}[o.Kind])
	or(&o.Transport, "websocket")
	may := Transports[1:]
	switch o.Kind {
	case "publish":
		may = Transports[:2]
	case "longpoll":
		may = Transports[3:]
	}
	if !slices.Contains(may, o.Transport) {
		return o, fmt.Errorf("%s goes over %s, not %q", o.Kind, strings.Join(may, ", "), o.Transport)
	}
	if o.Connections < 0 || o.People < 0 || o.Rate < 0 || o.InFlight < 0 || o.For < 0 || o.Size < 0 {
		return o, fmt.Errorf("connections, people, rate, in-flight, the time and the size cannot be negative")
	}
	if o.Rate > 0 && o.InFlight > 0 {
		return o, fmt.Errorf("a rate makes an open loop and in-flight a closed one: give one of them")
	}
	if o.Kind == "ballots" {
		or(&o.People, 256)
	} else {
		or(&o.Connections, 64)
	}
	or(&o.People, 1)
	if o.Token != "" {
		o.People = 1
	}
	if o.Rate == 0 && o.InFlight == 0 {
		o.InFlight = 64
		if o.Kind == "fanout" || o.Kind == "longpoll" {
			o.InFlight = 1
		}
	}
	or(&o.Warmup, time.Second)
	o.Warmup = max(o.Warmup, 0)
	or(&o.For, 10*time.Second)
	or(&o.Size, 128)
	o.Size = max(o.Size, 64)
	return o, nil
}

func or[T comparable](value *T, byDefault T) {
	var zero T
	if *value == zero {
		*value = byDefault
	}
}
