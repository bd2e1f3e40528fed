package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/engine/redis/redistest"
	"parley/identity"
)

// crowd makes people with the ids prefix0, prefix1, …
func (n *node) crowd(prefix string, count int) []channel.Sender {
	n.Helper()
	people := make([]channel.Sender, count)
	n.each(count, func(i int) error {
		id := fmt.Sprint(prefix, i)
		people[i] = channel.Sender{ID: id, Name: id}
		return n.e.CreateUser(n.Context(), identity.User{ID: id, Name: id, Created: time.UnixMilli(1), Seen: time.UnixMilli(1)}, id)
	})
	return people
}

// each does count things, many at once.
func (n *node) each(count int, do func(i int) error) {
	n.Helper()
	errs := make([]error, count)
	for first := 0; first < count; first += 500 {
		together(min(500, count-first), func(i int) { errs[first+i] = do(first + i) })
	}
	n.ok(errors.Join(errs...))
}

func (n *node) storeRoom(id string, owner channel.Sender) error {
	return n.e.CreateRoom(n.Context(), chat.Room{ID: id, Name: id, Owner: owner, Private: true, Created: time.UnixMilli(1)})
}

func (n *node) member(room, user string) bool {
	n.Helper()
	in, err := n.e.IsMember(n.Context(), room, user)
	n.ok(err)
	return in
}

func (n *node) ending() string {
	n.Helper()
	fields, err := n.e.ask(n.Context(), n.e.client.B().Hkeys().Key(n.e.keys.fact("ending")).Build()).AsStrSlice()
	n.ok(err)
	return fmt.Sprint(fields)
}

// TestOneOfManyRoomsIsForgotten: in more rooms than one script ends.
func TestOneOfManyRoomsIsForgotten(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		t.Run(fmt.Sprint("the node stops in between: ", stopped), func(t *testing.T) {
			url := fresh(redistest.Start(t))
			a, b := newNode(t, url), newNode(t, url)
			ctx := t.Context()
			gus, owner := a.crowd("gus", 1)[0], a.crowd("owner", 1)[0]
			friends := a.crowd("friend", 300)
			const owned, joined = 700, 800
			room := func(i int) string { return fmt.Sprint("r", i) }
			a.each(owned+joined, func(i int) error {
				if i < owned {
					return a.storeRoom(room(i), gus)
				}
				if err := a.storeRoom(room(i), owner); err != nil {
					return err
				}
				_, err := a.e.Join(ctx, room(i), gus)
				return err
			})
			a.each(len(friends), func(i int) error { _, err := a.e.OpenDirect(ctx, gus, friends[i]); return err })
			if list, err := b.e.Conversations(ctx, gus.ID, 10_000); err != nil || len(list) != owned+joined+len(friends) {
				t.Fatal(len(list), err)
			}

			if stopped {
				finished, err := a.e.forgetStep(ctx, gus.ID, true)
				a.ok(err)
				if finished {
					t.Fatal("one script did all: there is nothing to go on with")
				}
				// Nobody is that user any more, though much is left to do.
				if _, err := b.e.User(ctx, gus.ID); !errors.Is(err, identity.ErrNoUser) {
					t.Fatal(err)
				}
				for i := range owned + joined {
					if b.member(room(i), gus.ID) {
						t.Fatal(room(i))
					}
				}
				if list, err := b.e.Conversations(ctx, gus.ID, 10); len(list) != 0 || err != nil {
					t.Fatal(list, err)
				}
				b.ok(b.e.CreateUser(ctx, identity.User{ID: "new", Name: gus.Name}, gus.Name)) // the name is free
				together(2, func(i int) { b.ok([]*node{a, b}[i].e.finish(ctx)) })
			} else {
				a.ok(a.e.DeleteUser(ctx, gus.ID))
			}

			if left := b.ending(); left != "[]" {
				t.Fatal(left)
			}
			b.each(owned+joined, func(i int) error {
				r, err := b.e.Room(ctx, room(i), gus.ID)
				if want := min(1, max(0, i-owned+1)); err == nil && (r.Joined || r.Members != want || r.Owner.ID == gus.ID || r.Owner.ID == "" != (i < owned)) {
					err = fmt.Errorf("%+v, not %d members", r, want)
				}
				return err
			})
			b.each(len(friends), func(i int) error {
				list, err := b.e.Conversations(ctx, friends[i].ID, 10)
				if err == nil && (len(list) != 1 || list[0].With != gus) {
					err = fmt.Errorf("%+v", list)
				}
				return err
			})
			exists := b.e.client.B().Exists().Key(b.e.keys.fact("rooms:"+gus.ID), b.e.keys.fact("directs:"+gus.ID), b.e.keys.fact("owned:"+gus.ID))
			if n, err := b.e.ask(ctx, exists.Build()).AsInt64(); n != 0 || err != nil {
				t.Fatalf("%d keys are left: %v", n, err)
			}
		})
	}
}

