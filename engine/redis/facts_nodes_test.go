package redis

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/engine/redis/redistest"
	"parley/identity"
)

// node is one of several servers, as far as people and rooms go: put together as the server does it.
type node struct {
	*testing.T
	e      *Engine
	hub    *channel.Hub
	people *identity.Service
	talk   *chat.Service
}

func newNode(t *testing.T, url string) *node {
	t.Helper()
	n := &node{T: t, e: open(t, url, Options{})}
	n.hub = channel.NewHub(n.e, channel.Options{})
	t.Cleanup(n.hub.Close)
	var err error
	n.people, err = identity.New(t.Context(), n.e, identity.Options{})
	n.ok(err)
	n.talk = chat.New(n.e, n.hub, n.people, chat.Options{})
	n.people.OnChange(func(c identity.Change) {
		if c.Gone {
			n.talk.Gone(c.User.ID)
		}
	})
	n.e.FollowFacts(n)
	return n
}

func (n *node) UserChanged(id string)                      { n.people.Dropped(id) }
func (n *node) UserGone(id string)                         { n.people.Dropped(id); n.talk.Gone(id) }
func (n *node) RoomGone(id string)                         { n.talk.RoomGone(id) }
func (n *node) MemberChanged(room, user string, lost bool) { n.talk.MemberChanged(room, user, lost) }

func (n *node) Missed() {
	n.people.DroppedAll()
	n.talk.DroppedAll()
	_ = n.talk.EnsureLobby(n.e.ctx)
}

