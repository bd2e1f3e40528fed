//go:build unix

package sqlite

import (
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"parley/channel"
)

// TestIndexAfterKills: the process is killed while it appends and indexes; the index goes on where it was, and has every message once.
func TestIndexAfterKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	var pids []int
	for range 3 {
		cmd, lines := children().Start(t, "append", path)
		pids = append(pids, cmd.Process.Pid)
		for n := 1000 + rand.IntN(3000); n > 0 && lines.Scan(); n-- {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		_ = cmd.Wait()
	}
	e := open(t, path, Options{restless: true})
	for _, name := range []channel.Name{"room:0", "room:1", "room:2"} {
		tail, err := e.Tail(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		wantEntries(t, e, name, int(tail.Seq))
		found := map[string]bool{}
		for _, pid := range pids { // with which each message begins
			for _, said := range finds(t, e, name, strconv.Itoa(pid)) {
				found[said] = true
			}
		}
		if len(found) != int(tail.Seq) {
			t.Errorf("%d of %d messages of %s are found", len(found), tail.Seq, name)
		}
	}
}
