// Package gate stands before every handler: it knows the real address of who is asking, refuses foreign origins, and
// keeps the rates and the number of open streams within their limits.
package gate

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"

	"parley/limit"
	"parley/problem"
)

// Rates are the limits of what one person or address may do.
type Rates struct {
	Publish limit.Rate // messages and signals, per person
	Ballot  limit.Rate // ballots, per person
	Search  limit.Rate // searches, per person, or per address of those who are nobody yet
	Guest   limit.Rate // new guests, per address
	Address limit.Rate // changing requests, per address
	Read    limit.Rate // all other requests, polls above all, per address
	Streams int        // open streams and long polls, per address; 0: no limit
}

// DefaultRates leave a class behind one address room, and stop a loop.
func DefaultRates() Rates {
	return Rates{
		Publish: limit.Rate{PerSecond: 10, Burst: 40},
		Ballot:  limit.Rate{PerSecond: 5, Burst: 20},
		Search:  limit.Rate{PerSecond: 2, Burst: 20},
		Guest:   limit.Rate{PerSecond: 2, Burst: 100},
		Address: limit.Rate{PerSecond: 100, Burst: 400},
		Read:    limit.Rate{PerSecond: 1000, Burst: 4000},
		Streams: 1000,
	}
}

// Options configure a Gate.
type Options struct {
	Origins []string       // foreign origins that may use the server: https://example.com, or * for all
	Trusted []netip.Prefix // proxies whose X-Forwarded-For and X-Forwarded-Proto count
	Rates   Rates
	Log     *slog.Logger
}

// Gate may be used concurrently.
type Gate struct {
	o       Options
	publish *limit.Limiter[string]
	ballot  *limit.Limiter[string]
	search  *limit.Limiter[string]
	guest   *limit.Limiter[netip.Addr]
	address *limit.Limiter[netip.Addr]
	read    *limit.Limiter[netip.Addr]

	mu      sync.Mutex
	streams map[netip.Addr]int
}

// New makes a Gate.
func New(o Options) *Gate {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Gate{
		o:       o,
		publish: limit.New[string](o.Rates.Publish, "messages"),
		ballot:  limit.New[string](o.Rates.Ballot, "ballots"),
		search:  limit.New[string](o.Rates.Search, "searches"),
		guest:   limit.New[netip.Addr](o.Rates.Guest, "new guests from your address"),
		address: limit.New[netip.Addr](o.Rates.Address, "changes from your address"),
		read:    limit.New[netip.Addr](o.Rates.Read, "reads from your address"),
		streams: map[netip.Addr]int{},
	}
}

// Publish, Ballot and Guest take one from a person's, or an address's, rate; PublishMany takes several, or none.
func (g *Gate) Publish(person string) error            { return g.publish.Allow(person) }
func (g *Gate) PublishMany(person string, n int) error { return g.publish.AllowN(person, n) }
func (g *Gate) Ballot(person string) error             { return g.ballot.Allow(person) }
func (g *Gate) Guest(r *http.Request) error            { return g.perAddress(g.guest, r) }
func (g *Gate) Changing(r *http.Request) error         { return g.perAddress(g.address, r) }

// Search takes one from a person's rate, or from that of their address where they are nobody yet.
func (g *Gate) Search(r *http.Request, person string) error {
	if person == "" {
		person = "at " + g.Key(r).String()
	}
	return g.search.Allow(person)
}

func (g *Gate) Reading(r *http.Request) error { return g.perAddress(g.read, r) }

// ReadingBy is Reading for a Key.
func (g *Gate) ReadingBy(key netip.Addr) error { return g.read.Allow(key) }

func (g *Gate) perAddress(l *limit.Limiter[netip.Addr], r *http.Request) error {
	if l.Off() {
		return nil
	}
	return l.Allow(g.Key(r))
}

// ErrTooManyConnections is returned by Hold.
var ErrTooManyConnections = problem.New(http.StatusTooManyRequests, "too_many_connections", "Too many connections")

// Hold counts one more open stream or long poll of the request's address until release is called (once or more).
func (g *Gate) Hold(r *http.Request) (release func(), err error) {
	key := g.Key(r)
	if err := g.HoldBy(key); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { g.ReleaseBy(key) }), nil
}

// HoldBy is Hold for a Key; each is to be released once.
func (g *Gate) HoldBy(key netip.Addr) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := g.streams[key]
	if n := g.o.Rates.Streams; n > 0 && open >= n {
		return ErrTooManyConnections.Detail("your address has %d streams open, which is the limit; close some", n).After(retryStreams)
	}
	g.streams[key] = open + 1
	return nil
}

// ReleaseBy undoes HoldBy.
func (g *Gate) ReleaseBy(key netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open := g.streams[key]; open > 1 {
		g.streams[key] = open - 1
	} else {
		delete(g.streams, key)
	}
}
