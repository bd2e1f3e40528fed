package load

import (
	"bytes"
	"strconv"
	"time"
)

// A message's data is {"sent":N,"pad":"…"}: N is when it was due, in nanoseconds, always 19 digits (until the year 2286). Readers look
// for that mark and parse nothing else.
var mark = []byte(`{"sent":`)

const (
	digits  = 19
	markLen = 8 + digits
)

// clock tells the time that marks are in; it never jumps.
type clock struct{ base time.Time }

func (c clock) now() int64             { return c.at(time.Now()) }
func (c clock) at(t time.Time) int64   { return c.base.UnixNano() + int64(t.Sub(c.base)) }
func (c clock) since(sent int64) int64 { return c.now() - sent }

// appendData appends a message's data of about size bytes.
func appendData(dst []byte, sent int64, size int) []byte {
	dst = append(dst, mark...)
	dst = strconv.AppendInt(dst, sent, 10)
	dst = append(dst, `,"pad":"`...)
	for range size - markLen - 10 {
		dst = append(dst, 'x')
	}
	return append(dst, `"}`...)
}

// marked is what readers look for: a text, and behind it a number of so many digits.
type marked struct {
	text   []byte
	digits int
}

var (
	messages = marked{mark, digits}
	tallies  = marked{[]byte(`"type":"tally"`), 0}
)

// scan calls found for each mark in data, and returns how many bytes at its end may be the beginning of one more.
func (m marked) scan(data []byte, found func(sent int64)) (rest int) {
	whole := len(m.text) + m.digits
	for {
		i := bytes.Index(data, m.text)
		if i < 0 {
			for n := min(len(m.text)-1, len(data)); n > 0; n-- {
				if bytes.HasPrefix(m.text, data[len(data)-n:]) {
					return n
				}
			}
			return 0
		}
		data = data[i:]
		if len(data) < whole {
			return len(data)
		}
		var sent int64
		for _, c := range data[len(m.text):whole] {
			sent = sent*10 + int64(c-'0')
		}
		found(sent)
		data = data[whole:]
	}
}
