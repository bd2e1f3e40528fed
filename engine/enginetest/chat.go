package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
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

func (t *chatTest) kept() {
	ann := t.user("ann")
	r := t.room("tea", ann, true)
	got, err := t.e.Room(t.Context(), "tea", "ann")
	t.ok(err)
	r.Members, r.Joined = 1, true
	if got != r {
		t.Fatalf("got %+v\nwant %+v", got, r)
	}
	t.room("lobby", channel.Sender{}, false)
	got, err = t.e.Room(t.Context(), "lobby", "ann")
	t.ok(err)
	if got.Owner != (channel.Sender{}) || got.Members != 0 || got.Joined || got.Private {
		t.Fatalf("got %+v", got)
	}
}

func (t *chatTest) idOnce() {
	ann := t.user("ann")
	t.room("tea", ann, false)
	again := chat.Room{ID: "tea", Name: "Other", Owner: ann, Created: chatStart}
	t.wantErr(t.e.CreateRoom(t.Context(), again, event("ann", "created")), chat.ErrRoomExists)
	t.ok(t.e.DeleteRoom(t.Context(), "tea", event("", "left")))
	t.wantErr(t.e.CreateRoom(t.Context(), again, event("ann", "created")), chat.ErrRoomExists)
	t.wantInbox("ann", "left")
}

func (t *chatTest) absent() {
	ctx, ann := t.Context(), t.user("ann")
	_, err := t.e.Room(ctx, "no", "ann")
	t.wantErr(err, chat.ErrNoRoom)
	t.wantErr(t.e.UpdateRoom(ctx, "no", "a", "b", event("ann", "x")), chat.ErrNoRoom)
	_, err = t.e.EnsureInvite(ctx, "no", "i")
	t.wantErr(err, chat.ErrNoRoom)
	t.wantErr(t.e.RevokeInvite(ctx, "no"), chat.ErrNoRoom)
	t.wantErr(t.e.DeleteRoom(ctx, "no", event("", "x")), chat.ErrNoRoom)
	_, err = t.e.Join(ctx, "no", ann, event("ann", "x"))
	t.wantErr(err, chat.ErrNoRoom)
	if left, err := t.e.Leave(ctx, "no", "ann", event("ann", "x")); left || err != nil {
		t.Fatal(left, err)
	}
	if in, err := t.e.IsMember(ctx, "no", "ann"); in || err != nil {
		t.Fatal(in, err)
	}
	if list, err := t.e.Conversations(ctx, "ann", 10); len(list) != 0 || err != nil {
		t.Fatal(list, err)
	}
	for _, name := range []channel.Name{"room:no", "direct:ann.bob", "direct:x.y", "direct:odd", "user:ann", "vote:X"} {
		if read, changed, err := t.e.SetRead(ctx, "ann", name, 5); read != 0 || changed || err != nil {
			t.Fatal(name, read, changed, err)
		}
	}
	t.room("tea", channel.Sender{}, false)
	_, err = t.e.Join(ctx, "tea", channel.Sender{ID: "nobody", Name: "x"}, event("ann", "x"))
	t.wantErr(err, identity.ErrNoUser)
	_, err = t.e.OpenDirect(ctx, ann, channel.Sender{ID: "nobody", Name: "x"}, event("ann", "x"))
	t.wantErr(err, identity.ErrNoUser)
	t.wantInbox("ann")
}

func (t *chatTest) list() {
	ann, bob := t.user("ann"), t.user("bob")
	t.room("z-public", ann, false)
	t.room("a-private", ann, true)
	t.room("b-private", bob, true)
	t.room("m-public", bob, false)
	for viewer, want := range map[string][]string{
		"":    {"m-public", "z-public"},
		"ann": {"a-private", "m-public", "z-public"},
		"bob": {"b-private", "m-public", "z-public"},
	} {
		rooms, err := t.e.Rooms(t.Context(), viewer, 100)
		t.ok(err)
		var ids []string
		for _, r := range rooms {
			ids = append(ids, r.ID)
			if r.Joined != (r.Owner.ID == viewer) {
				t.Fatalf("%q: %+v", viewer, r)
			}
		}
		if !slices.Equal(ids, want) {
			t.Fatalf("%q sees %q; want %q", viewer, ids, want)
		}
	}
	if rooms, err := t.e.Rooms(t.Context(), "ann", 2); len(rooms) != 2 || err != nil {
		t.Fatal(rooms, err)
	}
}

