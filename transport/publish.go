package transport

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"parley/body"
	"parley/channel"
	"parley/problem"
)

// outgoing is the body of a publish, and a part of the command of that name.
type outgoing struct {
	ID   *string         `json:"id"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// draft checks what does not depend on the site.
func (o *outgoing) draft() (channel.Draft, error) {
	d := channel.Draft{Type: o.Type, Data: o.Data}
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

// publish commits one message and answers with its receipt.
func (t *Transport) publish(w http.ResponseWriter, r *http.Request) error {
	name, err := channel.ParseName(r.PathValue("channel"))
	if err != nil {
		return err
	}
	draft, err := t.readDraft(w, r)
	if err != nil {
		return err
	}
	person, err := t.site.Enlist(w, r) // only now: a malformed request makes no guest
	if err != nil {
		return err
	}
	if err := t.site.Allow(r, person, ActionPublish); err != nil {
		return err
	}
	got, err := t.site.Publish(r.Context(), person, name, draft)
	if err != nil {
		return err
	}
	if got.Replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	return t.sendValue(w, http.StatusCreated, receiptOf(got))
}

func (t *Transport) readDraft(w http.ResponseWriter, r *http.Request) (channel.Draft, error) {
	var o outgoing
	if body.IsText(r) {
		text, err := body.Text(w, r, t.o.BodyLimit)
		if err != nil {
			return channel.Draft{}, err
		}
		o.Type = "text"
		o.Data, _ = json.Marshal(struct {
			Text string `json:"text"`
		}{text})
	} else if err := body.JSON(w, r, t.o.BodyLimit, &o); err != nil {
		return channel.Draft{}, err
	}
	keys := r.Header.Values("Idempotency-Key")
	switch {
	case len(keys) > 1, len(keys) == 1 && o.ID != nil && *o.ID != unquoted(keys[0]):
		return channel.Draft{}, problem.BadRequest.Detail("the request has different keys: give one id or one Idempotency-Key")
	case len(keys) == 1:
		key := unquoted(keys[0])
		o.ID = &key
	}
	return o.draft()
}

// unquoted takes the header's value with quotes too, as the draft standard writes it (draft-ietf-httpapi-idempotency-key-header).
func unquoted(key string) string {
	if inner, ok := strings.CutPrefix(key, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok {
			return inner
		}
	}
	return key
}

// receipt is the answer to a publish.
type receipt struct {
	Channel    channel.Name       `json:"channel"`
	Seq        uint64             `json:"seq"`
	Position   string             `json:"position"`
	ID         string             `json:"id"`
	At         string             `json:"at"`
	Durability channel.Durability `json:"durability"`
}

func receiptOf(r channel.Receipt) receipt {
	return receipt{r.Channel, r.Position.Seq, r.Position.String(), r.ID, timestamp(r.At), r.Durability}
}

// timestamp is RFC 3339 in UTC with milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
