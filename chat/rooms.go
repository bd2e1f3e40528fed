package chat

import (
	"context"
	"errors"
	"strings"

	"parley/channel"
	"parley/problem"
)

// Lobby is the id of the room that is always there.
const Lobby = "lobby"

// Bounds of what is listed.
const (
	MaxRooms   = 1000 // rooms that Rooms returns
	MaxMembers = 1000 // people that Members returns
)

// EnsureLobby makes the lobby if it is not there. It can be renamed (by the administrator: it has no owner) but not deleted, so
// this does nothing after the first start.
func (s *Service) EnsureLobby(ctx context.Context) error {
	_, err := s.store.Room(ctx, Lobby, "")
	if !errors.Is(err, ErrNoRoom) {
		return err
	}
	err = s.store.CreateRoom(ctx, Room{ID: Lobby, Name: "Lobby", Created: s.now()})
	if errors.Is(err, ErrRoomExists) { // another node was faster
		return nil
	}
	return err
}

// NewRoom is what a room is made of.
type NewRoom struct {
	Name    string `json:"name"`
	Topic   string `json:"topic"`
	Private bool   `json:"private"`
}

// CreateRoom makes a room with who as owner and first member. Its id is made from its name, with a random ending if that
// is another room's. ErrRoomExists when a room that who can see has both; problem.Empty, problem.TooLong.
func (s *Service) CreateRoom(ctx context.Context, who channel.Sender, n NewRoom) (Room, error) {
	if err := signedIn(who); err != nil {
		return Room{}, err
	}
	name, err := roomName(n.Name)
	if err != nil {
		return Room{}, err
	}
	topic, err := line("topic", n.Topic, MaxTopic)
	if err != nil {
		return Room{}, err
	}
	r := Room{Name: name, Topic: topic, Private: n.Private, Owner: who, Created: s.now(), Members: 1, Joined: true}
	base := slug(name)
	for try := range 8 {
		switch {
		case base == "":
			r.ID = random(8)
		case try == 0:
			r.ID = base
		default:
			r.ID = base + "-" + random(4)
		}
		err = s.store.CreateRoom(ctx, r, added(who.ID, conversation(r)))
		if !errors.Is(err, ErrRoomExists) {
			break
		}
		if there, e := s.Room(ctx, who, r.ID); e == nil && strings.EqualFold(there.Name, name) {
			return Room{}, ErrRoomExists.Detail("there is a room %q already: join it, or choose another name", there.Name)
		}
	}
	if err != nil {
		return Room{}, err
	}
	s.MemberChanged(r.ID, who.ID, false)
	return r, nil
}

// Change is what Update changes; nil fields stay.
type Change struct {
	Name  *string `json:"name"`
	Topic *string `json:"topic"`
}

// Update changes a room's name or topic, and says so in the room (an event of type topic). The owner and the administrator
// may: problem.NotOwner. ErrNoRoom, problem.Empty, problem.TooLong.
func (s *Service) Update(ctx context.Context, who channel.Sender, admin bool, id string, c Change) (Room, error) {
	r, err := s.owned(ctx, who, admin, id)
	if err != nil {
		return Room{}, err
	}
	was := r
	if c.Name != nil {
		if r.Name, err = roomName(*c.Name); err != nil {
			return Room{}, err
		}
	}
	if c.Topic != nil {
		if r.Topic, err = line("topic", *c.Topic, MaxTopic); err != nil {
			return Room{}, err
		}
	}
	if r == was {
		return r, nil
	}
	return r, s.store.UpdateRoom(ctx, id, r.Name, r.Topic, channel.Draft{
		Channel: r.Channel(), Type: "topic", From: channel.System, Data: mustEncode(topicData{r.Name, r.Topic}),
	})
}

// Delete removes a room with everything said in it. The owner and the administrator may (problem.NotOwner), but nobody
// the lobby (problem.Forbidden). ErrNoRoom.
func (s *Service) Delete(ctx context.Context, who channel.Sender, admin bool, id string) error {
	r, err := s.owned(ctx, who, admin, id)
	if err != nil {
		return err
	}
	if id == Lobby {
		return problem.Forbidden.Detail("the lobby cannot be deleted, only renamed")
	}
	if err := s.store.DeleteRoom(ctx, id, deleted(r.Channel())); err != nil {
		return noRoom(id, err)
	}
	s.RoomGone(id)
	return nil
}

// owned returns a room that who may change.
func (s *Service) owned(ctx context.Context, who channel.Sender, admin bool, id string) (Room, error) {
	if err := signedIn(who); err != nil {
		return Room{}, err
	}
	r, err := s.Room(ctx, who, id)
	if err == nil && !admin && r.Owner.ID != who.ID {
		return Room{}, problem.NotOwner.Detail("only the owner of the room, or the administrator, may do this")
	}
	return r, err
}

// Room returns a room as who sees it (the zero Sender: anybody). A private room is seen by its members and its owner; for
// all others, the administrator too, it is ErrNoRoom.
func (s *Service) Room(ctx context.Context, who channel.Sender, id string) (Room, error) {
	r, err := s.see(ctx, who, id)
	r.Invite = ""
	return r, err
}

// see is Room with the invite.
func (s *Service) see(ctx context.Context, who channel.Sender, id string) (Room, error) {
	r, err := s.store.Room(ctx, id, who.ID)
	if err == nil && r.Private && !r.Joined && (who.ID == "" || r.Owner.ID != who.ID) {
		err = ErrNoRoom
	}
	if err != nil {
		return Room{}, noRoom(id, err)
	}
	return r, nil
}

// Rooms returns up to MaxRooms rooms: the public ones, and the private ones who is in; by name.
func (s *Service) Rooms(ctx context.Context, who channel.Sender) ([]Room, error) {
	rooms, err := s.store.Rooms(ctx, who.ID, MaxRooms)
	for i := range rooms {
		rooms[i].Invite = ""
	}
	return rooms, err
}

func roomName(s string) (string, error) {
	s, err := line("name", s, MaxRoomName)
	if err == nil && s == "" {
		err = problem.Empty.Detail("the room needs a name, in 1 to %d characters", MaxRoomName)
	}
	return s, err
}

// conversation is a room as its new member sees it, before anything is said.
func conversation(r Room) Conversation {
	return Conversation{Channel: r.Channel(), Kind: channel.KindRoom, Name: r.Name, Topic: r.Topic, Private: r.Private}
}
