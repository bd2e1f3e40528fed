package websocket_test

import (
	"os"
	"testing"
)

// openFDs counts the process's open files. /dev/fd exists on Linux and macOS.
func openFDs(t testing.TB) int {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
