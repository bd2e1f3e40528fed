package transport

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"parley/channel"
)

// tagOf is the entity tag of an answer after which the reader is at these positions: the position itself in the form of one
// channel, a hash of all in the form of many.
func tagOf(q *query, reader *channel.Reader) string {
	if !q.many {
		p, _ := reader.Position(q.starts[0].name)
		return `"` + p.String() + `"`
	}
	names := reader.Names()
	slices.Sort(names) // the order in the URL makes no difference
	var list []byte
	for _, name := range names {
		p, _ := reader.Position(name)
		list = append(appendItem(list, name, p), '\n')
	}
	sum := sha256.Sum256(list)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// appendItem appends channel@position, as URLs and the ids of events list them.
func appendItem(dst []byte, name channel.Name, p channel.Position) []byte {
	dst = append(append(dst, name...), '@')
	return p.AppendText(dst)
}

// matches reports whether If-None-Match lists the tag, by the weak comparison of RFC 9110, section 13.1.2. "*" would match
// whatever there is: it says nothing about what the client has, so here it does not match.
func matches(listed []string, tag string) bool {
	for _, list := range listed {
		for {
			list = strings.TrimLeft(list, " \t,")
			opened, ok := strings.CutPrefix(strings.TrimPrefix(list, "W/"), `"`)
			if !ok {
				break
			}
			opaque, rest, ok := strings.Cut(opened, `"`)
			if !ok {
				break
			}
			if `"`+opaque+`"` == tag {
				return true
			}
			list = rest
		}
	}
	return false
}
