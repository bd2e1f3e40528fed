package redis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/redis/redistest"
)

const square = channel.Name("room:square")

var (
	ben = channel.Sender{ID: "u2", Name: "Ben"}
	cyd = channel.Sender{ID: "u3", Name: "Cyd"}
)

// A test waits for a lease as long as users do, only shorter.
const testLease = time.Second

func TestPresence(t *testing.T) {
	t.Parallel()
	presenceSuite(t, redistest.Start(t))
}

// presenceSuite is what nodes must know of each other's people, wherever they keep that.
func presenceSuite(t *testing.T, redis addressed) {
	for name, test := range map[string]func(*testing.T, addressed){
		"two nodes":       presenceOnTwoNodes,
		"oneself is here": oneselfIsHere,
		"renamed":         renamedOnAnotherNode,
		"a crowd":         crowdOnTwoNodes,
		"a killed node":   killedNode,
		"lost":            lostPresenceIsToldAgain,
		"at random":       presenceAtRandom,
	} {
		t.Run(name, func(t *testing.T) { test(t, redis) })
	}
}

// house is a node as far as presence goes: an engine with its hub.
type house struct {
	*channel.Hub
	e *Engine
}

func openHouse(t testing.TB, url string, crowd int) house {
	return openLeased(t, url, crowd, testLease)
}

func openLeased(t testing.TB, url string, crowd int, lease time.Duration) house {
	e := open(t, url, Options{Lease: lease})
	hub := channel.NewHub(e, hubOptions(crowd))
	t.Cleanup(hub.Close)
	return house{hub, e}
}

func hubOptions(crowd int) channel.Options {
	return channel.Options{StreamGrace: 20 * time.Millisecond, PollGrace: 20 * time.Millisecond, HereLimit: crowd}
}

// come lets somebody read a channel; the function that it returns lets them go.
func (n house) come(t testing.TB, who channel.Sender, name channel.Name) (leave func()) {
	t.Helper()
	r := n.NewReader(channel.ReaderOptions{Person: who, Mode: channel.Stream})
	if _, err := r.Add(t.Context(), name, channel.Position{}, nil); err != nil {
		t.Fatal(err)
	}
	return r.Close
}

// here is who is in a channel as a node says it: how many, and their names.
func (n house) here(name channel.Name) string {
	people, count := n.Presence().Here(name, 200)
	text := fmt.Sprint(count)
	for _, p := range people {
		text += " " + p.Name
	}
	return text
}

// awaitHere waits until all nodes say the same of who is in a channel.
func awaitHere(t testing.TB, name channel.Name, want string, nodes ...house) {
	t.Helper()
	for i, n := range nodes {
		redistest.Eventually(t, fmt.Sprintf("node %d says %q of who is here", i, want), func() bool { return n.here(name) == want })
	}
}

// watcher hears the signals of a channel.
type watcher struct {
	mu    sync.Mutex
	heard []string
}

func (n house) watch(t testing.TB, name channel.Name) *watcher {
	t.Helper()
	r := n.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	if _, err := r.Add(t.Context(), name, channel.Position{}, nil); err != nil {
		t.Fatal(err)
	}
	w := &watcher{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			d, err := r.Next(context.Background())
			if err != nil {
				return
			}
			w.mu.Lock()
			for _, s := range d.Signals {
				text := s.Type + " " + s.From.Name
				if s.Type == channel.SignalHere {
					text = s.Type + " " + string(s.Data[strings.LastIndexByte(string(s.Data), ':')+1:len(s.Data)-1])
				}
				w.heard = append(w.heard, text)
			}
			w.mu.Unlock()
		}
	}()
	t.Cleanup(func() { r.Close(); <-done })
	w.await(t, "here 0")
	return w
}

func (w *watcher) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.heard)
}

