package enginetest

import (
	"context"
	"encoding/json"
	"slices"

	"parley/channel"
)

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
