package load

import (
	"bytes"
	"fmt"
)

// A message's data is JSON of exactly Size bytes: {"p":"007","n":"0000000001","t":"0000000001234567890","x":"…"}: the publisher, which
// of theirs it is, and when it was due by the load's clock. Readers look for that mark and parse nothing else.
const (
	Size = 128

	markHead = `{"p":"`
	pAt      = len(markHead)
	nAt      = pAt + 3 + len(`","n":"`)
	tAt      = nAt + 10 + len(`","t":"`)
	xAt      = tAt + 19 + len(`","x":"`)
)

// Data is a message's data, to be stamped before each use.
type Data []byte

// NewData returns data of a publisher, 0 to 999, or of a channel where each has one.
func NewData(publisher int) Data {
	d := fmt.Appendf(nil, `{"p":"%03d","n":"%010d","t":"%019d","x":"`, publisher, 0, 0)
	for len(d) < Size-2 {
		d = append(d, 'x')
	}
	return append(d, `"}`...)
}

// Stamp writes which message it is, from 1, and when it was due.
func (d Data) Stamp(n, due int64) {
	put(d[nAt:nAt+10], n)
	put(d[tAt:tAt+19], due)
}

func put(digits []byte, n int64) {
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
}

func get(digits []byte) (n int64) {
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	return n
}

// Log is the order of a channel's messages, as the first reader gets it.
type Log struct {
	ids  []int64
	last []int64 // per publisher
}

const perPublisher = 1e10

// Len is how many messages are known.
func (l *Log) Len() int { return len(l.ids) }

// check compares the message after the first at ones with what others got there, or takes it as the next.
func (l *Log) check(at int, publisher, n int64) error {
	id := publisher*perPublisher + n
	if at < len(l.ids) {
		if l.ids[at] != id {
			return fmt.Errorf("message %d of publisher %d came as number %d of the channel, where others got message %d of publisher %d",
				n, publisher, at+1, l.ids[at]%perPublisher, l.ids[at]/perPublisher)
		}
		return nil
	}
	for int64(len(l.last)) <= publisher {
		l.last = append(l.last, 0)
	}
	if l.last[publisher]+1 != n {
		return fmt.Errorf("message %d of publisher %d came after their message %d", n, publisher, l.last[publisher])
	}
	l.last[publisher] = n
	l.ids = append(l.ids, id)
	return nil
}

var mark = []byte(markHead)

// Messages checks all messages in p, and returns how many there are.
func (r *Reader) Messages(p []byte) (count int, err error) {
	for {
		i := bytes.Index(p, mark)
		if i < 0 {
			return count, nil
		}
		p = p[i:]
		if len(p) < Size {
			return count, fmt.Errorf("a message's data is cut: %.60q", p)
		}
		if err := r.Log.check(r.At, get(p[pAt:pAt+3]), get(p[nAt:nAt+10])); err != nil {
			return count, err
		}
		r.At++
		count++
		r.load.Delivered++
		if late := r.load.Late; late != nil && !r.Uncounted {
			late.add(r.load.Now() - get(p[tAt:tAt+19]))
		}
		p = p[Size:]
	}
}
