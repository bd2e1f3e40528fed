package api

import (
	"net/http"

	"parley/channel"
)

type directAnswer struct {
	Channel channel.Name   `json:"channel"`
	With    channel.Sender `json:"with"`
}

// direct tells the channel of oneself and another person, by id or name. It makes nothing: the first message does.
func (a *API) direct(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	name, with, err := a.Chat.Direct(r.Context(), who.Sender(), r.PathValue("user"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, directAnswer{name, with})
}

// sendDirect publishes to that channel, as if its name had been in the path.
func (a *API) sendDirect(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	name, _, err := a.Chat.Direct(r.Context(), who.Sender(), r.PathValue("user"))
	if err != nil {
		return err
	}
	there := r.Clone(r.Context())
	there.URL.Path, there.URL.RawPath = "/v1/channels/"+string(name)+"/messages", ""
	a.Channels.ServeHTTP(w, there)
	return nil
}
