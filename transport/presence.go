package transport

import (
	"net/http"

	"parley/channel"
	"parley/problem"
)

// presentLimit is how many people are named; all are counted.
const presentLimit = 200

// presence answers who is there.
func (t *Transport) presence(w http.ResponseWriter, r *http.Request) error {
	name, err := channel.ParseName(r.PathValue("channel"))
	if err != nil {
		return err
	}
	if r.URL.RawQuery != "" {
		return problem.BadRequest.Detail("presence has no parameters")
	}
	person, err := t.site.Person(r)
	if err != nil {
		return err
	}
	if _, err := t.site.MayRead(r.Context(), person, name); err != nil {
		return err
	}
	people, count := t.hub.Presence().Here(name, presentLimit)
	if people == nil {
		people = []channel.Sender{}
	}
	w.Header().Add("Vary", "Authorization")
	w.Header().Add("Vary", "Cookie")
	return t.sendValue(w, http.StatusOK, struct {
		Channel channel.Name     `json:"channel"`
		Here    []channel.Sender `json:"here"`
		Count   int              `json:"count"`
	}{name, people, count})
}
