package enginetest

import (
	"encoding/json"
	"fmt"
	"time"

	"parley/channel"
)

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
