package sqlite

import (
	"path/filepath"
	"testing"

	"parley/engine/enginetest"
	"parley/identity"
)

func open(t testing.TB, path string, o Options) *Engine {
	t.Helper()
	e, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func closed(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

func sweep(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.keeper.sweep(t.Context()); err != nil {
		t.Fatalf("sweep: %v", err)
	}
}

func TestLog(t *testing.T) {
	enginetest.Log(t, func(t *testing.T, o enginetest.Options) enginetest.LogUnderTest {
		return underTest(t, filepath.Join(t.TempDir(), "parley.db"), Options{Policies: o.Policies, Clock: o.Clock, SweepEvery: -1})
	})
}

func underTest(t *testing.T, path string, o Options) enginetest.LogUnderTest {
	e := open(t, path, o)
	return enginetest.LogUnderTest{
		Log: e,
		Reopen: func() enginetest.LogUnderTest {
			closed(t, e)
			return underTest(t, path, o)
		},
		Sweep: func() { sweep(t, e) },
	}
}

func TestIdentity(t *testing.T) {
	enginetest.Identity(t, func(t *testing.T) (identity.Store, func() identity.Store) {
		path := filepath.Join(t.TempDir(), "parley.db")
		e := open(t, path, Options{})
		return e, func() identity.Store {
			closed(t, e)
			return open(t, path, Options{})
		}
	})
}
