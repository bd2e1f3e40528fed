package vote

import (
	"encoding/json"
	"strconv"

	"parley/channel"
	"parley/internal/plain"
)

// A ballot is answered with a View, and every group of them makes an event: so these are written by hand, as encoding/json would.

func (t *Tally) json() json.RawMessage {
	return append(t.appendFields(make([]byte, 0, 512)), '}')
}

// AppendJSON appends the view as JSON, as docs/protocol.md has it.
func (v *View) AppendJSON(dst []byte) []byte {
	dst = append(v.appendFields(dst), `,"ballot":`...)
	dst = plain.AppendInts(dst, v.Ballot)
	dst = append(dst, `,"mine":`...)
	return append(strconv.AppendBool(dst, v.Mine), '}')
}

// appendFields appends the object but for its end.
func (t *Tally) appendFields(dst []byte) []byte {
	dst = plain.AppendString(append(dst, `{"code":`...), t.Code)
	dst = plain.AppendString(append(dst, `,"channel":`...), string(t.Channel))
	dst = plain.AppendString(append(dst, `,"question":`...), t.Question)
	dst = strconv.AppendBool(append(dst, `,"open":`...), t.Open)
	dst = strconv.AppendUint(append(dst, `,"version":`...), t.Version, 10)
	dst = appendInt(append(dst, `,"voters":`...), t.Voters)
	dst = appendInt(append(dst, `,"min":`...), t.Min)
	dst = appendInt(append(dst, `,"max":`...), t.Max)
	dst = strconv.AppendBool(append(dst, `,"change":`...), t.Change)
	dst = strconv.AppendBool(append(dst, `,"named":`...), t.Named)
	dst = plain.AppendString(append(dst, `,"results":`...), string(t.Results))
	dst = plain.AppendString(append(dst, `,"room":`...), t.Room)
	dst = appendPerson(append(dst, `,"owner":`...), t.Owner)
	dst = plain.AppendString(append(dst, `,"created":`...), t.Created)
	if dst = append(dst, `,"closes":`...); t.Closes != nil {
		dst = plain.AppendString(dst, *t.Closes)
	} else {
		dst = append(dst, `null`...)
	}
	dst = strconv.AppendBool(append(dst, `,"visible":`...), t.Visible)
	dst = append(dst, `,"options":[`...)
	for i := range t.Options {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = t.Options[i].appendJSON(dst)
	}
	return append(dst, ']')
}

func (o *Counted) appendJSON(dst []byte) []byte {
	dst = appendInt(append(dst, `{"id":`...), o.ID)
	dst = plain.AppendString(append(dst, `,"text":`...), o.Text)
	if o.Count != nil {
		dst = appendInt(append(dst, `,"count":`...), *o.Count)
	}
	if o.Who != nil {
		dst = append(dst, `,"who":[`...)
		for i := range o.Who {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendPerson(dst, o.Who[i])
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendPerson(dst []byte, s channel.Sender) []byte {
	dst = plain.AppendString(append(dst, `{"id":`...), s.ID)
	dst = plain.AppendString(append(dst, `,"name":`...), s.Name)
	return append(dst, '}')
}

func appendInt(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }
