package chat_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

func TestLobby(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	admin := s.person("Boss")
	r, err := s.Room(ctx, channel.Sender{}, "lobby")
	s.ok(err)
	if got, want := asJSON(r), `{"id":"lobby","channel":"room:lobby","name":"Lobby","topic":"","private":false,"owner":null,"members":0,"joined":false,"created":"2026-01-31T09:30:00.000Z"}`; got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	name := "Foyer"
	_, err = s.Update(ctx, admin, true, "lobby", chat.Change{Name: &name})
	s.ok(err)
	s.wants(s.Delete(ctx, admin, true, "lobby"), problem.Forbidden)
	s.ok(s.EnsureLobby(ctx))
	if r, err := s.Room(ctx, channel.Sender{}, "lobby"); err != nil || r.Name != "Foyer" {
		t.Fatal(r, err)
	}
	s.wantLog("room:lobby", `topic: {"name":"Foyer","topic":""}`)
	if _, err := s.Update(ctx, admin, true, "lobby", chat.Change{Name: &name}); err != nil {
		t.Fatal(err)
	}
	s.wantLog("room:lobby", `topic: {"name":"Foyer","topic":""}`) // the same again says nothing
}

func TestRoomIDs(t *testing.T) {
	s := newSite(t)
	ann := s.person("Ann")
	for _, test := range []struct{ name, id string }{
		{"Design", "design"},
		{"Design & Code", "design-code"},
		{"  Café  Zoë's ", "cafe-zoes"},
		{"ＦＵＬＬ width", "full-width"},
		{"设计 Design", "design-[a-z2-9]{4}"}, // design is another room
		{"设计", "[a-z2-9]{8}"},
		{"🎉", "[a-z2-9]{8}"},
		{"--", "[a-z2-9]{8}"},
		{"日本 2026", "2026"},
		{strings.Repeat("long ", 12), "long-long-long-long-long-long-long-long"},
		{strings.Repeat("a", 60), strings.Repeat("a", 40)},
	} {
		id := s.room(ann, test.name, false)
		if !regexp.MustCompile("^" + test.id + "$").MatchString(id) {
			t.Errorf("%q: %q; want %s", test.name, id, test.id)
		}
	}
}

func TestRoomNamesThatClash(t *testing.T) {
	s := newSite(t)
	ann, bob := s.person("Ann"), s.person("Bob")
	ctx := t.Context()
	s.room(ann, "Tea", false)
	secret := s.room(ann, "Wine", true)
	_, err := s.CreateRoom(ctx, bob, chat.NewRoom{Name: "tea"})
	s.wants(err, chat.ErrRoomExists)
	_, err = s.CreateRoom(ctx, bob, chat.NewRoom{Name: "lobby"})
	s.wants(err, chat.ErrRoomExists)
	if id := s.room(bob, "Tea!", false); !strings.HasPrefix(id, "tea-") {
		t.Error(id)
	}
	// A private room is not given away by its name.
	if id := s.room(bob, "Wine", false); !strings.HasPrefix(id, "wine-") {
		t.Error(id)
	}
	// A deleted room's id is not used again: its channel is gone for good.
	s.ok(s.Delete(ctx, ann, false, secret))
	id := s.room(bob, "Wine", true)
	if !strings.HasPrefix(id, "wine-") {
		t.Error(id)
	}
	s.say(bob, channel.Room(id), "hello")
}

func TestRoomTexts(t *testing.T) {
	s := newSite(t)
	ann := s.person("Ann")
	for _, test := range []struct {
		room chat.NewRoom
		want error
	}{
		{chat.NewRoom{Name: strings.Repeat("茶", 60), Topic: strings.Repeat("a", 300)}, nil},
		{chat.NewRoom{Name: ""}, problem.Empty},
		{chat.NewRoom{Name: " \u3000"}, problem.Empty},
		{chat.NewRoom{Name: strings.Repeat("a", 61)}, problem.TooLong},
		{chat.NewRoom{Name: strings.Repeat("a", 1<<20)}, problem.TooLong},
		{chat.NewRoom{Name: "a", Topic: strings.Repeat("a", 301)}, problem.TooLong},
		{chat.NewRoom{Name: "a\nb"}, problem.BadRequest},
		{chat.NewRoom{Name: "a\x00"}, problem.BadRequest},
		{chat.NewRoom{Name: "a\xff"}, problem.BadRequest},
		{chat.NewRoom{Name: "a\u202eb"}, problem.BadRequest},
		{chat.NewRoom{Name: "a", Topic: "\x1b"}, problem.BadRequest},
	} {
		_, err := s.CreateRoom(t.Context(), ann, test.room)
		s.wants(err, test.want)
	}
}

