//go:build unix

package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley/engine/redis/redistest"
)

// TestMigrateWhileKilled kills `parley migrate` in the middle, several times, and lets it finish: nothing is missing, and the sessions are good.
func TestMigrateWhileKilled(t *testing.T) {
	s := startServer(t, unlimited...)
	ann := s.signIn("Ann")
	const messages = 3000
	for i := range messages {
		if err := ann.insist("POST", "/v1/channels/room:lobby/messages", saying(fmt.Sprint(i)), nil, "Idempotency-Key", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	engine := redistest.Start(t).URL()
	if out, err := s.command("migrate", "--to", engine); err == nil || !strings.Contains(out, "a server is running") {
		t.Fatalf("what is served is copied: %v: %s", err, out)
	}
	s.kill()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		cmd := exec.Command(path, append(s.args[2:4:4], "migrate", "--to", engine)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+40*i) * time.Millisecond) // wherever it is by then
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if out, err := s.command("migrate", "--to", engine); err != nil && !strings.Contains(out, "data of its own") { // a kill may have come too late
		t.Fatalf("%v: %s", err, out)
	}
	there := client{startNodes(t, engine, 1)[0].url, ann.token}
	next := 0
	for {
		var page struct {
			Messages []struct {
				Seq int
				ID  string
			}
			More bool
		}
		if err := there.insist("GET", fmt.Sprintf("/v1/channels/room:lobby/messages?after=%d&limit=1000", next), nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			if m.Seq != next+1 || m.ID != fmt.Sprint(next) {
				t.Fatalf("behind seq %d comes seq %d with the id %s", next, m.Seq, m.ID)
			}
			next++
		}
		if !page.More {
			break
		}
	}
	if next != messages {
		t.Errorf("%d messages arrived of %d", next, messages)
	}
	if err := there.insist("POST", "/v1/channels/room:lobby/messages", saying("going on"), nil); err != nil {
		t.Errorf("who was there cannot go on: %v", err)
	}
}