func (t *chatTest) update() {
	t.room("tea", t.user("ann"), false)
	t.ok(t.e.UpdateRoom(t.Context(), "tea", "Tee", "Neu", event("ann", "updated")))
	for _, invite := range []string{"secret", "other"} { // the first stays
		got, err := t.e.EnsureInvite(t.Context(), "tea", invite)
		t.ok(err)
		if got != "secret" {
			t.Fatalf("invite %q", got)
		}
	}
	r, err := t.e.Room(t.Context(), "tea", "")
	t.ok(err)
	if r.Name != "Tee" || r.Topic != "Neu" || r.Invite != "secret" {
		t.Fatalf("got %+v", r)
	}
	t.ok(t.e.RevokeInvite(t.Context(), "tea"))
	if r, _ := t.e.Room(t.Context(), "tea", ""); r.Invite != "" {
		t.Fatalf("got %+v", r)
	}
	t.wantInbox("ann", "updated")
}

func (t *chatTest) inviteRace() {
	t.room("tea", t.user("ann"), true)
	var wg sync.WaitGroup
	got, errs := make([]string, 20), make([]error, 20)
	for i := range got {
		wg.Go(func() { got[i], errs[i] = t.e.EnsureInvite(t.Context(), "tea", fmt.Sprint("invite", i)) })
	}
	wg.Wait()
	t.ok(errors.Join(errs...))
	r, err := t.e.Room(t.Context(), "tea", "ann")
	t.ok(err)
	for i := range got {
		if got[i] != r.Invite || r.Invite == "" {
			t.Fatalf("the room's invite is %q; %d got %q", r.Invite, i, got[i])
		}
	}
}

func (t *chatTest) joinLeave() {
	ctx, bob := t.Context(), t.user("bob")
	t.room("tea", t.user("ann"), false)
	for _, step := range []struct {
		join, does bool
		members    int
	}{{true, true, 2}, {true, false, 2}, {false, true, 1}, {false, false, 1}, {true, true, 2}} {
		var did bool
		var err error
		if step.join {
			did, err = t.e.Join(ctx, "tea", bob, event("bob", "joined"))
		} else {
			did, err = t.e.Leave(ctx, "tea", "bob", event("bob", "left"))
		}
		t.ok(err)
		in, err := t.e.IsMember(ctx, "tea", "bob")
		t.ok(err)
		r, err := t.e.Room(ctx, "tea", "bob")
		t.ok(err)
		if did != step.does || in != step.join || r.Joined != step.join || r.Members != step.members {
			t.Fatalf("%+v: did %v, in %v, %+v", step, did, in, r)
		}
	}
	t.wantInbox("bob", "joined", "left", "joined")
}

func (t *chatTest) joinRace() {
	bob := t.user("bob")
	t.room("tea", t.user("ann"), false)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { _, errs[i] = t.e.Join(t.Context(), "tea", bob, event("bob", "joined")) })
	}
	wg.Wait()
	t.ok(errors.Join(errs...))
	if r, _ := t.e.Room(t.Context(), "tea", "bob"); r.Members != 2 {
		t.Fatalf("%d members", r.Members)
	}
	t.wantInbox("bob", "joined")
}

func (t *chatTest) members() {
	ctx := t.Context()
	t.room("tea", t.user("zoe"), false)
	for _, name := range []string{"ann", "bob"} {
		_, err := t.e.Join(ctx, "tea", t.user(name))
		t.ok(err)
	}
	t.ok(t.e.RenameUser(ctx, "bob", "Zoltan", "zoltan"))
	people, err := t.e.Members(ctx, "tea", 100)
	t.ok(err)
	if want := []channel.Sender{{ID: "ann", Name: "ann"}, {ID: "zoe", Name: "zoe"}, {ID: "bob", Name: "Zoltan"}}; !slices.Equal(people, want) {
		t.Fatalf("got %v\nwant %v", people, want)
	}
	if people, err := t.e.Members(ctx, "tea", 2); len(people) != 2 || err != nil {
		t.Fatal(people, err)
	}
	t.ok(t.e.RenameUser(ctx, "zoe", "Chloe", "chloe"))
	if r, _ := t.e.Room(ctx, "tea", ""); r.Owner != (channel.Sender{ID: "zoe", Name: "Chloe"}) {
		t.Fatalf("owner %v", r.Owner)
	}
}

