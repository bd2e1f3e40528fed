package redis

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/engine/redis/redistest"
	"parley/identity"
	"parley/problem"
)

// TestCluster_FactsWhileTheirSlotMoves: people come and go on two nodes while the slot of all facts moves to another server and back. What
// every node says is right at every moment, and at the end nothing is half done.
func TestCluster_FactsWhileTheirSlotMoves(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	url := fresh(cluster)
	nodes := []*node{{T: t, e: open(t, url, Options{})}, {T: t, e: open(t, url, Options{})}}
	a, ctx := nodes[0], t.Context()
	const rooms, people = 6, 6
	users := a.crowd("u", people)
	owner := a.crowd("owner", 1)[0]
	room := func(i int) string { return fmt.Sprint("r", i) }
	for i := range rooms {
		a.ok(a.e.CreateRoom(ctx, chat.Room{ID: room(i), Name: room(i), Owner: owner, Created: time.UnixMilli(1)}))
	}
	var stop atomic.Bool
	var all sync.WaitGroup
	var done, late atomic.Int64
	in := make([][rooms]bool, people)
	// again repeats what is refused while the slot is between two servers.
	again := func(do func() error) {
		for {
			err := do()
			if err == nil {
				done.Add(1)
				return
			}
			if ctx.Err() != nil || !errors.Is(err, problem.Unavailable) {
				t.Error(err)
				return
			}
			late.Add(1)
		}
	}
	for u := range people {
		all.Go(func() {
			draw := rand.New(rand.NewPCG(2, uint64(u)))
			id, name := users[u].ID, users[u].Name
			for n := 0; !stop.Load() && !t.Failed(); n++ {
				e := nodes[draw.IntN(2)].e
				r := draw.IntN(rooms)
				switch draw.IntN(6) {
				case 0:
					again(func() error { _, err := e.Join(ctx, room(r), users[u], event(id, "in")); return err })
					in[u][r] = true
				case 1:
					again(func() error { _, err := e.Leave(ctx, room(r), id); return err })
					in[u][r] = false
				case 2:
					name = fmt.Sprint(id, " ", n)
					again(func() error { return e.RenameUser(ctx, id, name, name) })
				case 3:
					again(func() error {
						is, err := e.IsMember(ctx, room(r), id)
						if err == nil && is != in[u][r] {
							t.Errorf("%s in %s: %v; it is not so", id, room(r), is)
						}
						return err
					})
				case 4:
					again(func() error {
						got, err := e.Rooms(ctx, id, 100)
						if err == nil && len(got) != rooms {
							t.Errorf("%d rooms", len(got))
						}
						for _, one := range got {
							if one.Joined != in[u][one.Name[1]-'0'] {
								t.Errorf("%s in %s: %v; it is not so", id, one.ID, one.Joined)
							}
						}
						return err
					})
				case 5:
					again(func() error {
						who, err := e.User(ctx, id)
						if err == nil && who.Name != name {
							t.Errorf("%s has the name %q, not %q", id, who.Name, name)
						}
						return err
					})
				}
			}
		})
	}
	slot := slotOf(tags()[facts])
	home, other := cluster.PrimaryOf(slot), cluster.Other(slot)
	for _, to := range []*redistest.Server{other, home} {
		before := done.Load()
		redistest.Eventually(t, "operations before the move", func() bool { return done.Load() > before+200 || t.Failed() })
		cluster.Migrate(slot, to, func() { time.Sleep(2 * time.Millisecond) })
	}
	before := done.Load()
	redistest.Eventually(t, "operations after the move", func() bool { return done.Load() > before+200 || t.Failed() })
	stop.Store(true)
	all.Wait()
	t.Logf("%d operations; %d came back to be repeated", done.Load(), late.Load())

	for r := range rooms {
		want := 1 // the owner
		for u := range people {
			if in[u][r] {
				want++
			}
			if is := nodes[1].member(room(r), users[u].ID); is != in[u][r] {
				t.Errorf("%s in %s: %v", users[u].ID, room(r), is)
			}
		}
		if got, err := a.e.Room(ctx, room(r), ""); err != nil || got.Members != want {
			t.Errorf("%+v, %v; want %d members", got, err, want)
		}
	}
	for u := range people {
		want := 0
		for _, is := range in[u] {
			if is {
				want++
			}
		}
		if list, err := a.e.Conversations(ctx, users[u].ID, 100); err != nil || len(list) != want {
			t.Errorf("%d conversations, %v; want %d", len(list), err, want)
		}
	}
}

// event is a draft for a person's inbox.
func event(user, what string) channel.Draft {
	return channel.Draft{Channel: channel.User(user), Type: what, From: channel.System, Data: []byte(`{}`)}
}

// TestSentinels_FactsThatWereLostAreNoMore: what only a primary knew that is lost, no node goes on believing.
func TestSentinels_FactsThatWereLostAreNoMore(t *testing.T) {
	t.Parallel()
	sentinels := redistest.StartSentinels(t)
	url := fresh(sentinels)
	nodes := []*node{newNode(t, url), newNode(t, url)}
	a, ctx := nodes[0], t.Context()
	ann, _ := a.person("Ann")
	bob, _ := a.person("Bob")
	dora, _ := a.person("Dora")
	r := a.room("Plans", ann, bob)
	invite, err := a.talk.Invite(ctx, ann, r.ID)
	a.ok(err)
	redistest.Eventually(t, "the replicas have it", func() bool { return sentinels.Primary().Do("WAIT", "2", "1000") == "2" })

	heal := sentinels.CutReplicas()
	_, token := a.person("Carl")
	a.ok(a.talk.Join(ctx, dora, r.ID, invite))
	a.ok(a.talk.Leave(ctx, bob, r.ID))
	read := func(n *node, who channel.Sender) error { return n.talk.MayRead(ctx, who, r.Channel()) }
	for _, n := range nodes {
		if _, err := n.people.Authenticate(ctx, token); err != nil || read(n, dora) != nil || !errors.Is(read(n, bob), chat.ErrNoRoom) {
			t.Fatal("not known before it was lost:", err, read(n, dora), read(n, bob))
		}
	}
	old := sentinels.Primary()
	old.Kill()
	heal()
	sentinels.AwaitFailover(old)
	for i, n := range nodes {
		redistest.Eventually(t, fmt.Sprintf("node %d: things are as if they had not been", i), func() bool {
			_, err := n.people.Authenticate(ctx, token)
			return errors.Is(err, identity.ErrNoSession) && errors.Is(read(n, dora), chat.ErrNoRoom) && read(n, bob) == nil
		})
	}
}
