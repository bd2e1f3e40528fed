package api

import (
	"net/http"
	"strings"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

func (a *API) rooms(w http.ResponseWriter, r *http.Request) error {
	who, err := a.Person(r)
	if err != nil {
		return err
	}
	rooms, err := a.Chat.Rooms(r.Context(), sender(who))
	if err != nil {
		return err
	}
	if rooms == nil {
		rooms = []chat.Room{}
	}
	return answer(w, http.StatusOK, map[string]any{"rooms": rooms})
}

// createRoom takes a room as JSON, or its name as text.
func (a *API) createRoom(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	var in chat.NewRoom
	if err := read(w, r, &in, func(s string) error { in.Name = strings.TrimSpace(s); return nil }); err != nil {
		return err
	}
	if err := a.Gate.Publish(who.ID); err != nil {
		return err
	}
	room, err := a.Chat.CreateRoom(r.Context(), who.Sender(), in)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/rooms/"+room.ID)
	return answer(w, http.StatusCreated, room)
}

func (a *API) room(w http.ResponseWriter, r *http.Request) error {
	who, err := a.Person(r)
	if err != nil {
		return err
	}
	room, err := a.Chat.Room(r.Context(), sender(who), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, room)
}

func (a *API) updateRoom(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	var in chat.Change
	if err := read(w, r, &in, nil); err != nil {
		return err
	}
	if err := a.Gate.Publish(who.ID); err != nil { // it makes a message
		return err
	}
	room, err := a.Chat.Update(r.Context(), who.Sender(), who.Admin, r.PathValue("id"), in)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, room)
}

func (a *API) deleteRoom(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	if err := a.Chat.Delete(r.Context(), who.Sender(), who.Admin, r.PathValue("id")); err != nil {
		return err
	}
	return done(w)
}

// join takes an invite as JSON; a public room needs no body.
func (a *API) join(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	var in struct {
		Invite string `json:"invite"`
	}
	if r.ContentLength != 0 {
		if err := read(w, r, &in, func(s string) error { in.Invite = strings.TrimSpace(s); return nil }); err != nil {
			return err
		}
	}
	if err := a.Gate.Publish(who.ID); err != nil { // it makes a message in one's inbox
		return err
	}
	if err := a.Chat.Join(r.Context(), who.Sender(), r.PathValue("id"), in.Invite); err != nil {
		return err
	}
	return done(w)
}

func (a *API) leave(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	if err := a.Chat.Leave(r.Context(), who.Sender(), r.PathValue("id")); err != nil {
		return err
	}
	return done(w)
}

func (a *API) members(w http.ResponseWriter, r *http.Request) error {
	who, err := a.Person(r)
	if err != nil {
		return err
	}
	members, err := a.Chat.Members(r.Context(), sender(who), r.PathValue("id"))
	if err != nil {
		return err
	}
	if members == nil {
		members = []channel.Sender{}
	}
	return answer(w, http.StatusOK, map[string]any{"members": members})
}

// invite returns the room's invite with the address that brings somebody in. The token stands behind #, so that it
// reaches no log.
func (a *API) invite(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	invite, err := a.Chat.Invite(r.Context(), who.Sender(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]string{"invite": invite, "url": a.url(r, "/r/"+id+"#invite="+invite)})
}

func (a *API) revokeInvite(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	if err := a.Chat.RevokeInvite(r.Context(), who.Sender(), who.Admin, r.PathValue("id")); err != nil {
		return err
	}
	return done(w)
}

// conversations lists one's rooms and direct conversations.
func (a *API) conversations(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	list, err := a.Chat.Conversations(r.Context(), who.Sender())
	if err != nil {
		return err
	}
	if list == nil {
		list = []chat.Conversation{}
	}
	return answer(w, http.StatusOK, map[string]any{"conversations": list})
}

// markRead notes how far one has read.
func (a *API) markRead(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	name, err := channel.ParseName(r.PathValue("channel"))
	if err != nil {
		return err
	}
	var in struct {
		Seq *uint64 `json:"seq"`
	}
	if err := read(w, r, &in, nil); err != nil {
		return err
	}
	if in.Seq == nil {
		return problem.BadRequest.Detail(`say how far: {"seq":42}`)
	}
	if err := a.Chat.MarkRead(r.Context(), who.Sender(), name, *in.Seq); err != nil {
		return err
	}
	return done(w)
}