func (t *chatTest) deleteRoom() {
	ctx, ann, bob := t.Context(), t.user("ann"), t.user("bob")
	t.room("tea", ann, false)
	_, err := t.e.Join(ctx, "tea", bob)
	t.ok(err)
	t.say("room:tea", bob, "text")
	t.ok(t.e.DeleteRoom(ctx, "tea", event("", "left")))
	_, err = t.e.Room(ctx, "tea", "ann")
	t.wantErr(err, chat.ErrNoRoom)
	_, err = t.e.Append(ctx, channel.Draft{Channel: "room:tea", Type: "text", From: bob, Data: json.RawMessage(`{}`)})
	t.wantErr(err, channel.ErrDeleted)
	for _, user := range []string{"ann", "bob"} {
		t.wantInbox(user, "left")
		if in, _ := t.e.IsMember(ctx, "tea", user); in {
			t.Fatal(user, "is in still")
		}
		if list, _ := t.e.Conversations(ctx, user, 10); len(list) != 0 {
			t.Fatal(list)
		}
	}
}

// atomic has an event fail, because its inbox is deleted.
func (t *chatTest) atomic() {
	ctx, ann, bob := t.Context(), t.user("ann"), t.user("bob")
	t.room("tea", ann, false)
	t.room("wine", t.user("gone"), false)
	t.say("user:gone", channel.System, "text")
	t.ok(t.e.Delete(ctx, "user:gone"))
	_, err := t.e.Join(ctx, "tea", bob, event("bob", "joined"), event("gone", "x"))
	t.wantErr(err, channel.ErrDeleted)
	_, err = t.e.OpenDirect(ctx, ann, bob, event("bob", "opened"), event("gone", "x"))
	t.wantErr(err, channel.ErrDeleted)
	err = t.e.CreateRoom(ctx, chat.Room{ID: "new", Owner: ann, Created: chatStart}, event("bob", "made"), event("gone", "x"))
	t.wantErr(err, channel.ErrDeleted)
	t.wantErr(t.e.UpdateRoom(ctx, "tea", "Other", "", event("bob", "updated"), event("gone", "x")), channel.ErrDeleted)
	t.wantErr(t.e.DeleteRoom(ctx, "wine", event("", "x")), channel.ErrDeleted)
	_, err = t.e.Leave(ctx, "tea", "ann", event("gone", "x"))
	t.wantErr(err, channel.ErrDeleted)

	t.wantInbox("bob")
	for id, owner := range map[string]string{"tea": "ann", "wine": "gone"} {
		if r, err := t.e.Room(ctx, id, owner); err != nil || r.Members != 1 || !r.Joined || r.Name != "Room "+id {
			t.Fatalf("%+v %v", r, err)
		}
	}
	if _, err := t.e.Room(ctx, "new", ""); !errors.Is(err, chat.ErrNoRoom) {
		t.Fatal(err)
	}
	if list, _ := t.e.Conversations(ctx, "bob", 10); len(list) != 0 {
		t.Fatal(list)
	}
}

func (t *chatTest) direct() {
	ctx, ann, bob := t.Context(), t.user("ann"), t.user("bob")
	for i, pair := range [][2]channel.Sender{{bob, ann}, {ann, bob}, {bob, ann}} {
		opened, err := t.e.OpenDirect(ctx, pair[0], pair[1], event("ann", "opened"), event("bob", "opened"))
		t.ok(err)
		if opened != (i == 0) {
			t.Fatalf("%d: opened %v", i, opened)
		}
	}
	t.wantInbox("ann", "opened")
	t.wantInbox("bob", "opened")
	t.ok(t.e.RenameUser(ctx, "bob", "Robert", "robert"))
	c := t.conversation("ann", "direct:ann.bob")
	if c.Kind != channel.KindDirect || c.With != (channel.Sender{ID: "bob", Name: "Robert"}) || c.Name != "Robert" || !c.Private || c.Unread != 0 || c.Position != (channel.Position{}) {
		t.Fatalf("%+v", c)
	}
	if c := t.conversation("bob", "direct:ann.bob"); c.With != ann {
		t.Fatalf("%+v", c)
	}
}

