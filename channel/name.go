package channel

import (
	"net/http"
	"strings"

	"parley/problem"
)

// ErrBadChannel is returned for a channel name that is not kind:id.
var ErrBadChannel = problem.New(http.StatusBadRequest, "bad_channel", "The channel name is malformed")

// Name names a channel: kind:id, for example room:lobby.
type Name string

// The kinds that Parley itself uses. A site that embeds it may have its own.
const (
	KindRoom   = "room"
	KindDirect = "direct"
	KindVote   = "vote"
	KindUser   = "user"
)

// ParseName checks that s is a channel name: kind [a-z][a-z0-9-]{0,31}, a colon, and an id of 1 to 128 of
// A–Z a–z 0–9 . _ ~ - (the characters that a URL's path carries unescaped, RFC 3986 section 2.3).
func ParseName(s string) (Name, error) {
	kind, id, ok := strings.Cut(s, ":")
	if !ok || kind == "" || len(kind) > 32 || id == "" || len(id) > 128 {
		return "", ErrBadChannel.Detail("%.40q is not a channel: a name is kind:id, the id 1 to 128 characters", s)
	}
	for i := range len(kind) {
		c := kind[i]
		if !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-')) {
			return "", ErrBadChannel.Detail("the kind of %.40q may have only a–z, 0–9 and -", s)
		}
	}
	if !Unreserved(id) {
		return "", ErrBadChannel.Detail("the id of %.40q may have only A–Z a–z 0–9 . _ ~ -", s)
	}
	return Name(s), nil
}

// Unreserved reports whether s has only RFC 3986's unreserved characters.
func Unreserved(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '~', c == '-':
		default:
			return false
		}
	}
	return true
}

// Kind is what stands before the colon.
func (n Name) Kind() string { kind, _, _ := strings.Cut(string(n), ":"); return kind }

// ID is what stands after the colon.
func (n Name) ID() string { _, id, _ := strings.Cut(string(n), ":"); return id }

// Room, Direct, Vote and User name Parley's own channels.
func Room(id string) Name   { return Name(KindRoom + ":" + id) }
func Vote(code string) Name { return Name(KindVote + ":" + code) }
func User(id string) Name   { return Name(KindUser + ":" + id) }

// Other is the other person of a direct conversation of somebody's; false if it is none, or not theirs.
func (n Name) Other(person string) (other string, ok bool) {
	a, b, ok := strings.Cut(n.ID(), ".")
	switch {
	case !ok:
		return "", false
	case person == a:
		return b, true
	case person == b:
		return a, true
	}
	return "", false
}

// Direct names the conversation of two people: the same whoever asks.
func Direct(a, b string) Name {
	if b < a {
		a, b = b, a
	}
	return Name(KindDirect + ":" + a + "." + b)
}