func (n *node) ok(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func (n *node) person(name string) (channel.Sender, string) {
	n.Helper()
	u, token, err := n.people.SignIn(n.Context(), name)
	n.ok(err)
	return u.Sender(), token
}

// room makes a private room with a member, and returns it.
func (n *node) room(name string, owner channel.Sender, members ...channel.Sender) chat.Room {
	n.Helper()
	r, err := n.talk.CreateRoom(n.Context(), owner, chat.NewRoom{Name: name, Private: true})
	n.ok(err)
	invite, err := n.talk.Invite(n.Context(), owner, r.ID)
	n.ok(err)
	for _, m := range members {
		n.ok(n.talk.Join(n.Context(), m, r.ID, invite))
	}
	return r
}

// changes are what one node does (do) and another then knows (knows); before, the other has everything in memory (warm).
type change struct {
	what  string
	lost  bool // a right is lost: whoever streams must ask again
	warm  func(b *node) error
	do    func(a *node) error
	knows func(b *node) bool
}

// changesOf prepares the changes in a site of two nodes.
func changesOf(a *node) []change {
	ctx := a.Context()
	ann, _ := a.person("Ann")
	renamed, _ := a.person("Rita")
	admin, _ := a.person("Ada")
	bob, _ := a.person("Bob")
	gone, token := a.person("Gus")
	late, _ := a.person("Lea")
	left := a.room("Left", ann, bob)
	joined := a.room("Joined", ann)
	deleted := a.room("Deleted", ann, bob)
	with := a.room("With", ann, gone)
	owned := a.room("Owned", gone, bob)
	mayRead := func(who channel.Sender, r chat.Room) func(*node) error {
		return func(b *node) error { return b.talk.MayRead(ctx, who, r.Channel()) }
	}
	refused := func(who channel.Sender, r chat.Room, want error) func(*node) bool {
		return func(b *node) bool { return errors.Is(mayRead(who, r)(b), want) }
	}
	return []change{
		{"a person is renamed", false,
			func(b *node) error { _, err := b.people.User(ctx, renamed.ID); return err },
			func(a *node) error { _, err := a.people.Rename(ctx, renamed.ID, "Rosa"); return err },
			func(b *node) bool { u, err := b.people.User(ctx, renamed.ID); return err == nil && u.Name == "Rosa" }},
		{"a person becomes the administrator", false,
			func(b *node) error { _, err := b.people.User(ctx, admin.ID); return err },
			func(a *node) error {
				link, err := a.people.NewAdminLink(ctx)
				if err == nil {
					_, err = a.people.ClaimAdmin(ctx, admin.ID, link)
				}
				return err
			},
			func(b *node) bool { u, err := b.people.User(ctx, admin.ID); return err == nil && u.Admin }},
		{"a private room is left", true, mayRead(bob, left),
			func(a *node) error { return a.talk.Leave(ctx, bob, left.ID) }, refused(bob, left, chat.ErrNoRoom)},
		{"a private room is joined", false,
			func(b *node) error {
				if err := mayRead(late, joined)(b); !errors.Is(err, chat.ErrNoRoom) {
					return fmt.Errorf("before: %w", err)
				}
				return nil
			},
			func(a *node) error {
				invite, err := a.talk.Invite(ctx, ann, joined.ID)
				if err == nil {
					err = a.talk.Join(ctx, late, joined.ID, invite)
				}
				return err
			},
			func(b *node) bool { return mayRead(late, joined)(b) == nil }},
		{"a room is deleted", true, mayRead(bob, deleted),
			func(a *node) error { return a.talk.Delete(ctx, ann, false, deleted.ID) }, refused(bob, deleted, chat.ErrNoRoom)},
		{"a person is forgotten", true,
			func(b *node) error {
				_, err := b.people.Authenticate(ctx, token)
				return errors.Join(err, mayRead(gone, with)(b), mayRead(gone, owned)(b))
			},
			func(a *node) error { return a.people.Forget(ctx, gone.ID) },
			func(b *node) bool {
				_, err := b.people.Authenticate(ctx, token)
				return errors.Is(err, identity.ErrNoSession) && refused(gone, with, chat.ErrNoRoom)(b) && refused(gone, owned, chat.ErrNoRoom)(b)
			}},
	}
}

// warmed has b remember what the changes are about.
func warmed(b *node, changes []change) {
	b.Helper()
	for _, c := range changes {
		if err := c.warm(b); err != nil {
			b.Fatalf("before %s: %v", c.what, err)
		}
		if c.knows(b) {
			b.Fatalf("%s: known before it happened", c.what)
		}
	}
}

func TestWhatOneNodeChangesOthersKnow(t *testing.T) {
	url := fresh(redistest.Start(t))
	a, b := newNode(t, url), newNode(t, url)
	changes := changesOf(a)
	for _, c := range changes {
		t.Run(c.what, func(t *testing.T) {
			warmed(b, []change{c})
			generation := b.talk.Generation()
			a.ok(c.do(a))
			redistest.Eventually(t, c.what, func() bool { return c.knows(b) })
			if c.lost {
				redistest.Eventually(t, "a new generation", func() bool { return b.talk.Generation() > generation })
			}
			if !c.knows(a) {
				t.Error("not known where it happened")
			}
		})
	}
}

// deafTo lets b's user hear no hints, or all again. Redis ends the connections that may not listen any more.
func deafTo(server *redistest.Server, deaf bool) {
	if deaf {
		server.Do("ACL", "SETUSER", "b", "resetchannels")
	} else {
		server.Do("ACL", "SETUSER", "b", "allchannels")
	}
}

// changesUnheard makes changes on a node while another, b, which knows what was before, cannot hear of them.
func changesUnheard(t *testing.T) (server *redistest.Server, b *node, changes []change) {
	t.Helper()
	server = redistest.Start(t)
	server.Do("ACL", "SETUSER", "b", "on", ">secret", "~*", "&*", "+@all")
	prefix := channel.DrawID()
	a := newNode(t, server.URL()+"?prefix="+prefix)
	b = newNode(t, fmt.Sprintf("redis://b:secret@%s?prefix=%s", server.Addr(), prefix))
	changes = changesOf(a)
	deafTo(server, true)
	redistest.Eventually(t, "b is deaf", func() bool { return b.e.Ready(t.Context()) != nil })
	warmed(b, changes)
	for _, c := range changes {
		a.ok(c.do(a))
	}
	return server, b, changes
}

func TestHintsThatWereLostDropEverything(t *testing.T) {
	server, b, changes := changesUnheard(t)
	deafTo(server, false)
	for _, c := range changes {
		redistest.Eventually(t, c.what, func() bool { return c.knows(b) })
	}
}

func TestNodesThatCannotHearAreSoonRight(t *testing.T) {
	_, b, changes := changesUnheard(t)
	for _, c := range changes {
		redistest.Eventually(t, c.what, func() bool { return c.knows(b) })
	}
}

func TestOneNameForOneOnAllNodes(t *testing.T) {
	url := fresh(redistest.Start(t))
	nodes := []*node{newNode(t, url), newNode(t, url)}
	for round := range 20 {
		var all sync.WaitGroup
		errs := make([]error, 16)
		name := fmt.Sprintf("Max %d", round)
		for i := range errs {
			all.Go(func() { _, _, errs[i] = nodes[i%2].people.SignIn(t.Context(), name) })
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, identity.ErrNameTaken) {
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d have the name", won)
		}
		if _, err := nodes[round%2].people.Lookup(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneInviteOnAllNodes(t *testing.T) {
	url := fresh(redistest.Start(t))
	nodes := []*node{newNode(t, url), newNode(t, url)}
	ann, _ := nodes[0].person("Ann")
	for round := range 20 {
		r, err := nodes[0].talk.CreateRoom(t.Context(), ann, chat.NewRoom{Name: fmt.Sprintf("Room %d", round), Private: true})
		nodes[0].ok(err)
		var all sync.WaitGroup
		invites, errs := make([]string, 8), make([]error, 8)
		for i := range invites {
			all.Go(func() { invites[i], errs[i] = nodes[i%2].talk.Invite(t.Context(), ann, r.ID) })
		}
		all.Wait()
		nodes[0].ok(errors.Join(errs...))
		if slices.Sort(invites); invites[0] == "" || len(slices.Compact(invites)) != 1 {
			t.Fatalf("%q", invites)
		}
	}
}

func TestGuestsExpireOnceOnAllNodes(t *testing.T) {
	url := fresh(redistest.Start(t))
	a, b := newNode(t, url), newNode(t, url)
	const n, admins = 1000, stepUsers + 50 // who were seen before all others, and stay
	long := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	together(n, func(i int) {
		u := identity.User{ID: fmt.Sprint("u", i), Name: fmt.Sprint("U", i), Admin: i < admins, Created: long, Seen: long.Add(time.Duration(i) * time.Millisecond)}
		if err := a.e.CreateUser(t.Context(), u, fmt.Sprint("u", i)); err != nil {
			t.Error(err)
		}
	})
	var gone [2][]identity.User
	together(2, func(i int) {
		var err error
		if gone[i], err = []*node{a, b}[i].e.ExpireUsers(t.Context(), long.Add(time.Hour)); err != nil {
			t.Error(err)
		}
	})
	ids := map[string]int{}
	for _, u := range slices.Concat(gone[0], gone[1]) {
		if ids[u.ID]++; ids[u.ID] > 1 || u.Admin || u.Created != long {
			t.Fatalf("%+v, %d times", u, ids[u.ID])
		}
	}
	if len(ids) != n-admins {
		t.Fatalf("%d expired", len(ids))
	}
	t.Logf("one node forgot %d, the other %d", len(gone[0]), len(gone[1]))
}

// TestRedisComesBackEmpty: those who were there sign in again, and are known on every node, also on one that comes later.
func TestRedisComesBackEmpty(t *testing.T) {
	server := redistest.Start(t)
	url := fresh(server)
	a, b := newNode(t, url), newNode(t, url)
	a.ok(a.talk.EnsureLobby(t.Context()))
	_, old := a.person("Ann")
	server.Kill()
	server.Restart()
	redistest.Eventually(t, "the session has ended", func() bool {
		_, err := b.people.Authenticate(t.Context(), old)
		return errors.Is(err, identity.ErrNoSession)
	})
	redistest.Eventually(t, "the lobby is there", func() bool {
		_, err := a.talk.Room(t.Context(), channel.Sender{}, chat.Lobby)
		return err == nil
	})
	redistest.Eventually(t, "ready", func() bool { return a.e.Ready(t.Context()) == nil && b.e.Ready(t.Context()) == nil })
	ann, token := b.person("Ann")
	for i, n := range []*node{a, b, newNode(t, url)} {
		if u, err := n.people.Authenticate(t.Context(), token); err != nil || u.ID != ann.ID {
			t.Fatalf("node %d: %+v, %v", i, u, err)
		}
	}
}
