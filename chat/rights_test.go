package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"parley/channel"
	"parley/chat"
	"parley/identity"
	"parley/problem"
)

// Who may do what: every action, for everyone, in a public room, a private one, and a direct conversation of owner and
// member. Each case has people and a room of its own.
func TestRights(t *testing.T) {
	type actor struct {
		who   channel.Sender
		admin bool
	}
	type world struct {
		*site
		room   string       // its id
		name   channel.Name // the channel, in which message 1 is the member's
		invite string
	}
	roles := []string{"anonymous", "stranger", "member", "owner", "admin"}

	noSession, forbidden, noRoom, notOwner := error(identity.ErrNoSession), error(problem.Forbidden), error(chat.ErrNoRoom), error(problem.NotOwner)
	badInvite, badType := error(chat.ErrBadInvite), error(chat.ErrBadType)
	do := map[string]func(ctx context.Context, w *world, a actor) error{
		"see": func(ctx context.Context, w *world, a actor) error {
			_, err := w.Room(ctx, a.who, w.room)
			return err
		},
		"read": func(ctx context.Context, w *world, a actor) error { return w.MayRead(ctx, a.who, w.name) },
		"post": func(ctx context.Context, w *world, a actor) error { return w.MayPost(ctx, a.who, w.name) },
		"members": func(ctx context.Context, w *world, a actor) error {
			_, err := w.Members(ctx, a.who, w.room)
			return err
		},
		"publish": func(ctx context.Context, w *world, a actor) error {
			_, err := w.Publish(ctx, a.who, a.admin, w.name, channel.Draft{Type: "text", Data: json.RawMessage(`{"text":"x"}`)})
			return err
		},
		"publish a topic": func(ctx context.Context, w *world, a actor) error {
			_, err := w.Publish(ctx, a.who, a.admin, w.name, channel.Draft{Type: "topic", Data: json.RawMessage(`{}`)})
			return err
		},
		"edit": func(ctx context.Context, w *world, a actor) error {
			_, err := w.Publish(ctx, a.who, a.admin, w.name, channel.Draft{Type: "edit", Data: json.RawMessage(`{"seq":1,"text":"x"}`)})
			return err
		},
		"delete message": func(ctx context.Context, w *world, a actor) error {
			_, err := w.Publish(ctx, a.who, a.admin, w.name, channel.Draft{Type: "delete", Data: json.RawMessage(`{"seq":1}`)})
			return err
		},
		"type": func(ctx context.Context, w *world, a actor) error { return w.Signal(ctx, a.who, w.name, "typing", nil) },
		"mark": func(ctx context.Context, w *world, a actor) error { return w.MarkRead(ctx, a.who, w.name, 1) },
		"join": func(ctx context.Context, w *world, a actor) error { return w.Join(ctx, a.who, w.room, "") },
		"join by invite": func(ctx context.Context, w *world, a actor) error {
			return w.Join(ctx, a.who, w.room, w.invite)
		},
		"join by wrong invite": func(ctx context.Context, w *world, a actor) error {
			return w.Join(ctx, a.who, w.room, "wrong")
		},
		"leave":  func(ctx context.Context, w *world, a actor) error { return w.Leave(ctx, a.who, w.room) },
		"invite": func(ctx context.Context, w *world, a actor) error { _, err := w.Invite(ctx, a.who, w.room); return err },
		"revoke": func(ctx context.Context, w *world, a actor) error {
			return w.RevokeInvite(ctx, a.who, a.admin, w.room)
		},
		"rename": func(ctx context.Context, w *world, a actor) error {
			name := "Other"
			_, err := w.Update(ctx, a.who, a.admin, w.room, chat.Change{Name: &name})
			return err
		},
		"delete room": func(ctx context.Context, w *world, a actor) error { return w.Delete(ctx, a.who, a.admin, w.room) },
	}
	shared := newSite(t)
	for number, test := range []struct {
		kind, action string
		want         [5]error // by role
	}{
		{"public", "see", [5]error{}},
		{"public", "read", [5]error{}},
		{"public", "post", [5]error{noSession}},
		{"public", "members", [5]error{}},
		{"public", "publish", [5]error{noSession}},
		{"public", "publish a topic", [5]error{noSession, badType, badType, badType, badType}},
		{"public", "edit", [5]error{noSession, forbidden, nil, forbidden, forbidden}},
		{"public", "delete message", [5]error{noSession, forbidden, nil, forbidden, nil}},
		{"public", "type", [5]error{noSession}},
		{"public", "mark", [5]error{noSession}},
		{"public", "join", [5]error{noSession}},
		{"public", "join by wrong invite", [5]error{noSession}},
		{"public", "leave", [5]error{noSession}},
		{"public", "invite", [5]error{noSession, forbidden, nil, nil, forbidden}},
		{"public", "revoke", [5]error{noSession, notOwner, notOwner}},
		{"public", "rename", [5]error{noSession, notOwner, notOwner}},
		{"public", "delete room", [5]error{noSession, notOwner, notOwner}},

		{"private", "see", [5]error{noRoom, noRoom, nil, nil, noRoom}},
		{"private", "read", [5]error{noRoom, noRoom, nil, nil, noRoom}},
		{"private", "post", [5]error{noRoom, noRoom, nil, nil, noRoom}},
		{"private", "members", [5]error{noRoom, noRoom, nil, nil, noRoom}},
		{"private", "publish", [5]error{noRoom, noRoom, nil, nil, noRoom}},
		{"private", "publish a topic", [5]error{noRoom, noRoom, badType, badType, noRoom}},
		{"private", "edit", [5]error{noRoom, noRoom, nil, forbidden, noRoom}},
		{"private", "delete message", [5]error{noRoom, noRoom, nil, forbidden, noRoom}},
		{"private", "type", [5]error{noRoom, noRoom, nil, nil, noRoom}},
		{"private", "mark", [5]error{noSession, noRoom, nil, nil, noRoom}},
		{"private", "join", [5]error{noSession, noRoom, nil, nil, noRoom}},
		{"private", "join by invite", [5]error{noSession}},
		{"private", "join by wrong invite", [5]error{noSession, badInvite, nil, nil, badInvite}},
		{"private", "leave", [5]error{noSession, noRoom, nil, nil, noRoom}},
		{"private", "invite", [5]error{noSession, noRoom, nil, nil, noRoom}},
		{"private", "revoke", [5]error{noSession, noRoom, notOwner, nil, noRoom}},
		{"private", "rename", [5]error{noSession, noRoom, notOwner, nil, noRoom}},
		{"private", "delete room", [5]error{noSession, noRoom, notOwner, nil, noRoom}},

		{"direct", "read", [5]error{noSession, forbidden, nil, nil, forbidden}},
		{"direct", "post", [5]error{noSession, forbidden, nil, nil, forbidden}},
		{"direct", "publish", [5]error{noSession, forbidden, nil, nil, forbidden}},
		{"direct", "edit", [5]error{noSession, forbidden, nil, forbidden, forbidden}},
		{"direct", "delete message", [5]error{noSession, forbidden, nil, forbidden, forbidden}},
		{"direct", "type", [5]error{noSession, forbidden, nil, nil, forbidden}},
		{"direct", "mark", [5]error{noSession, forbidden, nil, nil, forbidden}},
	} {
		t.Run(test.kind+"/"+test.action, func(t *testing.T) {
			w := &world{site: &site{t, shared.Service, shared.hub, shared.people}}
			named := func(role string) string { return fmt.Sprint(role, " ", number) }
			owner, member := w.person(named("Owner")), w.person(named("Member"))
			if test.kind == "direct" {
				w.name = channel.Direct(owner.ID, member.ID)
			} else {
				w.room = w.site.room(owner, named("Tea"), test.kind == "private")
				w.name = channel.Room(w.room)
				w.enter(member, owner, w.room)
				w.invite, _ = w.Invite(t.Context(), owner, w.room)
			}
			w.say(member, w.name, "hello")
			actors := map[string]actor{
				"anonymous": {},
				"stranger":  {who: w.person(named("Stranger"))},
				"member":    {who: member},
				"owner":     {who: owner},
				"admin":     {who: w.person(named("Boss")), admin: true},
			}
			// Refusals first: they leave everything as it was. Then each that is allowed, while it still can.
			for _, allowed := range []bool{false, true} {
				for i, role := range roles {
					if (test.want[i] == nil) != allowed {
						continue
					}
					err := do[test.action](t.Context(), w, actors[role])
					if gone := test.action == "delete room" || test.action == "delete message"; gone && allowed &&
						(errors.Is(err, chat.ErrNoRoom) || errors.Is(err, channel.ErrErased)) && i > firstAllowed(test.want) {
						continue // somebody allowed was before
					}
					if !allowed && !errors.Is(err, test.want[i]) || allowed && err != nil {
						t.Errorf("%s: %v; want %v", role, err, test.want[i])
					}
				}
			}
		})
	}
}

