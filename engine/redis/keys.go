package redis

import (
	"encoding/base64"
	"strconv"

	"parley/channel"
)

// keys names every key of the layout: <prefix>{<tag of the partition>}<what it is>.
//
//	c:NAME   hash    a channel's head: seq, mark, at, floor, floorMark, deleted
//	m:NAME   stream  its messages; an entry's id is seq-mark
//	a:NAME   hash    by seq: its messages that were amended, taken out of the stream
//	names    zset    the channels of the partition, by name
//	k:HASH   string  an idempotency key: content, seq, mark, at
//	o:CALL   string  what a call left, so that it can be repeated
//	outbox   hash    what another partition is still to get
//	l:WHAT   string  a lease or probe of a node
type keys struct {
	prefix string // with what separates databases, which share their publish/subscribe
	db     int
}

func (k keys) in(partition int, what string) string {
	return k.prefix + "{" + tags()[partition] + "}" + what
}

func (k keys) head(name channel.Name) string    { return k.in(partitionOf(name), "c:"+string(name)) }
func (k keys) stream(name channel.Name) string  { return k.in(partitionOf(name), "m:"+string(name)) }
func (k keys) amended(name channel.Name) string { return k.in(partitionOf(name), "a:"+string(name)) }
func (k keys) names(partition int) string       { return k.in(partition, "names") }
func (k keys) outbox(partition int) string      { return k.in(partition, "outbox") }
func (k keys) once(partition int, call string) string {
	return k.in(partition, "o:"+call)
}
func (k keys) lease(partition int, what string) string { return k.in(partition, "l:"+what) }

// hints is the sharded publish/subscribe channel of a partition. Databases share those, so it names its own.
func (k keys) hints(partition int) string {
	return k.in(partition, "hints@"+strconv.Itoa(k.db))
}

// idempotency is where the key of a draft is remembered.
func (k keys) idempotency(d *channel.Draft) string {
	return k.in(partitionOf(d.Channel), "k:"+base64.RawURLEncoding.EncodeToString(d.KeyHash()))
}

// contentText is the hash of what a draft says, as it is remembered with its key.
func contentText(d *channel.Draft) string {
	hash := d.ContentHash()
	return base64.RawURLEncoding.EncodeToString(hash[:])
}
