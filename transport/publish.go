package transport

import (
	"encoding/json"
	"net/http"
	"strings"

	"parley/body"
	"parley/channel"
	"parley/problem"
)

// publish commits one message, or several together, and answers with the receipts.
func (t *Transport) publish(w http.ResponseWriter, r *http.Request) error {
	name, err := channel.ParseName(r.PathValue("channel"))
	if err != nil {
		return err
	}
	p, err := t.readPublication(w, r)
	if err != nil {
		return err
	}
	drafts, err := p.drafts(name)
	if err != nil {
		return err
	}
	person, err := t.site.Enlist(w, r) // only now: a malformed request makes no guest
	if err != nil {
		return err
	}
	if err := t.site.Allow(person, ActionPublish, len(drafts)); err != nil {
		return err
	}
	receipts, err := t.site.Publish(r.Context(), person, drafts...)
	if err != nil {
		return err
	}
	if replayed(receipts) {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.Header()["Cache-Control"] = noStore
	buffer := t.encodedBatches.Get().(*[]byte)
	defer t.encodedBatches.Put(buffer)
	*buffer = append(appendResult((*buffer)[:0], p.Messages != nil, receipts), '\n')
	t.send(w, http.StatusCreated, *buffer)
	return nil
}

var noStore = []string{"no-store"}

func (t *Transport) readPublication(w http.ResponseWriter, r *http.Request) (p publication, err error) {
	if body.IsText(r) {
		text, err := body.Text(w, r, t.o.BodyLimit)
		if err != nil {
			return p, err
		}
		p.Type = "text"
		p.Data, _ = json.Marshal(struct {
			Text string `json:"text"`
		}{text})
	} else {
		data, err := body.Raw(w, r, t.o.BodyLimit)
		if err != nil {
			return p, err
		}
		if err := p.decode(data); err != nil {
			return p, err
		}
	}
	keys := r.Header["Idempotency-Key"]
	switch {
	case len(keys) == 0:
	case p.Messages != nil:
		return p, problem.BadRequest.Detail("Idempotency-Key is for one message; of several each has an id of its own")
	case len(keys) > 1, p.ID != nil && *p.ID != unquoted(keys[0]):
		return p, problem.BadRequest.Detail("the request has different keys: give one id or one Idempotency-Key")
	default:
		key := unquoted(keys[0])
		p.ID = &key
	}
	return p, nil
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

// replayed reports whether nothing was published now.
func replayed(receipts []channel.Receipt) bool {
	for i := range receipts {
		if !receipts[i].Replayed {
			return false
		}
	}
	return true
}
