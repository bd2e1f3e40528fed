package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"parley/engine/enginetest"
)

func TestSearch(t *testing.T) {
	enginetest.Search(t, func(t *testing.T, o enginetest.Options) enginetest.SearchUnderTest {
		return searchUnderTest(t, filepath.Join(t.TempDir(), "parley.db"), Options{Policies: o.Policies, Clock: o.Clock, SweepEvery: -1, restless: true})
	})
}

func searchUnderTest(t *testing.T, path string, o Options) enginetest.SearchUnderTest {
	e := open(t, path, o)
	return enginetest.SearchUnderTest{
		Engine: e,
		Settle: func() { settle(t, e) },
		Sweep:  func() { sweep(t, e) },
		Reopen: func() enginetest.SearchUnderTest {
			closed(t, e)
			return searchUnderTest(t, path, o)
		},
	}
}

// settle waits until the index has everything that was committed before.
func settle(t testing.TB, e *Engine) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !e.follower.idle(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the index is not up to date within a minute")
		}
	}
	if e.follower.index.Load() == nil {
		t.Fatal("there is no index")
	}
}
