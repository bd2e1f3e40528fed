package transport

import (
	"context"
	"encoding/json"
	"net/http"

	"parley/body"
	"parley/channel"
	"parley/problem"
)

// errNoSession answers what needs a person and makes no guest.
var errNoSession = problem.New(http.StatusUnauthorized, "no_session", "There is no session").
	Detail("a session is needed: POST /v1/session makes one")

// signal passes something to whoever is there now.
func (t *Transport) signal(w http.ResponseWriter, r *http.Request) error {
	name, err := channel.ParseName(r.PathValue("channel"))
	if err != nil {
		return err
	}
	var in struct {
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if err := body.JSON(w, r, t.o.BodyLimit, &in); err != nil {
		return err
	}
	person, err := t.site.Person(r)
	if err != nil {
		return err
	}
	if err := t.pass(r.Context(), person, name, in.Type, in.Data); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// pass sends a signal on behalf of a request or command.
func (t *Transport) pass(ctx context.Context, person channel.Sender, name channel.Name, typ string, data json.RawMessage) error {
	if typ == "" {
		return problem.BadRequest.Detail(`the signal has no type: {"type":"typing"}`)
	}
	if person.ID == "" {
		return errNoSession
	}
	if data == nil {
		data = json.RawMessage("{}")
	}
	if err := t.site.Allow(person, ActionSignal, 1); err != nil {
		return err
	}
	return t.site.Signal(ctx, person, name, typ, data)
}
