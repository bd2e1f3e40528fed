package sqlite_test

import (
	"path/filepath"
	"testing"

	"parley/engine/enginetest"
	"parley/engine/sqlite"
)

func openForVotes(t testing.TB, path string) *sqlite.Engine {
	t.Helper()
	e, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestVotes(t *testing.T) {
	enginetest.Votes(t, func(t *testing.T) enginetest.VoteEngine {
		return openForVotes(t, filepath.Join(t.TempDir(), "parley.db"))
	})
}