// await waits until exactly that was heard since the last await.
func (w *watcher) await(t testing.TB, want ...string) {
	t.Helper()
	redistest.Eventually(t, fmt.Sprintf("%d signals are heard", len(want)), func() bool { return len(w.all()) >= len(want) })
	if got := w.all(); !slices.Equal(got, want) {
		t.Fatalf("heard %q, want %q", got, want)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = nil
}

// quiet makes sure that nothing was on its way to the watchers: somebody comes and goes, and only that is heard.
func quiet(t testing.TB, n house, watchers ...*watcher) {
	t.Helper()
	n.come(t, cyd, square)()
	for _, w := range watchers {
		w.await(t, "join Cyd", "leave Cyd")
	}
}

// Whoever is on several nodes comes once and leaves once, for everybody on all of them.
func presenceOnTwoNodes(t *testing.T, redis addressed) {
	url := fresh(redis)
	a, b := openHouse(t, url, 0), openHouse(t, url, 0)
	wa, wb := a.watch(t, square), b.watch(t, square)

	leaveA := a.come(t, ann, square)
	wa.await(t, "join Ann")
	wb.await(t, "join Ann")
	awaitHere(t, square, "1 Ann", a, b)
	leaveB := b.come(t, ann, square)
	leaveBen := b.come(t, ben, square)
	wa.await(t, "join Ben")
	wb.await(t, "join Ben")
	for _, n := range []house{a, b} {
		if got := n.here(square); got != "2 Ann Ben" { // at once: the list is not one from before the signal
			t.Errorf("after the signal the list is %q", got)
		}
	}

	leaveA()
	quiet(t, a, wa, wb) // whose leaving was told after Ann's
	awaitHere(t, square, "2 Ann Ben", a, b)
	leaveB()
	wa.await(t, "leave Ann")
	wb.await(t, "leave Ann")
	awaitHere(t, square, "1 Ben", a, b)
	leaveBen()
	wa.await(t, "leave Ben")
	awaitHere(t, square, "0", a, b)
	if left := presenceKeys(t, a.e); len(left) != 1 {
		t.Errorf("when all have left, there is %q, and should be the leases", left)
	}
}

// presenceKeys are the keys of presence in Redis.
func presenceKeys(t testing.TB, e *Engine) (found []string) {
	t.Helper()
	for _, server := range e.client.Nodes() { // of which some are replicas
		for _, what := range []string{"p:*", "pp:*", "pn", "leases"} {
			keys, err := server.Do(t.Context(), server.B().Keys().Pattern(e.keys.prefix+"{*}"+what).Build()).AsStrSlice()
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, keys...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Whoever comes is in the list that they get, though it is kept in Redis.
func oneselfIsHere(t *testing.T, redis addressed) {
	n := openHouse(t, fresh(redis), 0)
	for i := range 200 {
		name := channel.Room(fmt.Sprint(i % 7))
		who := channel.Sender{ID: fmt.Sprint("p", i), Name: fmt.Sprint("P", i)}
		defer n.come(t, who, name)()
		if people, _ := n.Presence().Here(name, 1000); !slices.Contains(people, who) {
			t.Fatalf("%s came to %s and is not among %v", who.Name, name, people)
		}
	}
}

func renamedOnAnotherNode(t *testing.T, redis addressed) {
	url := fresh(redis)
	a, b := openHouse(t, url, 0), openHouse(t, url, 0)
	wa := a.watch(t, square)
	defer a.come(t, ann, square)()
	wa.await(t, "join Ann")
	defer b.come(t, channel.Sender{ID: ann.ID, Name: "Anna | Ann,e"}, square)()
	wa.await(t, "join Anna | Ann,e")
	awaitHere(t, square, "1 Anna | Ann,e", a, b)
}

// The comings and goings of a crowd, counted on all nodes together, are not signalled; that it is none any more is.
func crowdOnTwoNodes(t *testing.T, redis addressed) {
	url := fresh(redis)
	nodes := [2]house{openHouse(t, url, 3), openHouse(t, url, 3)}
	watchers := [2]*watcher{nodes[0].watch(t, square), nodes[1].watch(t, square)}
	await := func(want ...string) {
		t.Helper()
		for _, w := range watchers {
			w.await(t, want...)
		}
	}
	var leave []func()
	for i := range 5 {
		leave = append(leave, nodes[i%2].come(t, channel.Sender{ID: fmt.Sprint("p", i), Name: fmt.Sprint("P", i)}, square))
		if i < 3 {
			await(fmt.Sprint("join P", i))
		}
	}
	for i, n := range nodes {
		redistest.Eventually(t, "all are counted", func() bool { _, count := n.Presence().Here(square, 3); return count == 5 })
		if people, _ := n.Presence().Here(square, 3); len(people) != 3 {
			t.Errorf("node %d names %v", i, people)
		}
	}
	leave[0]()
	redistest.Eventually(t, "one left", func() bool { _, count := nodes[1].Presence().Here(square, 3); return count == 4 })
	leave[1]()
	await("here 3")
	leave[2]()
	await("leave P2")
	leave[3]()
	leave[4]()
}

// beThere is a node with Ann and Ben in the square, and many elsewhere, for as long as its process lives.
func beThere(url string) error {
	ctx := context.Background()
	e, err := Open(ctx, url, Options{Lease: testLease})
	if err != nil {
		return err
	}
	hub := channel.NewHub(e, hubOptions(0))
	come := func(who channel.Sender, name channel.Name) error {
		_, err := hub.NewReader(channel.ReaderOptions{Person: who, Mode: channel.Stream}).Add(ctx, name, channel.Position{}, nil)
		return err
	}
	for i := range 1000 { // first: those in the square are told last
		who := channel.Sender{ID: fmt.Sprint("p", i), Name: fmt.Sprint("P", i)}
		if err := come(who, channel.Room(fmt.Sprint("r", i%100))); err != nil {
			return err
		}
	}
	for _, who := range []channel.Sender{ann, ben} {
		if err := come(who, square); err != nil {
			return err
		}
	}
	hub.Presence().Here(square, 1)
	fmt.Println("there")
	select {}
}

// Who was on a node that was killed is gone when its lease has ended, unless they are on another.
func killedNode(t *testing.T, redis addressed) {
	url := fresh(redis)
	a, b := openHouse(t, url, 0), openHouse(t, url, 0)
	wa, wb := a.watch(t, square), b.watch(t, square)
	cmd, lines := children().Start(t, "be there", url)
	if !lines.Scan() || lines.Text() != "there" {
		t.Fatalf("the other node says %q", lines.Text())
	}
	defer b.come(t, ben, square)()
	redistest.Eventually(t, "both are heard", func() bool { return len(wa.all()) == 2 && len(wb.all()) == 2 })
	awaitHere(t, square, "2 Ann Ben", a, b)
	awaitHere(t, "room:r7", "10 P107 P207 P307 P407 P507 P607 P7 P707 P807 P907", a, b)
	wa.mu.Lock()
	wa.heard = nil
	wa.mu.Unlock()
	wb.mu.Lock()
	wb.heard = nil
	wb.mu.Unlock()

	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	wa.await(t, "leave Ann")
	wb.await(t, "leave Ann")
	awaitHere(t, square, "1 Ben", a, b)
	redistest.Eventually(t, "all of them are gone", func() bool {
		for i := range 100 {
			if _, count := a.Presence().Here(channel.Room(fmt.Sprint("r", i)), 0); count > 0 {
				return false
			}
		}
		return true
	})
	quiet(t, a, wa, wb)
}

// A node whose lease ended while it lived takes another, and its people are there again; so are they where Redis lost them alone.
func lostPresenceIsToldAgain(t *testing.T, redis addressed) {
	url := fresh(redis)
	a, b := openHouse(t, url, 0), openHouse(t, url, 0)
	for i := range 300 {
		defer a.come(t, channel.Sender{ID: fmt.Sprint("p", i), Name: fmt.Sprint("P", i)}, channel.Room(fmt.Sprint(i%50)))()
	}
	defer a.come(t, ann, square)()
	defer b.come(t, ben, square)()
	remove := func(some func(key string) bool) {
		t.Helper()
		keys := slices.DeleteFunc(presenceKeys(t, a.e), func(key string) bool { return !some(key) })
		if len(keys) == 0 {
			t.Fatal("there is nothing to remove")
		}
		for _, key := range keys {
			if err := a.e.client.Do(t.Context(), a.e.client.B().Del().Key(key).Build()).Error(); err != nil {
				t.Fatal(err)
			}
		}
	}
	lease := func(e *Engine) string {
		e.here.mu.Lock()
		defer e.here.mu.Unlock()
		return e.here.lease
	}
	// all waits until everybody is known: not by a list that a node still has.
	all := func() {
		t.Helper()
		for name, want := range map[channel.Name]int{square: 2, "room:7": 6, "room:8": 6} {
			redistest.Eventually(t, fmt.Sprintf("%d are in %s", want, name), func() bool {
				_, count, err := a.e.readRoll(t.Context(), name, 200)
				return err == nil && count == want
			})
		}
	}
	all()
	was := lease(a.e)
	remove(func(key string) bool { return strings.HasSuffix(key, "leases") })
	redistest.Eventually(t, "another lease", func() bool { return lease(a.e) != was })
	all()
	redistest.Eventually(t, "the old lease's people are swept", func() bool {
		return !slices.ContainsFunc(presenceKeys(t, a.e), func(key string) bool { return strings.HasSuffix(key, was) })
	})
	all()

	was = lease(a.e)
	remove(func(key string) bool { return !strings.HasSuffix(key, "leases") })
	all()
	if lease(a.e) != was {
		t.Error("the lease was lost as well")
	}
}

// While Redis is away a node knows of its own people; when it is back without its data, of all again.
func TestPresenceWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	url := fresh(server)
	a, b := openHouse(t, url, 0), openHouse(t, url, 0)
	leave := a.come(t, ann, square)
	defer b.come(t, ben, square)()
	awaitHere(t, square, "2 Ann Ben", a, b)
	server.Kill()
	leave()
	r := a.NewReader(channel.ReaderOptions{Person: cyd, Mode: channel.Stream})
	defer r.Close()
	if _, err := r.Add(t.Context(), square, channel.Position{Seq: 1}, nil); err != nil {
		t.Fatal(err)
	}
	awaitHere(t, square, "1 Cyd", a)
	awaitHere(t, square, "1 Ben", b)
	server.Restart()
	awaitHere(t, square, "2 Ben Cyd", a, b)
}

// When Redis pauses for so long that all leases end, nobody leaves for that, not even whoever is on a node that is late to return.
func TestPresenceOutlivesAPause(t *testing.T) {
	t.Parallel()
	const pause = 3 * time.Second
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	_, prefix, _ := strings.Cut(fresh(server), "?")
	a, b := openLeased(t, server.URL()+"?"+prefix, 0, pause), openLeased(t, proxy.URL()+"?"+prefix, 0, pause)
	watchers := []*watcher{a.watch(t, square), b.watch(t, square)}
	leaveA, leaveB := a.come(t, ann, square), b.come(t, ben, square)
	lease := func(h house) string {
		h.e.here.mu.Lock()
		defer h.e.here.mu.Unlock()
		return h.e.here.lease
	}
	for _, w := range watchers {
		redistest.Eventually(t, "both are heard", func() bool { return len(w.all()) == 2 })
	}
	was := []string{lease(a), lease(b)}
	time.Sleep(pause) // until nodes may take others for dead
	server.Freeze()
	proxy.BlackHole(false)
	time.Sleep(pause) // until their leases ended
	server.Thaw()
	redistest.Eventually(t, "one has another lease", func() bool { return lease(a) != was[0] })
	time.Sleep(pause / 8) // in which it would take the other's people away
	proxy.Heal()
	redistest.Eventually(t, "both have another lease", func() bool { return lease(a) != was[0] && lease(b) != was[1] })
	redistest.Eventually(t, "the old leases' people are swept", func() bool {
		return !slices.ContainsFunc(presenceKeys(t, a.e), func(key string) bool { return strings.HasSuffix(key, was[0]) || strings.HasSuffix(key, was[1]) })
	})
	awaitHere(t, square, "2 Ann Ben", a, b)
	leaveA()
	leaveB()
	for i, w := range watchers {
		var heard []string
		redistest.Eventually(t, "both leave", func() bool {
			heard = slices.DeleteFunc(w.all(), func(s string) bool { return strings.HasPrefix(s, "here") })
			return len(heard) >= 4
		})
		slices.Sort(heard)
		if !slices.Equal(heard, []string{"join Ann", "join Ben", "leave Ann", "leave Ben"}) {
			t.Errorf("node %d heard %q", i, heard)
		}
	}
}

// Many come and go on two nodes; what remains is what should.
func presenceAtRandom(t *testing.T, redis addressed) {
	url := fresh(redis)
	nodes := [2]house{openHouse(t, url, 5), openHouse(t, url, 5)}
	var wg sync.WaitGroup
	stays := make([][]channel.Name, 40)
	var leave []func()
	var mu sync.Mutex
	for i := range stays {
		who := channel.Sender{ID: fmt.Sprintf("p%02d", i), Name: fmt.Sprintf("P%02d", i)}
		wg.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			for range 30 {
				n, name := nodes[random.IntN(2)], channel.Room(fmt.Sprint(random.IntN(5)))
				gone := n.come(t, who, name)
				if random.IntN(4) == 0 {
					time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond) // longer and shorter than the grace
				}
				if random.IntN(10) == 0 {
					stays[i] = append(stays[i], name)
					mu.Lock()
					leave = append(leave, gone)
					mu.Unlock()
				} else {
					gone()
				}
			}
		})
	}
	wg.Wait()
	for r := range 5 {
		name := channel.Room(fmt.Sprint(r))
		count, names := 0, ""
		for i := range stays {
			if slices.Contains(stays[i], name) {
				count++
				names += fmt.Sprintf(" P%02d", i)
			}
		}
		awaitHere(t, name, fmt.Sprint(count)+names, nodes[:]...)
	}
	for _, gone := range leave {
		gone()
	}
	redistest.Eventually(t, "nothing is left but the leases", func() bool { return len(presenceKeys(t, nodes[0].e)) == 1 })
}