func firstAllowed(want [5]error) int {
	for i, err := range want {
		if err == nil {
			return i
		}
	}
	return len(want)
}

func TestInboxIsOnesOwn(t *testing.T) {
	s := newSite(t)
	ann, bob := s.person("Ann"), s.person("Bob")
	name := channel.User(ann.ID)
	s.ok(s.MayRead(t.Context(), ann, name))
	s.wants(s.MayRead(t.Context(), bob, name), problem.Forbidden)
	s.wants(s.MayRead(t.Context(), channel.Sender{}, name), identity.ErrNoSession)
	for _, who := range []channel.Sender{ann, bob} {
		_, err := s.publish(who, name, "text", map[string]string{"text": "x"})
		s.wants(err, problem.Forbidden)
		s.wants(s.Signal(t.Context(), who, name, "typing", nil), problem.Forbidden)
	}
}

func TestOtherChannels(t *testing.T) {
	s := newSite(t)
	ann, bob := s.person("Ann"), s.person("Bob")
	right := channel.Direct(ann.ID, bob.ID)
	a, b := right.ID()[:16], right.ID()[17:]
	for name, want := range map[channel.Name]error{
		"room:none":                           chat.ErrNoRoom,
		"vote:K7QM3":                          chat.ErrNoChannel,
		"other:x":                             chat.ErrNoChannel,
		channel.Name("direct:" + b + "." + a): chat.ErrNoChannel,
		channel.Name("direct:" + ann.ID):      chat.ErrNoChannel,
		channel.Name("direct:" + ann.ID + "." + ann.ID): chat.ErrNoChannel,
		right + ".x": chat.ErrNoChannel,
		"direct:.":   chat.ErrNoChannel,
		channel.Direct(ann.ID, "zzzzzzzzzzzzzzzz"): identity.ErrNoUser,
	} {
		_, err := s.publish(ann, name, "text", map[string]string{"text": "x"})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", name, err, want)
		}
	}
}

