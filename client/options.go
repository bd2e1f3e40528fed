package client

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"time"
)

// Transport is a way of reading.
type Transport string

// The four transports, and Auto, which takes the best that works.
const (
	Auto      Transport = ""
	WebSocket Transport = "websocket"
	SSE       Transport = "sse"
	LongPoll  Transport = "longpoll"
	Poll      Transport = "poll"
)

// Transports are all of them, best first.
var Transports = [...]Transport{WebSocket, SSE, LongPoll, Poll}

// Options are what a Client may be told. The zero value is right for most.
type Options struct {
	// Token of a session, as Client.Token gave it another day. Default: nobody, until SignIn.
	Token string

	// Transport to read by. Default: Auto.
	Transport Transport

	// HTTPClient makes the requests. If its Transport is an *http.Transport, its dialer, proxy and TLS configuration are
	// used for the WebSocket too. Its Timeout is not used: Timeouts are. Default: http.DefaultClient's transport.
	HTTPClient *http.Client

	// Buffer is how many messages may wait in a subscription for who reads it. When so many wait, its channel is not read
	// any further until half of them are taken. A subscription may hold this many and one batch. Default 1,000.
	Buffer int

	// Timeouts; each that is zero has its default.
	Timeouts Timeouts

	// Random gives numbers from 0 up to 1, of which the delays between tries are made. It may be called by any goroutine. Default:
	// math/rand/v2's Float64.
	Random func() float64
}

// Timeouts say how patient a Client is.
type Timeouts struct {
	Request  time.Duration // an ordinary request; default 15 s
	Wait     time.Duration // how long the server may hold a long poll, whole seconds up to 60; default 25 s
	Hello    time.Duration // the first byte of the server's through a transport: this for WebSocket and SSE, twice that for long poll, four times for poll; doubled in each round that fails, up to fourfold; default 4 s
	Poll     time.Duration // cadence of polls where the server advises none; default 2 s
	RetryMin time.Duration // ceiling of the first delay before connecting or publishing again; default 1 s
	RetryMax time.Duration // ceiling of all of them; default 30 s
	ClimbMin time.Duration // first try of a better transport; default 10 s, doubled each time
	ClimbMax time.Duration // default 10 min
	Stable   time.Duration // a connection that lived shorter counts as failed; three of those in a row and a lower transport is taken; default 30 s
}

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		Request:  cmp.Or(t.Request, 15*time.Second),
		Wait:     cmp.Or(t.Wait, 25*time.Second),
		Hello:    cmp.Or(t.Hello, 4*time.Second),
		Poll:     cmp.Or(t.Poll, 2*time.Second),
		RetryMin: cmp.Or(t.RetryMin, time.Second),
		RetryMax: cmp.Or(t.RetryMax, 30*time.Second),
		ClimbMin: cmp.Or(t.ClimbMin, 10*time.Second),
		ClimbMax: cmp.Or(t.ClimbMax, 10*time.Minute),
		Stable:   cmp.Or(t.Stable, 30*time.Second),
	}
}

// hello is how long a transport may take to prove itself.
func (t Timeouts) hello(kind Transport) time.Duration {
	switch kind {
	case LongPoll:
		return 2 * t.Hello
	case Poll:
		return 4 * t.Hello
	}
	return t.Hello
}

func (o Options) withDefaults() Options {
	if o.HTTPClient == nil {
		o.HTTPClient = http.DefaultClient
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	o.Buffer = cmp.Or(max(o.Buffer, 0), 1000)
	o.Timeouts = o.Timeouts.withDefaults()
	return o
}
