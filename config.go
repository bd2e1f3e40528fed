package parley

import (
	"log/slog"
	"net/netip"
	"runtime/debug"
	"time"

	"parley/channel"
	"parley/gate"
)

// MaxHeaderBytes is how large the header of a request may be: set it as http.Server's MaxHeaderBytes.
const MaxHeaderBytes = 16 << 10

// Config is what a Server is made of. Only Data or Engine is needed.
type Config struct {
	Data      string // folder of the database; made if absent
	Engine    string // address of Redis, which many servers share, instead of Data; see package parley/engine/redis
	PublicURL string // address that people use, for links and QR codes; default: the one each request came to

	Origins        []string       // foreign origins whose pages may use the server; "*": all
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto count
	Rates          gate.Rates     // zero rates do not limit; see gate.DefaultRates

	GuestTTL   time.Duration // guests unseen for so long are forgotten; default 30 days
	KeepRooms  Keep          // what rooms keep; default: everything
	KeepDirect Keep          // what direct conversations keep; default: everything

	Log *slog.Logger // default: none
}

// Keep says how long messages are kept. The zero Keep keeps everything.
type Keep struct {
	Count uint64        // about so many; 0: all
	Age   time.Duration // about so long; 0: for ever
}

// keepTallies and keepInbox bound what is of no use for long: a vote's past tallies (only the newest matters), and a
// person's inbox events (the list of conversations says the same).
const (
	keepTallies = 1000
	keepInbox   = 1000
)

func (c Config) policies() channel.Policies {
	return channel.Policies{
		channel.KindRoom:   {KeepCount: c.KeepRooms.Count, KeepAge: c.KeepRooms.Age},
		channel.KindDirect: {KeepCount: c.KeepDirect.Count, KeepAge: c.KeepDirect.Age},
		channel.KindVote:   {KeepCount: keepTallies, Conflate: true},
		channel.KindUser:   {KeepCount: keepInbox},
	}
}

// Version is the module's version, or "dev" where it was built from a working copy.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
