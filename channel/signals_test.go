package channel_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/channel"
)

func next(t *testing.T, r *channel.Reader) channel.Delivery {
	t.Helper()
	d, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// heard shows signals: typing u1, here 2.
func heard(signals []channel.Signal) string {
	var parts []string
	for _, s := range signals {
		part := s.Type + " " + s.From.ID
		if s.Type == channel.SignalHere {
			part = s.Type + " " + string(s.Data)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func TestSignalsReachStreamsOnly(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	stream := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	poll := hub.NewReader(channel.ReaderOptions{Mode: channel.LongPoll})
	defer stream.Close()
	defer poll.Close()
	add(t, stream, lobby, channel.End)
	add(t, poll, lobby, channel.End)
	if got := heard(next(t, stream).Signals); got != `here {"here":[],"count":0}` {
		t.Fatal(got)
	}
	if err := hub.Signal(t.Context(), channel.Signal{Channel: lobby, Type: "typing", From: ann}); err != nil {
		t.Fatal(err)
	}
	if got := heard(next(t, stream).Signals); got != "typing u1" {
		t.Fatal(got)
	}
	if poll.Waiting() != 0 {
		t.Fatal("a long poll has signals")
	}
}

func TestOldestSignalsAreDropped(t *testing.T) {
	hub, _ := newHub(t, channel.Options{SignalQueue: 3})
	r := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	defer r.Close()
	add(t, r, lobby, channel.End)
	next(t, r) // here
	for i := range 5 {
		_ = hub.Signal(t.Context(), channel.Signal{Channel: lobby, Type: "typing", From: channel.Sender{ID: fmt.Sprint(i)}})
	}
	if got := heard(next(t, r).Signals); got != "typing 2, typing 3, typing 4" {
		t.Fatal(got)
	}
}

// Where a coming was dropped, the reader gets the list anew.
func TestDroppedJoinIsMadeGood(t *testing.T) {
	hub, _ := newHub(t, channel.Options{SignalQueue: 1})
	r := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	defer r.Close()
	add(t, r, lobby, channel.End)
	next(t, r)
	for i := range 2 {
		other := hub.NewReader(channel.ReaderOptions{Person: channel.Sender{ID: fmt.Sprint(i), Name: "n"}})
		defer other.Close()
		add(t, other, lobby, channel.End)
	}
	if got := heard(next(t, r).Signals); got != `here {"here":[{"id":"0","name":"n"},{"id":"1","name":"n"}],"count":2}, join 1` {
		t.Fatal(got)
	}
}

func TestRemovedChannelIsSilent(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	r := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	defer r.Close()
	add(t, r, lobby, channel.End)
	add(t, r, "room:other", channel.End)
	next(t, r)
	for _, name := range []channel.Name{lobby, "room:other"} {
		_ = hub.Signal(t.Context(), channel.Signal{Channel: name, Type: "typing", From: ann})
	}
	r.Remove(lobby)
	if got := next(t, r).Signals; len(got) != 1 || got[0].Channel != "room:other" {
		t.Fatal(got)
	}
}

// Moving within a channel is not coming to it: the list is not told again, and nothing that waits is lost.
func TestMovingKeepsSignals(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	r := hub.NewReader(channel.ReaderOptions{Person: ann, Mode: channel.Stream})
	defer r.Close()
	add(t, r, lobby, channel.End)
	add(t, r, lobby, channel.Position{})
	if got := heard(next(t, r).Signals); got != `here {"here":[{"id":"u1","name":"Ann"}],"count":1}` {
		t.Fatal(got)
	}
	_ = hub.Signal(t.Context(), channel.Signal{Channel: lobby, Type: "typing", From: ben})
	add(t, r, lobby, channel.End)
	if got := heard(next(t, r).Signals); got != "typing u2" {
		t.Fatal(got)
	}
}
