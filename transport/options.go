package transport

import (
	"log/slog"
	"time"
)

// Options tune the transports. The zero value is good.
type Options struct {
	// Node is this server's name in the greeting of streams.
	Node string

	// Heartbeat is how long a stream is silent before it says that it is alive. Default 15 s: proxies commonly cut what is
	// silent for 30 or 60 s.
	Heartbeat time.Duration

	// WriteTimeout is how long a client may take to accept the next 32 KiB before its connection is closed. Default 10 s.
	WriteTimeout time.Duration

	// Gather is how long a waiting poll, once released, looks for more before it answers, so that a busy channel costs
	// fewer round trips. Default 2 ms; negative: not at all.
	Gather time.Duration

	// ByeSpread is the time over which clients are told to come back after Shutdown, each at its own random moment
	// between 0.5 s and 0.5 s + ByeSpread, so that they do not all come at once. Default 5 s.
	ByeSpread time.Duration

	// BodyLimit is the most bytes of a request's body and of a WebSocket command. Default 64 KiB.
	BodyLimit int64

	// Logger is told of failures on the server's side. Default: slog.Default().
	Logger *slog.Logger
}

// MaxWait is the longest time that a poll may ask to wait.
const MaxWait = 60 * time.Second

// Limits of one request.
const (
	MaxChannels = 100  // channels of one URL
	MaxLimit    = 1000 // messages of one batch

	defaultLimit = 100
	pollBytes    = 1 << 20   // of all batches of one answer
	streamBytes  = 256 << 10 // of all batches of one delivery: less than a poll's, as the next one follows at once
)

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, byDefault time.Duration) {
		if *d == 0 {
			*d = byDefault
		}
	}
	set(&o.Heartbeat, 15*time.Second)
	set(&o.WriteTimeout, 10*time.Second)
	set(&o.Gather, 2*time.Millisecond)
	set(&o.ByeSpread, 5*time.Second)
	if o.BodyLimit == 0 {
		o.BodyLimit = 64 << 10
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
