package sqlite_test

import (
	"path/filepath"
	"testing"

	"parley/engine/enginetest"
	"parley/engine/sqlite"
)

func TestChat(t *testing.T) {
	enginetest.Chat(t, func(t *testing.T) enginetest.ChatEngine {
		e, err := sqlite.Open(filepath.Join(t.TempDir(), "parley.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return e
	})
}
