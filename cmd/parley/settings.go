package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/gate"
	"parley/limit"
)

// settings is everything that can be configured: what the library takes, and what only the command needs.
type settings struct {
	parley    parley.Config
	addr      string
	cert, key string
	grace     time.Duration
	logLevel  slog.Level
	logFormat string
}

// setting is one of them: a flag, a PARLEY_… variable and a line of the configuration file of the same name.
type setting struct {
	name, group, usage, value string
	set                       func(*settings, string) error
}

// env is the setting's variable: keep-room-age is PARLEY_KEEP_ROOM_AGE.
func (s setting) env() string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// allSettings is the one documented set. The order is that of the help and of `parley config`.
func allSettings() []setting {
	rates := gate.DefaultRates()
	return []setting{
		{"addr", "Server", "address to listen on, host:port; port 0 takes a free one", "127.0.0.1:8080",
			func(s *settings, v string) error {
				s.addr = v
				_, _, err := net.SplitHostPort(v)
				return err
			}},
		{"data", "Server", "folder of the database; made if absent", "./parley-data",
			func(s *settings, v string) error {
				s.parley.Data = v
				if v == "" {
					return fmt.Errorf("a folder is needed")
				}
				return nil
			}},
		{"engine", "Server", "Redis that many servers share, instead of the folder: redis://host:port, rediss://, redis+sentinel://, redis+cluster://", "",
			func(s *settings, v string) error {
				s.parley.Engine = v
				return parley.CheckEngine(v)
			}},
		{"public-url", "Server", "address that people use, for links and QR codes; empty: the one each request came to", "",
			func(s *settings, v string) error {
				s.parley.PublicURL = strings.TrimSuffix(v, "/")
				if u, err := url.Parse(v); v != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.TrimSuffix(u.Path, "/") != "") {
					return fmt.Errorf("%q is not an address like https://chat.example.com", v)
				}
				return nil
			}},
		{"origin", "Server", "other origins whose pages may use the server, separated by commas: https://example.com, or * for all", "",
			func(s *settings, v string) error {
				s.parley.Origins = list(v)
				for _, o := range s.parley.Origins {
					if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "") {
						return fmt.Errorf("%q is not an origin like https://example.com", o)
					}
				}
				return nil
			}},
		{"trusted-proxy", "Server", "proxies whose X-Forwarded-For and X-Forwarded-Proto count, addresses or prefixes separated by commas", "127.0.0.0/8,::1",
			func(s *settings, v string) (err error) {
				s.parley.TrustedProxies, err = prefixes(v)
				return err
			}},
		{"tls-cert", "Server", "certificate file (PEM); with --tls-key the server speaks TLS", "",
			func(s *settings, v string) error { s.cert = v; return nil }},
		{"tls-key", "Server", "private key file (PEM)", "",
			func(s *settings, v string) error { s.key = v; return nil }},
		{"grace", "Server", "how long a leaving server waits for its clients", "10s", duration(func(s *settings) *time.Duration { return &s.grace })},

		{"guest-ttl", "Keeping", "forget guests, and free their names, when unseen for so long", "720h", duration(func(s *settings) *time.Duration { return &s.parley.GuestTTL })},
		{"keep-rooms", "Keeping", "messages to keep in each room, about; 0: all", "0", count(func(s *settings) *uint64 { return &s.parley.KeepRooms.Count })},
		{"keep-rooms-age", "Keeping", "how long to keep messages in rooms; 0: for ever", "0s", duration(func(s *settings) *time.Duration { return &s.parley.KeepRooms.Age })},
		{"keep-direct", "Keeping", "messages to keep in each direct conversation, about; 0: all", "0", count(func(s *settings) *uint64 { return &s.parley.KeepDirect.Count })},
		{"keep-direct-age", "Keeping", "how long to keep direct messages; 0: for ever", "0s", duration(func(s *settings) *time.Duration { return &s.parley.KeepDirect.Age })},

		{"rate-publish", "Limits", "messages per person: so many a second/at once, or off", rates.Publish.String(), rate(func(s *settings) *limit.Rate { return &s.parley.Rates.Publish })},
		{"rate-ballot", "Limits", "ballots per person", rates.Ballot.String(), rate(func(s *settings) *limit.Rate { return &s.parley.Rates.Ballot })},
		{"rate-search", "Limits", "searches per person", rates.Search.String(), rate(func(s *settings) *limit.Rate { return &s.parley.Rates.Search })},
		{"rate-guest", "Limits", "new guests per address", rates.Guest.String(), rate(func(s *settings) *limit.Rate { return &s.parley.Rates.Guest })},
		{"rate-address", "Limits", "changing requests per address", rates.Address.String(), rate(func(s *settings) *limit.Rate { return &s.parley.Rates.Address })},
		{"rate-read", "Limits", "all other requests, polls above all, per address", rates.Read.String(), rate(func(s *settings) *limit.Rate { return &s.parley.Rates.Read })},
		{"streams-per-address", "Limits", "open streams and long polls per address; 0: no limit", strconv.Itoa(rates.Streams),
			func(s *settings, v string) error {
				n, err := strconv.Atoi(v)
				if err != nil || n < 0 {
					return fmt.Errorf("%q is not a number of streams", v)
				}
				s.parley.Rates.Streams = n
				return nil
			}},

		{"log-level", "Log", "debug, info, warn or error", "info",
			func(s *settings, v string) error { return s.logLevel.UnmarshalText([]byte(v)) }},
		{"log-format", "Log", "text or json", "text",
			func(s *settings, v string) error {
				s.logFormat = v
				if v != "text" && v != "json" {
					return fmt.Errorf("%q is neither text nor json", v)
				}
				return nil
			}},
	}
}

func duration(field func(*settings) *time.Duration) func(*settings, string) error {
	return func(s *settings, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration like 90s or 720h", v)
		}
		*field(s) = d
		return nil
	}
}

func count(field func(*settings) *uint64) func(*settings, string) error {
	return func(s *settings, v string) error {
		n, err := strconv.ParseUint(v, 10, 62)
		if err != nil {
			return fmt.Errorf("%q is not a number of messages", v)
		}
		*field(s) = n
		return nil
	}
}

func rate(field func(*settings) *limit.Rate) func(*settings, string) error {
	return func(s *settings, v string) error { return field(s).UnmarshalText([]byte(v)) }
}

func list(v string) (items []string) {
	for item := range strings.SplitSeq(v, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func prefixes(v string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, item := range list(v) {
		p, err := netip.ParsePrefix(item)
		if err != nil {
			a, err := netip.ParseAddr(item)
			if err != nil {
				return nil, fmt.Errorf("%q is not an address or prefix like 10.0.0.0/8", item)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p)
	}
	return all, nil
}
