package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"parley/channel"
)

// A backup is restored, and readers come back who have seen what it lacks.
func TestRestoredCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	appendN := func(e *Engine, n int) (last channel.Position) {
		t.Helper()
		for range n {
			rs, err := e.Append(t.Context(), hello("room:a"))
			if err != nil {
				t.Fatal(err)
			}
			last = rs[0].Position
		}
		return last
	}
	e := open(t, path, Options{})
	old := appendN(e, 5)
	closed(t, e)
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e = open(t, path, Options{})
	lost := appendN(e, 3)
	closed(t, e)
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}

	e = open(t, path, Options{})
	check := func(after channel.Position, reason channel.Reason, tail channel.Position) {
		t.Helper()
		batch, err := e.Read(t.Context(), "room:a", after, 100, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case reason == "" && batch.Gap == nil && batch.To == tail:
		case reason != "" && batch.Gap != nil && *batch.Gap == channel.Gap{From: after, Reason: reason, Tail: tail}:
		default:
			t.Errorf("after %s: %+v, %+v", after, batch, batch.Gap)
		}
	}
	check(old, "", old)
	check(lost, channel.Rollback, old) // past the tail
	now := appendN(e, 10)
	check(lost, channel.Rollback, now) // another message has its seq
	check(old, "", now)
	if fmt.Sprint(old) == fmt.Sprint(lost) {
		t.Error("the test is none")
	}
}