func TestMembership(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	ann, bob := s.person("Ann"), s.person("Bob")
	r, err := s.CreateRoom(ctx, ann, chat.NewRoom{Name: "Tea", Topic: "Pots", Private: true})
	s.ok(err)
	name := r.Channel()
	s.say(ann, name, "first")
	invite, err := s.Invite(ctx, ann, r.ID)
	s.ok(err)
	if again, _ := s.Invite(ctx, ann, r.ID); again != invite || len(invite) < 20 {
		t.Fatal(invite, again)
	}
	if got, _ := s.Room(ctx, ann, r.ID); got.Invite != "" {
		t.Fatal("the invite is given away")
	}
	s.ok(s.RevokeInvite(ctx, ann, false, r.ID))
	s.wants(s.Join(ctx, bob, r.ID, invite), chat.ErrBadInvite)
	s.enter(bob, ann, r.ID)
	s.ok(s.Join(ctx, bob, r.ID, "")) // in already
	tail, _ := s.hub.Tail(ctx, name)
	s.wantLog(channel.User(bob.ID), fmt.Sprintf(
		`conversation: {"channel":"room:tea","kind":"room","name":"Tea","topic":"Pots","private":true,"with":null,"position":%q,"read":1,"unread":0}`, tail))
	if got, want := asJSON(s.conversations(bob)), strings.TrimPrefix(s.inbox(bob)[0], "conversation: "); got != "["+want+"]" {
		t.Fatalf("the list says\n%s\nthe event\n%s", got, want)
	}
	people, err := s.Members(ctx, bob, r.ID)
	if err != nil || len(people) != 2 {
		t.Fatal(people, err)
	}
	s.ok(s.Leave(ctx, bob, r.ID))
	if got := s.inbox(bob); len(got) != 2 || got[1] != `left: {"channel":"room:tea"}` {
		t.Fatal(got)
	}
	s.ok(s.Leave(ctx, ann, r.ID)) // the owner, who can come back without an invite
	s.wants(s.MayRead(ctx, ann, name), chat.ErrNoRoom)
	s.ok(s.Join(ctx, ann, r.ID, ""))
	s.ok(s.MayRead(ctx, ann, name))
	s.ok(s.Delete(ctx, ann, false, r.ID))
	if got := s.inbox(ann); got[len(got)-1] != `left: {"channel":"room:tea","deleted":true}` {
		t.Fatal(got)
	}
}

func TestPublishingJoinsAPublicRoom(t *testing.T) {
	s := newSite(t)
	ann := s.person("Ann")
	s.say(ann, "room:lobby", "hello")
	s.say(ann, "room:lobby", "again")
	if got := s.inbox(ann); len(got) != 1 {
		t.Fatal(got)
	}
	if r, _ := s.Room(t.Context(), ann, "lobby"); !r.Joined || r.Members != 1 {
		t.Fatalf("%+v", r)
	}
	s.ok(s.Leave(t.Context(), ann, "lobby"))
	_, err := s.publish(ann, "room:lobby", "edit", map[string]any{"seq": 1, "text": "hello!"}) // changing what was said does not
	s.ok(err)
	if list := s.conversations(ann); len(list) != 0 {
		t.Fatal(list)
	}
	_, err = s.publish(ann, "room:lobby", "text", map[string]string{"text": ""}) // nor does what is refused
	s.wants(err, problem.Empty)
	if list := s.conversations(ann); len(list) != 0 {
		t.Fatal(list)
	}
}

func TestMarkRead(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	ann, bob := s.person("Ann"), s.person("Bob")
	screen := s.hub.NewReader(channel.ReaderOptions{Person: bob, Mode: channel.Stream})
	defer screen.Close()
	s.ok(s.Join(ctx, bob, "lobby", ""))
	_, err := screen.Add(ctx, channel.User(bob.ID), channel.End, nil)
	s.ok(err)
	for range 3 {
		s.say(ann, "room:lobby", "hello")
	}
	if list := s.conversations(bob); list[0].Unread != 3 {
		t.Fatalf("%+v", list)
	}
	s.ok(s.MarkRead(ctx, bob, "room:lobby", 2))
	s.ok(s.MarkRead(ctx, bob, "room:lobby", 1)) // not backwards, and nothing is said
	s.ok(s.MarkRead(ctx, bob, "room:lobby", 99))
	var got []string
	for len(got) < 2 {
		d, err := screen.Next(ctx)
		s.ok(err)
		for _, signal := range d.Signals {
			if signal.Type == "read" {
				got = append(got, string(signal.Data))
			}
		}
	}
	if got[0] != `{"channel":"room:lobby","seq":2}` || got[1] != `{"channel":"room:lobby","seq":3}` {
		t.Fatal(got)
	}
	if list := s.conversations(bob); list[0].Unread != 0 || list[0].Read != 3 {
		t.Fatalf("%+v", list)
	}
}

func TestRoomsListed(t *testing.T) {
	s := newSite(t)
	ann, bob := s.person("Ann"), s.person("Bob")
	s.room(ann, "Open", false)
	s.room(ann, "Secret", true)
	for _, test := range []struct {
		who  channel.Sender
		want string
	}{{channel.Sender{}, "lobby open"}, {bob, "lobby open"}, {ann, "lobby open secret"}} {
		rooms, err := s.Rooms(t.Context(), test.who)
		s.ok(err)
		var ids []string
		for _, r := range rooms {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != test.want {
			t.Errorf("%q sees %q; want %q", test.who.Name, got, test.want)
		}
	}
}