func (t *chatTest) read() {
	ctx, ann, bob := t.Context(), t.user("ann"), t.user("bob")
	t.room("tea", ann, false)
	_, err := t.e.OpenDirect(ctx, ann, bob)
	t.ok(err)
	for _, name := range []channel.Name{"room:tea", "direct:ann.bob"} {
		for range 5 {
			t.say(name, bob, "text")
		}
		for _, step := range []struct{ seq, read uint64 }{{3, 3}, {2, 3}, {3, 3}, {4, 4}, {1 << 60, 5}, {1<<64 - 1, 5}, {0, 5}} {
			before := t.conversation("ann", name).Read
			read, changed, err := t.e.SetRead(ctx, "ann", name, step.seq)
			t.ok(err)
			if read != step.read || changed != (before != step.read) {
				t.Fatalf("%s to %d: %d, %v; want %d", name, step.seq, read, changed, step.read)
			}
			if c := t.conversation("ann", name); c.Read != step.read || c.Unread != int(5-step.read) {
				t.Fatalf("%+v", c)
			}
		}
	}
	if c := t.conversation("bob", "direct:ann.bob"); c.Read != 0 {
		t.Fatalf("bob's reading moved with ann's: %+v", c)
	}
	if _, changed, err := t.e.SetRead(ctx, "bob", "room:tea", 2); changed || err != nil {
		t.Fatal("bob, who is not in, read:", changed, err)
	}
}

func (t *chatTest) unread() {
	ctx, ann, bob := t.Context(), t.user("ann"), t.user("bob")
	t.room("tea", ann, false)
	t.say("room:tea", ann, "text") // before bob came
	_, err := t.e.Join(ctx, "tea", bob)
	t.ok(err)
	if c := t.conversation("bob", "room:tea"); c.Read != 1 || c.Unread != 0 {
		t.Fatalf("%+v", c)
	}
	second := t.say("room:tea", ann, "text")
	t.say("room:tea", ann, "topic")
	t.say("room:tea", bob, "text")
	t.say("room:tea", ann, "text")
	if c := t.conversation("bob", "room:tea"); c.Unread != 2 || c.Position.Seq != 5 || c.Position.Mark == 0 {
		t.Fatalf("%+v", c)
	}
	_, err = t.e.Append(ctx, channel.Draft{Channel: "room:tea", Type: "delete", From: ann, Data: json.RawMessage(`{"seq":2}`),
		Amend: &channel.Amendment{Seq: second, Data: json.RawMessage(`{"deleted":true}`), Erase: true}})
	t.ok(err)
	if c := t.conversation("bob", "room:tea"); c.Unread != 1 {
		t.Fatalf("a deleted message counts: %+v", c)
	}
}

func (t *chatTest) unreadMany() {
	ann, bob := t.user("ann"), t.user("bob")
	t.room("tea", ann, false)
	drafts := make([]channel.Draft, 150)
	for i := range drafts {
		drafts[i] = channel.Draft{Channel: "room:tea", Type: "text", From: bob, Data: json.RawMessage(fmt.Sprint(i))}
	}
	_, err := t.e.Append(t.Context(), drafts...)
	t.ok(err)
	if c := t.conversation("ann", "room:tea"); c.Unread != 100 || c.Position.Seq != 150 {
		t.Fatalf("%+v", c)
	}
	_, _, err = t.e.SetRead(t.Context(), "ann", "room:tea", 90)
	t.ok(err)
	if c := t.conversation("ann", "room:tea"); c.Unread != 60 {
		t.Fatalf("%+v", c)
	}
}

