package enginetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"parley/channel"
	"parley/chat"
	"parley/identity"
)

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
