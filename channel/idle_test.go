package channel_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/channel"
)

// A reader that left is followed by one that needs no look at the log to know that there is nothing new.
func TestTheTailOfAChannelWithoutReaders(t *testing.T) {
	hub, log := newHub(t, channel.Options{})
	receipts := publish(t, hub, text(lobby, "1"), text(lobby, "2"))
	tail := receipts[1].Position
	if hub.AtTail(lobby, tail) {
		t.Error("the hub knows what nobody read")
	}
	visit := func(after channel.Position, want string) {
		t.Helper()
		r := hub.NewReader(channel.ReaderOptions{})
		defer r.Close()
		add(t, r, lobby, after)
		wantSeqs(t, ready(t, r), want)
	}
	visit(channel.Position{}, "room:lobby 1-2")
	for range 3 {
		log.meanwhile = func() { t.Error("the log was asked") }
		visit(tail, "")
		log.meanwhile = nil
		other := tail
		other.Mark++
		if !hub.AtTail(lobby, tail) || hub.AtTail(lobby, receipts[0].Position) || hub.AtTail(lobby, other) || hub.AtTail(lobby, channel.Position{Seq: tail.Seq}) {
			t.Error("the hub does not know the tail")
		}
		if messages, _, _ := hub.Cached(lobby); messages != 0 {
			t.Errorf("%d messages are kept for nobody", messages)
		}
		before := tail
		tail = publish(t, hub, text(lobby, "more"))[0].Position
		if hub.AtTail(lobby, before) || !hub.AtTail(lobby, tail) {
			t.Error("the hub has not heard of a message")
		}
		visit(before, fmt.Sprintf("room:lobby %d-%d", tail.Seq, tail.Seq))
	}
	if err := hub.Delete(t.Context(), lobby); err != nil {
		t.Fatal(err)
	}
	if hub.AtTail(lobby, tail) {
		t.Error("a deleted channel has a tail")
	}
	visit(tail, "room:lobby gap deleted")
}

func TestIdleChannelsAreBounded(t *testing.T) {
	hub, _ := newHub(t, channel.Options{IdleChannels: 10})
	stays := hub.NewReader(channel.ReaderOptions{})
	defer stays.Close()
	add(t, stays, "room:0", channel.End)
	for i := range 50 {
		for _, name := range []channel.Name{"room:0", "room:often", channel.Name(fmt.Sprint("room:", i))} {
			r := hub.NewReader(channel.ReaderOptions{})
			add(t, r, name, channel.End)
			r.Close()
		}
		if hub.Watched() != 1 || hub.Idle() > 10 {
			t.Fatalf("%d channels have readers, %d have not", hub.Watched(), hub.Idle())
		}
	}
	publish(t, hub, text("room:0", "for who stayed"))
	wantSeqs(t, ready(t, stays), "room:0 1-1")
}

// Who polls is there for as long as the grace says, by whichever way the poll was answered.
func TestVisitsKeepSomebodyPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := newHub(t, channel.Options{PollGrace: 30 * time.Second})
		for range 5 {
			hub.Presence().Visit(lobby, ann)
			time.Sleep(20 * time.Second)
			if _, n := hub.Presence().Here(lobby, 10); n != 1 {
				t.Fatalf("%d people are there", n)
			}
		}
		hub.Presence().Visit(lobby, channel.Sender{})
		time.Sleep(15 * time.Second)
		if channels, people, leaving, timer := hub.Presence().Kept(); channels+people+leaving != 0 || timer {
			t.Fatalf("%d channels, %d people, %d leaving are kept", channels, people, leaving)
		}
	})
}
