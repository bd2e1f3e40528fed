package redis

import (
	"testing"

	"parley/channel"
	"parley/engine/enginetest"
	"parley/engine/redis/redistest"
)

// open opens an engine, which the test's end closes.
func open(t testing.TB, url string, o Options) *Engine {
	t.Helper()
	e, err := Open(t.Context(), url, o)
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
	if err := e.keeper.sweep(t.Context(), false); err != nil {
		t.Fatalf("sweep: %v", err)
	}
}

// addressed is a Redis that a test has: one server, Sentinels or a cluster.
type addressed interface{ URL() string }

// fresh is an address in which every test has its own keys.
func fresh(s addressed) string { return s.URL() + "?prefix=" + channel.DrawID() + ":" }

func TestLog(t *testing.T) { logSuite(t, redistest.Start(t)) }

func logSuite(t *testing.T, server addressed) {
	enginetest.Log(t, func(t *testing.T, o enginetest.Options) enginetest.LogUnderTest {
		return underTest(t, fresh(server), Options{Policies: o.Policies, Clock: o.Clock, SweepEvery: -1})
	})
}

func underTest(t *testing.T, url string, o Options) enginetest.LogUnderTest {
	e := open(t, url, o)
	return enginetest.LogUnderTest{
		Log: e,
		Reopen: func() enginetest.LogUnderTest {
			closed(t, e)
			return underTest(t, url, o)
		},
		Sweep: func() { sweep(t, e) },
	}
}
