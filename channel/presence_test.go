package channel_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/channel"
)

var ben = channel.Sender{ID: "u2", Name: "Ben"}

func here(hub *channel.Hub) string {
	people, count := hub.Presence().Here(lobby, 200)
	s := fmt.Sprint(count)
	for _, p := range people {
		s += " " + p.Name
	}
	return s
}

func wantHere(t *testing.T, hub *channel.Hub, want string) {
	t.Helper()
	if got := here(hub); got != want {
		t.Fatalf("here: %q, want %q", got, want)
	}
}

func open(t *testing.T, hub *channel.Hub, who channel.Sender, mode channel.Mode) *channel.Reader {
	t.Helper()
	r := hub.NewReader(channel.ReaderOptions{Person: who, Mode: mode})
	add(t, r, lobby, channel.End)
	return r
}

// wantSignals waits until all is quiet and compares what the stream has heard.
func wantSignals(t *testing.T, r *channel.Reader, want string) {
	t.Helper()
	synctest.Wait()
	var got []channel.Signal
	if r.Waiting() > 0 {
		got = next(t, r).Signals
	}
	if heard(got) != want {
		t.Fatalf("heard %q, want %q", heard(got), want)
	}
}

func TestComingAndLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{})
		watcher := open(t, hub, channel.Sender{}, channel.Stream)
		defer watcher.Close()
		next(t, watcher)
		wantHere(t, hub, "0") // nobody is not present

		first := open(t, hub, ann, channel.Stream)
		wantSignals(t, watcher, "join u1")
		second := open(t, hub, ann, channel.Stream)
		third := open(t, hub, ben, channel.Stream)
		defer third.Close()
		wantSignals(t, watcher, "join u2") // Ann counts once
		wantHere(t, hub, "2 Ann Ben")
		if got := heard(next(t, third).Signals); got != `here {"here":[{"id":"u1","name":"Ann"},{"id":"u2","name":"Ben"}],"count":2}` {
			t.Fatal(got) // with oneself, and no join of one's own
		}

		first.Close()
		time.Sleep(time.Minute)
		wantSignals(t, watcher, "")
		second.Close()
		time.Sleep(9 * time.Second)
		wantSignals(t, watcher, "")
		wantHere(t, hub, "2 Ann Ben")
		time.Sleep(3 * time.Second)
		wantSignals(t, watcher, "leave u1")
		wantHere(t, hub, "1 Ben")
	})
}

// Whoever reconnects, changes transport or polls again within the grace has not been away.
func TestGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{})
		watcher := open(t, hub, channel.Sender{}, channel.Stream)
		defer watcher.Close()
		next(t, watcher)

		open(t, hub, ann, channel.Stream).Close()
		time.Sleep(5 * time.Second)
		open(t, hub, ann, channel.LongPoll).Close()
		time.Sleep(9 * time.Second)
		open(t, hub, ann, channel.Poll).Close()
		time.Sleep(5 * time.Second)
		open(t, hub, ann, channel.Stream).Close() // the stream's shorter grace does not take from the poll's
		time.Sleep(24 * time.Second)
		wantSignals(t, watcher, "join u1")
		wantHere(t, hub, "1 Ann")
		time.Sleep(2 * time.Second)
		wantSignals(t, watcher, "leave u1")

		open(t, hub, ann, channel.Stream).Close()
		time.Sleep(time.Second)
		stay := open(t, hub, ann, channel.Stream)
		open(t, hub, ann, channel.Poll).Close() // another reader's end is not the person's
		time.Sleep(time.Minute)
		wantSignals(t, watcher, "join u1")
		stay.Close()
	})
}

func TestRemoveEndsPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{})
		r := open(t, hub, ann, channel.Stream)
		defer r.Close()
		add(t, r, lobby, channel.Position{}) // moved, not left
		time.Sleep(time.Minute)
		wantHere(t, hub, "1 Ann")
		r.Remove(lobby)
		time.Sleep(12 * time.Second)
		wantHere(t, hub, "0")
	})
}

func TestRenamedPersonIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{})
		watcher := open(t, hub, ann, channel.Stream)
		defer watcher.Close()
		next(t, watcher)
		renamed := open(t, hub, channel.Sender{ID: ann.ID, Name: "Anna"}, channel.Stream)
		defer renamed.Close()
		wantSignals(t, watcher, "join u1")
		wantHere(t, hub, "1 Anna")
	})
}

// A crowd is not told of everybody's coming; once it is a list again, everyone gets the list.
func TestCrowdIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{HereLimit: 2})
		watcher := open(t, hub, channel.Sender{}, channel.Stream)
		defer watcher.Close()
		next(t, watcher)
		var readers []*channel.Reader
		for i := range 5 {
			readers = append(readers, open(t, hub, channel.Sender{ID: fmt.Sprint(i), Name: fmt.Sprint("n", i)}, channel.Stream))
		}
		wantSignals(t, watcher, "join 0, join 1")
		if people, count := hub.Presence().Here(lobby, 2); len(people) != 2 || count != 5 {
			t.Fatal(people, count)
		}
		for i := range 2 {
			readers[i].Close()
		}
		time.Sleep(12 * time.Second)
		wantSignals(t, watcher, "")
		readers[2].Close()
		time.Sleep(12 * time.Second)
		if got := heard(next(t, watcher).Signals); got != `here {"here":[{"id":"3","name":"n3"},{"id":"4","name":"n4"}],"count":2}` {
			t.Fatal(got)
		}
		readers[3].Close()
		time.Sleep(12 * time.Second)
		wantSignals(t, watcher, "leave 3")
		readers[4].Close()
	})
}

// When all have gone nothing is left, not even a timer; and there is never more than the one.
func TestPresenceLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{})
		for i := range 1000 {
			open(t, hub, channel.Sender{ID: fmt.Sprint(i), Name: "n"}, channel.Poll).Close()
		}
		if _, people, leaving, timer := hub.Presence().Kept(); people != 1000 || leaving != 1000 || !timer {
			t.Fatal(people, leaving, timer)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if channels, people, leaving, timer := hub.Presence().Kept(); channels != 0 || people != 0 || leaving != 0 || timer {
			t.Fatal(channels, people, leaving, timer)
		}
	})
}
