package raw

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is on the disk after a commit is all that was committed, however long the file is: at each moment a copy of the files, as a crash would
// leave them, has every row.
func TestTunedWALHasEveryCommit(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "x.db")
	c, err := Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a, b)"); err != nil {
		t.Fatal(err)
	}
	if err := c.TuneWAL(); err != nil {
		t.Fatal(err)
	}
	rows := 0
	add := func(n int) {
		for range n {
			if _, err := c.Exec("INSERT INTO t VALUES (?, ?)", rows, strings.Repeat("x", 3000)); err != nil {
				t.Fatal(err)
			}
			rows++
		}
	}
	size := func() int64 {
		s, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return s.Size()
	}
	crash := func() {
		t.Helper()
		at := filepath.Join(t.TempDir(), "x.db")
		for _, end := range []string{"", "-wal"} {
			data, err := os.ReadFile(path + end)
			if err == nil {
				err = os.WriteFile(at+end, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		d, err := Open("file:" + at)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var got int
		var sound string
		if err := d.QueryRow("SELECT count(*) FROM t").Scan(&got); err != nil || got != rows {
			t.Fatalf("%d rows of %d: %v", got, rows, err)
		}
		if err := d.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
			t.Fatal(sound, err)
		}
	}
	add(1)
	if n := size(); n != walStep {
		t.Fatalf("the WAL has %d bytes, not %d", n, walStep)
	}
	crash()
	for range 5 {
		add(100)
		crash()
	}
	if n := size(); n <= walStep || n%walStep != 0 {
		t.Fatalf("the WAL has %d bytes", n)
	}
	if err := c.Script("PRAGMA wal_checkpoint(FULL)"); err != nil { // the next commit begins at the front again
		t.Fatal(err)
	}
	before := size()
	add(3)
	if n := size(); n != before {
		t.Fatalf("the WAL went from %d to %d bytes", before, n)
	}
	crash()
	if err := c.Script("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if n := size(); n != 0 {
		t.Fatalf("the WAL has %d bytes after it was truncated", n)
	}
	add(1)
	if n := size(); n != walStep {
		t.Fatalf("the WAL has %d bytes, not %d", n, walStep)
	}
	crash()
}
