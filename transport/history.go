package transport

import (
	"net/http"

	"parley/channel"
)

// history answers the messages just before a position.
func (t *Transport) history(w http.ResponseWriter, r *http.Request, q query, person channel.Sender) error {
	name := q.starts[0].name
	lens, err := t.site.MayRead(r.Context(), person, name)
	if err != nil {
		return err
	}
	batch, err := t.hub.Before(r.Context(), name, q.before, q.limit, lens)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, no-cache")
	t.send(w, http.StatusOK, append(batch.AppendJSON(nil), '\n'))
	return nil
}