func (t *chatTest) conversations() {
	ctx, ann, bob := t.Context(), t.user("ann"), t.user("bob")
	names := []channel.Name{"room:a", "room:b", "direct:ann.bob"}
	t.room("a", ann, true)
	t.room("b", ann, false)
	_, err := t.e.OpenDirect(ctx, ann, bob)
	t.ok(err)
	for _, last := range names {
		before := t.conversation("ann", last).Active
		t.untilLater(before)
		t.say(last, bob, "text")
		list, err := t.e.Conversations(ctx, "ann", 10)
		t.ok(err)
		if len(list) != 3 || list[0].Channel != last {
			t.Fatalf("after a message in %s: %+v", last, list)
		}
		for i := 1; i < len(list); i++ {
			if list[i].Active.After(list[i-1].Active) {
				t.Fatalf("not in order: %+v", list)
			}
		}
	}
	c := t.conversation("ann", "room:a")
	if c.Kind != channel.KindRoom || c.Name != "Room a" || c.Topic != "About a" || !c.Private || c.With != (channel.Sender{}) {
		t.Fatalf("%+v", c)
	}
	if list, err := t.e.Conversations(ctx, "ann", 2); len(list) != 2 || list[0].Channel != "direct:ann.bob" || err != nil {
		t.Fatal(list, err)
	}
}

// untilLater appends elsewhere until the engine's clock is past the last millisecond of what was before.
func (t *chatTest) untilLater(than time.Time) {
	t.Helper()
	for {
		r, err := t.e.Append(t.Context(), channel.Draft{Channel: "test:clock", Type: "tick", From: channel.System, Data: json.RawMessage("0")})
		t.ok(err)
		if r[0].At.After(than) {
			last, err := t.e.Append(t.Context(), channel.Draft{Channel: "test:clock", Type: "tick", From: channel.System, Data: json.RawMessage("0")})
			t.ok(err)
			if last[0].At.After(r[0].At) {
				return
			}
		}
	}
}

func (t *chatTest) userGone() {
	ctx, ann, bob := t.Context(), t.user("ann"), t.user("bob")
	t.room("tea", ann, false)
	t.room("wine", bob, false)
	_, err := t.e.Join(ctx, "wine", ann)
	t.ok(err)
	_, err = t.e.OpenDirect(ctx, ann, bob)
	t.ok(err)
	t.say("direct:ann.bob", ann, "text")
	t.ok(t.e.RenameUser(ctx, "ann", "Anna", "anna"))
	t.ok(t.e.DeleteUser(ctx, "ann"))
	for _, id := range []string{"tea", "wine"} {
		if in, err := t.e.IsMember(ctx, id, "ann"); in || err != nil {
			t.Fatal(id, in, err)
		}
	}
	if r, err := t.e.Room(ctx, "tea", ""); err != nil || r.Members != 0 || r.Owner != (channel.Sender{}) {
		t.Fatalf("%+v %v", r, err)
	}
	if r, err := t.e.Room(ctx, "wine", ""); err != nil || r.Members != 1 || r.Owner != bob {
		t.Fatalf("%+v %v", r, err)
	}
	if list, err := t.e.Conversations(ctx, "ann", 10); len(list) != 0 || err != nil {
		t.Fatal(list, err)
	}
	c := t.conversation("bob", "direct:ann.bob")
	if c.With != (channel.Sender{ID: "ann", Name: "Anna"}) || c.Unread != 1 {
		t.Fatalf("%+v", c)
	}
}

// erasure: no text of a deleted message is left in the events that changed it.
func (t *chatTest) erasure() {
	ann := t.user("ann")
	const name = "room:tea"
	t.say(name, ann, "text")
	t.say(name, ann, "text")
	amend := func(typ string, seq uint64, data string, erase bool) error {
		_, err := t.e.Append(t.Context(), channel.Draft{Channel: name, Type: typ, From: ann, Data: json.RawMessage(data),
			Amend: &channel.Amendment{Seq: seq, Data: json.RawMessage(data), Erase: erase}})
		return err
	}
	t.ok(amend("edit", 1, `"one"`, false))
	t.ok(amend("edit", 2, `"other"`, false))
	t.ok(amend("edit", 1, `"two"`, false))
	t.ok(amend("delete", 1, `"gone"`, true))
	t.wantErr(amend("edit", 1, `"back"`, false), channel.ErrErased)
	t.wantErr(amend("edit", 3, `"back"`, false), channel.ErrErased)
	b, err := t.e.Read(context.Background(), name, channel.Position{}, 100, 1<<20)
	t.ok(err)
	var got []string
	for _, m := range b.Messages {
		got = append(got, string(m.Data))
	}
	if want := []string{`"gone"`, `"other"`, `"gone"`, `"other"`, `"gone"`, `"gone"`}; !slices.Equal(got, want) {
		t.Fatalf("got %q\nwant %q", got, want)
	}
}
