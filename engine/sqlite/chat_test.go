package sqlite

import (
	"path/filepath"
	"testing"

	"parley/engine/enginetest"
)

func TestChat(t *testing.T) {
	enginetest.Chat(t, func(t *testing.T) enginetest.ChatEngine {
		return open(t, filepath.Join(t.TempDir(), "parley.db"), Options{})
	})
}
