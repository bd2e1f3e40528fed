package enginetest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/identity"
)

// ChatEngine is what the suite of chat needs of an engine: memberships end with users, and their events are messages.
type ChatEngine interface {
	chat.Store
	identity.Store
	channel.Log
}

// Chat is what every engine must do with rooms and direct conversations. open returns an empty engine, without policies,
// and closes it when the test ends.
func Chat(t *testing.T, open func(t *testing.T) ChatEngine) {
	for _, test := range []struct {
		name string
		run  func(*chatTest)
	}{
		{"a room is kept as it was made", (*chatTest).kept},
		{"a room's id is used once", (*chatTest).idOnce},
		{"what is absent", (*chatTest).absent},
		{"whose rooms", (*chatTest).list},
		{"update and invite", (*chatTest).update},
		{"many invite at once", (*chatTest).inviteRace},
		{"join and leave, each once", (*chatTest).joinLeave},
		{"many join at once", (*chatTest).joinRace},
		{"members by their current names", (*chatTest).members},
		{"a deleted room tells its members", (*chatTest).deleteRoom},
		{"a failed event leaves nothing", (*chatTest).atomic},
		{"a direct conversation opens once, for both", (*chatTest).direct},
		{"reading goes forward, to the tail", (*chatTest).read},
		{"unread counts others' texts", (*chatTest).unread},
		{"unread stops at 100", (*chatTest).unreadMany},
		{"conversations by activity", (*chatTest).conversations},
		{"a deleted user is out of everything", (*chatTest).userGone},
		{"an erasure takes the edits along", (*chatTest).erasure},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(&chatTest{strict{t}, open(t)}) })
	}
}

type chatTest struct {
	strict
	e ChatEngine
}

var chatStart = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

// user makes a user whose id is the name.
func (t *chatTest) user(name string) channel.Sender {
	t.Helper()
	u := identity.User{ID: name, Name: name, Created: chatStart, Seen: chatStart}
	t.ok(t.e.CreateUser(t.Context(), u, name))
	return u.Sender()
}

func (t *chatTest) room(id string, owner channel.Sender, private bool) chat.Room {
	t.Helper()
	r := chat.Room{ID: id, Name: "Room " + id, Topic: "About " + id, Private: private, Owner: owner, Created: chatStart}
	t.ok(t.e.CreateRoom(t.Context(), r))
	return r
}

// event is a draft for a person's inbox.
func event(user, what string) channel.Draft {
	data, _ := json.Marshal(what)
	return channel.Draft{Channel: channel.User(user), Type: "event", From: channel.System, Data: data}
}

// inbox is what the events in a person's inbox say.
func (t *chatTest) inbox(user string) []string {
	t.Helper()
	b, err := t.e.Read(t.Context(), channel.User(user), channel.Position{}, 1000, 1<<20)
	t.ok(err)
	var said []string
	for _, m := range b.Messages {
		var s string
		t.ok(json.Unmarshal(m.Data, &s))
		said = append(said, s)
	}
	return said
}

func (t *chatTest) wantInbox(user string, want ...string) {
	t.Helper()
	if got := t.inbox(user); !slices.Equal(got, want) {
		t.Fatalf("inbox of %s: %q; want %q", user, got, want)
	}
}

// say publishes and returns the seq.
func (t *chatTest) say(name channel.Name, from channel.Sender, typ string) uint64 {
	t.Helper()
	r, err := t.e.Append(t.Context(), channel.Draft{Channel: name, Type: typ, From: from, Data: json.RawMessage(`{"text":"hello"}`)})
	t.ok(err)
	return r[0].Position.Seq
}

// conversation returns the only conversation of a user in a channel.
func (t *chatTest) conversation(user string, name channel.Name) chat.Conversation {
	t.Helper()
	list, err := t.e.Conversations(t.Context(), user, 100)
	t.ok(err)
	list = slices.DeleteFunc(list, func(c chat.Conversation) bool { return c.Channel != name })
	if len(list) != 1 {
		t.Fatalf("%s has %d conversations in %s; want 1", user, len(list), name)
	}
	return list[0]
}