// TestARoomOfManyIsDeleted: of more members than one script tells.
func TestARoomOfManyIsDeleted(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		t.Run(fmt.Sprint("the node stops in between: ", stopped), func(t *testing.T) {
			url := fresh(redistest.Start(t))
			a, b := newNode(t, url), newNode(t, url)
			ctx := t.Context()
			people := a.crowd("p", 3*stepMembers+50)
			a.ok(a.storeRoom("big", people[0]))
			a.ok(a.storeRoom("other", people[0]))
			a.each(len(people), func(i int) error { _, err := a.e.Join(ctx, "big", people[i]); return err })
			left := channel.Draft{Type: "left", From: channel.System, Data: json.RawMessage(`{"channel":"room:big","deleted":true}`)}
			if stopped {
				later, err := a.e.endRoom(ctx, "big", left)
				a.ok(err)
				if !later {
					t.Fatal("one script did all: there is nothing to go on with")
				}
				if _, err := b.e.Room(ctx, "big", people[1].ID); !errors.Is(err, chat.ErrNoRoom) || b.member("big", people[1].ID) {
					t.Fatal(err)
				}
				if list, err := b.e.Conversations(ctx, people[1].ID, 10); len(list) != 0 || err != nil {
					t.Fatal(list, err)
				}
				if err := b.storeRoom("big", people[0]); !errors.Is(err, chat.ErrRoomExists) {
					t.Fatal(err)
				}
				a.ok(a.e.DeleteUser(ctx, people[2].ID)) // need not hear of it
				together(2, func(i int) { b.ok([]*node{a, b}[i].e.finish(ctx)) })
			} else {
				a.ok(a.e.DeleteRoom(ctx, "big", left))
			}

			if left := b.ending(); left != "[]" {
				t.Fatal(left)
			}
			var ids []string
			for i, p := range people {
				batch, err := b.e.Read(ctx, channel.User(p.ID), channel.Position{}, 10, 1<<20)
				b.ok(err)
				forgotten := stopped && i == 2
				if told := len(batch.Messages); told != 1 && !forgotten || told != 0 && forgotten {
					t.Fatalf("%s was told %d times", p.ID, told)
				}
				if forgotten {
					continue
				}
				m := batch.Messages[0]
				if m.Type != "left" || m.From != channel.System || string(m.Data) != string(left.Data) || m.Mark == 0 || m.Mark > channel.MaxMark {
					t.Fatalf("%+v", m)
				}
				ids = append(ids, m.ID, fmt.Sprint(m.Mark))
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != len(ids) {
				t.Error("two messages have one id or mark")
			}
			if list, err := b.e.Conversations(ctx, people[0].ID, 10); err != nil || len(list) != 1 || list[0].Channel != "room:other" {
				t.Fatalf("%+v %v", list, err)
			}
			if _, err := b.e.Append(ctx, channel.Draft{Channel: "room:big", Type: "text", From: people[0], Data: json.RawMessage(`{}`)}); !errors.Is(err, channel.ErrDeleted) {
				t.Fatal(err)
			}
		})
	}
}
