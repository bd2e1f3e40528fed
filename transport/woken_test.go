package transport_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/transport"
)

// TestWhatComesWhileRightsAreAskedFor is delivered once they are known, and not with the next heartbeat.
func TestWhatComesWhileRightsAreAskedFor(t *testing.T) {
	w := newWorld(t, transport.Options{Heartbeat: time.Hour})
	s := w.events("/v1/channels/room:lobby/messages")
	w.say(lobby, "before")
	s.want("batch")
	w.site.set(func() { // until it returns, nobody is told their rights
		w.site.generation.Add(1)
		w.say(lobby, "first")
		stacks := make([]byte, 1<<20)
		for deadline := time.Now().Add(patience); !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "(*site).MayRead("); {
			if time.Now().After(deadline) {
				t.Fatal("nobody asks for their rights")
			}
			time.Sleep(time.Millisecond)
		}
		w.say(lobby, "second")
	})
	var got string // in two batches, or in one if something else made it ask before the first
	for !strings.Contains(got, "second") {
		got += s.want("batch").data
	}
	if before, _, _ := strings.Cut(got, "second"); !strings.Contains(before, "first") {
		t.Errorf("got %s", got)
	}
}
