package channel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/channel"
)

// everywhere is a log of many nodes, of which it plays the others.
type everywhere struct {
	*memory
	crowd int

	mu     sync.Mutex
	said   []string         // what the hub told
	others []channel.Sender // who is on other nodes
	broken bool
}

func (e *everywhere) Attend(crowd int) { e.crowd = crowd }

func (e *everywhere) Arrived(name channel.Name, who channel.Sender) {
	e.tell("+ %s %s %s", name, who.ID, who.Name)
}

func (e *everywhere) Departed(name channel.Name, who channel.Sender) {
	e.tell("- %s %s %s", name, who.ID, who.Name)
}

func (e *everywhere) tell(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = append(e.said, fmt.Sprintf(format, args...))
}

func (e *everywhere) told() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.said = nil }()
	return e.said
}

func (e *everywhere) Here(context.Context, channel.Name, int) ([]channel.Sender, int, error) {
	if e.broken {
		return nil, 0, errors.New("broken")
	}
	return slices.Clone(e.others), len(e.others), nil
}

// The hub tells the engine who is on this node, and leaves to it what all nodes hear.
func TestPresenceOfManyNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &everywhere{memory: newMemory(nil), others: []channel.Sender{{ID: "u9", Name: "Zoe"}, ben}}
		hub := channel.NewHub(log, channel.Options{HereLimit: 7})
		t.Cleanup(hub.Close)
		if log.crowd != 7 {
			t.Errorf("a crowd is %d", log.crowd)
		}
		want := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := log.told(); !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		watcher := open(t, hub, channel.Sender{}, channel.Stream)
		defer watcher.Close()
		if got := heard(next(t, watcher).Signals); got != `here {"here":[{"id":"u2","name":"Ben"},{"id":"u9","name":"Zoe"}],"count":2}` {
			t.Error(got)
		}
		want()

		first := open(t, hub, ann, channel.Stream)
		second := open(t, hub, ann, channel.Stream)
		want("+ room:lobby u1 Ann")
		open(t, hub, channel.Sender{ID: ann.ID, Name: "Anna"}, channel.Poll).Close()
		want("+ room:lobby u1 Anna")
		first.Close()
		second.Close()
		wantSignals(t, watcher, "")
		want()
		time.Sleep(time.Minute)
		want("- room:lobby u1 Anna")
		wantSignals(t, watcher, "") // comings and goings are for the engine to tell

		log.others = []channel.Sender{ben}
		hub.Signalled(channel.Signal{Channel: lobby, Type: channel.SignalHere, From: channel.System})
		if got := heard(next(t, watcher).Signals); got != `here {"here":[{"id":"u2","name":"Ben"}],"count":1}` {
			t.Error(got)
		}

		log.broken = true
		third := open(t, hub, ann, channel.Poll)
		defer third.Close()
		wantHere(t, hub, "1 Ann") // at least who is on this node
	})
}
