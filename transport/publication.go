package transport

import (
	"encoding/json"
	"strconv"
	"time"

	"parley/body"
	"parley/channel"
	"parley/internal/plain"
	"parley/problem"
)

// MaxMessages is how many messages one request or command may publish together.
const MaxMessages = 100

// outgoing is a message that is published.
type outgoing struct {
	ID   *string         `json:"id"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// publication is the body of a publish, and a part of the command of that name: one message, or several that are published together.
type publication struct {
	outgoing
	Messages []outgoing `json:"messages"` // nil: one
}

// decode reads a body. The publication's data are parts of it.
func (p *publication) decode(data []byte) error {
	if plain.Object(data, p.field) {
		return nil
	}
	*p = publication{}
	return body.Decode(data, p)
}

// field takes a field that plain.Object found.
func (p *publication) field(name, value []byte) bool {
	if string(name) != "messages" {
		return p.outgoing.field(name, value)
	}
	p.Messages = []outgoing{}
	return plain.Array(value, func(value []byte) bool {
		p.Messages = append(p.Messages, outgoing{})
		return plain.Object(value, p.Messages[len(p.Messages)-1].field)
	})
}

func (o *outgoing) field(name, value []byte) (ok bool) {
	switch string(name) {
	case "type":
		o.Type, ok = plain.String(value)
	case "data":
		o.Data, ok = value, true
	case "id":
		var id string
		id, ok = plain.String(value)
		o.ID = &id
	}
	return ok
}

// drafts checks what does not depend on the site.
func (p *publication) drafts(name channel.Name) ([]channel.Draft, error) {
	if p.Messages == nil {
		d, err := p.draft(name)
		return []channel.Draft{d}, err
	}
	switch n := len(p.Messages); {
	case p.ID != nil || p.Type != "" || p.Data != nil:
		return nil, problem.BadRequest.Detail("id, type and data belong into each of messages, not beside them")
	case n == 0:
		return nil, problem.BadRequest.Detail("there are no messages")
	case n > MaxMessages:
		return nil, problem.BadRequest.Detail("%d messages are too many: at most %d are published together", n, MaxMessages)
	}
	drafts := make([]channel.Draft, len(p.Messages))
	for i := range p.Messages {
		var err error
		if drafts[i], err = p.Messages[i].draft(name); err != nil {
			return nil, problem.Of(err).In("message %d", i+1)
		}
		for j := range i {
			if drafts[i].Key != "" && drafts[i].Key == drafts[j].Key {
				return nil, problem.BadRequest.Detail("the messages %d and %d have the same id %s", j+1, i+1, drafts[i].Key)
			}
		}
	}
	return drafts, nil
}

func (o *outgoing) draft(name channel.Name) (channel.Draft, error) {
	d := channel.Draft{Channel: name, Type: o.Type, Data: o.Data}
	switch {
	case o.Type == "":
		return d, problem.BadRequest.Detail(`the message has no type: {"type":"text","data":{"text":"…"}}`)
	case o.Data == nil:
		return d, problem.BadRequest.Detail(`the message has no data: {"type":"text","data":{"text":"…"}}`)
	}
	if o.ID != nil {
		d.Key = *o.ID
		if err := checkKey(d.Key); err != nil {
			return d, err
		}
	}
	return d, nil
}

// checkKey refuses what cannot be an idempotency key, above all an empty one: whoever sends that believes to have a key.
func checkKey(key string) error {
	if !channel.ValidKey(key) {
		return channel.ErrBadKey.Detail("the id or Idempotency-Key must be 1 to 64 of A–Z a–z 0–9 . _ ~ -, not %.70q", key)
	}
	return nil
}

// appendResult appends the answer: the receipt, or the receipts of several in their order.
func appendResult(dst []byte, several bool, receipts []channel.Receipt) []byte {
	if !several {
		return appendReceipt(dst, &receipts[0])
	}
	dst = append(dst, `{"receipts":[`...)
	for i := range receipts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendReceipt(dst, &receipts[i])
	}
	return append(dst, "]}"...)
}

// appendReceipt appends a receipt as JSON. None of its texts has a character to escape: names and keys are made of few.
func appendReceipt(dst []byte, r *channel.Receipt) []byte {
	dst = append(append(dst, `{"channel":"`...), r.Channel...)
	dst = strconv.AppendUint(append(dst, `","seq":`...), r.Position.Seq, 10)
	dst = r.Position.AppendText(append(dst, `,"position":"`...))
	dst = append(append(dst, `","id":"`...), r.ID...)
	dst = appendTimestamp(append(dst, `","at":"`...), r.At)
	dst = append(append(dst, `","durability":"`...), r.Durability...)
	return append(dst, `"}`...)
}

// appendTimestamp appends a time as RFC 3339 in UTC with milliseconds.
func appendTimestamp(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
}

func timestamp(t time.Time) string { return string(appendTimestamp(nil, t)) }
