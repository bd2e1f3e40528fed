package channel

import (
	"net/http"
	"strconv"
	"strings"

	"parley/problem"
)

// ErrBadPosition is returned for a text that is no position.
var ErrBadPosition = problem.New(http.StatusBadRequest, "bad_position", "The position is malformed")

// Mark is the random value that a message gets when it is appended. It proves, later, that a reader's past is still
// the log's past. Zero means "not known": such a position is not verified.
type Mark uint64

// markBits keeps a mark at eight characters of base 36; two logs agree by chance once in 2^41.
const markBits = 41

// MaxMark is the largest mark an engine may draw; marks are drawn from 1 to MaxMark.
const MaxMark Mark = 1<<markBits - 1

// Position is where a reader is: the seq and mark of the last message it has. The zero Position is the beginning.
type Position struct {
	Seq  uint64
	Mark Mark
}

// End, as the position to read after, stands for the newest message at the time of the call.
var End = Position{Seq: 1<<63 - 1}

// ParsePosition reads seq-mark, a bare seq (not verified), "0" (the beginning) or "end".
func ParsePosition(s string) (Position, error) {
	if s == "end" {
		return End, nil
	}
	seqText, markText, marked := strings.Cut(s, "-")
	seq, err := strconv.ParseUint(seqText, 10, 62)
	if err != nil || seqText != strconv.FormatUint(seq, 10) {
		return Position{}, ErrBadPosition.Detail("%.40q is not a position: give one back as it came, or a number, 0 or end", s)
	}
	p := Position{Seq: seq}
	if marked {
		m, err := strconv.ParseUint(markText, 36, markBits)
		if err != nil || m == 0 || seq == 0 || markText != strconv.FormatUint(m, 36) {
			return Position{}, ErrBadPosition.Detail("%.40q is not a position: give one back as it came, or a number, 0 or end", s)
		}
		p.Mark = Mark(m)
	}
	return p, nil
}

// String renders the position as ParsePosition reads it.
func (p Position) String() string { return string(p.AppendText(nil)) }

// AppendText appends the position's text to b.
func (p Position) AppendText(b []byte) []byte {
	if p == End {
		return append(b, "end"...)
	}
	b = strconv.AppendUint(b, p.Seq, 10)
	if p.Mark != 0 {
		b = append(b, '-')
		b = strconv.AppendUint(b, uint64(p.Mark), 36)
	}
	return b
}