func TestRightsAreTakenAway(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	ann, bob, carl := s.person("Ann"), s.person("Bob"), s.person("Carl")
	private := s.room(ann, "Tea", true)
	public := s.room(ann, "Wine", false)
	s.enter(bob, ann, private)
	s.enter(carl, ann, private)
	name := channel.Room(private)
	for range 2 { // from memory, too
		s.ok(s.MayRead(ctx, bob, name))
		s.ok(s.MayRead(ctx, bob, channel.Room(public)))
	}
	changed := func(what string, do func() error) {
		t.Helper()
		before := s.Generation()
		s.ok(do())
		if s.Generation() == before {
			t.Errorf("%s: the generation stays", what)
		}
	}
	changed("leaving a private room", func() error { return s.Leave(ctx, bob, private) })
	s.wants(s.MayRead(ctx, bob, name), chat.ErrNoRoom)
	s.enter(bob, ann, private)
	s.ok(s.MayRead(ctx, bob, name))

	s.ok(s.MayRead(ctx, carl, name))
	changed("forgetting a person", func() error { return s.people.Forget(ctx, carl.ID) })
	s.wants(s.MayRead(ctx, carl, name), chat.ErrNoRoom)
	s.wants(s.MayRead(ctx, carl, channel.User(carl.ID)), identity.ErrNoSession)
	s.wants(s.MayRead(ctx, carl, channel.Direct(ann.ID, carl.ID)), identity.ErrNoSession)
	s.ok(s.MayRead(ctx, carl, channel.Room(public))) // as anybody

	changed("deleting a room", func() error { return s.Delete(ctx, ann, false, private) })
	s.wants(s.MayRead(ctx, bob, name), chat.ErrNoRoom)
	s.wants(s.MayRead(ctx, ann, name), chat.ErrNoRoom)
	changed("deleting a public room", func() error { return s.Delete(ctx, ann, false, public) })
	s.wants(s.MayRead(ctx, bob, channel.Room(public)), chat.ErrNoRoom)
	_, err := s.publish(bob, channel.Room(public), "text", map[string]string{"text": "x"})
	s.wants(err, chat.ErrNoRoom)
}
