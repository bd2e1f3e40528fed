package redis

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/channel"
)

// drawn is a draft with what is random about it.
type drawn struct {
	channel.Draft
	mark channel.Mark
	id   string
}

func draw(d channel.Draft) drawn {
	return drawn{d, channel.DrawMark(), cmp.Or(d.Key, channel.DrawID())}
}

// appendMeta appends what scripts do not look into: id, type and sender, each with its length before it.
func appendMeta(b []byte, d *drawn) []byte {
	for _, s := range []string{d.id, d.Type, d.From.ID, d.From.Name} {
		b = appendText(b, s)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutText(s string) (text, rest string, ok bool) {
	n, used := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
	if used <= 0 || n > uint64(len(s)-used) {
		return "", "", false
	}
	s = s[used:]
	return s[:n], s[n:], true
}

// errRecord says that a key of the layout holds something that this engine did not write.
var errRecord = errors.New("redis: a record is damaged")

// decode makes the message of its stored value: "at prev length meta data", as lua/channel.lua writes it.
func decode(name channel.Name, seq uint64, mark channel.Mark, value string) (channel.Message, error) {
	m := channel.Message{Channel: name, Seq: seq, Mark: mark}
	at, rest, _ := strings.Cut(value, " ")
	prev, rest, _ := strings.Cut(rest, " ")
	length, rest, _ := strings.Cut(rest, " ")
	ms, err1 := strconv.ParseInt(at, 10, 64)
	before, err2 := strconv.ParseUint(prev, 10, 64)
	n, err3 := strconv.Atoi(length)
	if err := errors.Join(err1, err2, err3); err != nil || n < 0 || n > len(rest) {
		return m, fmt.Errorf("%w: message %d of %s", errRecord, seq, name)
	}
	meta, data := rest[:n], rest[n:]
	for _, field := range []*string{&m.ID, &m.Type, &m.From.ID, &m.From.Name} {
		var ok bool
		if *field, meta, ok = cutText(meta); !ok {
			return m, fmt.Errorf("%w: message %d of %s", errRecord, seq, name)
		}
	}
	m.At, m.Prev, m.Data = time.UnixMilli(ms).UTC(), channel.Mark(before), []byte(data)
	return m, nil
}

// parseID reads the id of a stream's entry, which is a position.
func parseID(id string) (p channel.Position, err error) {
	seq, mark, _ := strings.Cut(id, "-")
	p.Seq, err = strconv.ParseUint(seq, 10, 64)
	if err == nil {
		var m uint64
		m, err = strconv.ParseUint(mark, 10, 64)
		p.Mark = channel.Mark(m)
	}
	return p, err
}
