package redis

import (
	"testing"

	"parley/engine/enginetest"
	"parley/engine/redis/redistest"
)

func TestSearch(t *testing.T) { searchSuite(t, redistest.Start(t)) }

func searchSuite(t *testing.T, server addressed) {
	enginetest.Search(t, func(t *testing.T, o enginetest.Options) enginetest.SearchUnderTest {
		return searchUnderTest(t, fresh(server), Options{Policies: o.Policies, Clock: o.Clock, SweepEvery: -1})
	})
}

func searchUnderTest(t *testing.T, url string, o Options) enginetest.SearchUnderTest {
	e := open(t, url, o)
	return enginetest.SearchUnderTest{
		Engine: e,
		Settle: func() {}, // nothing is derived
		Sweep:  func() { sweep(t, e) },
		Reopen: func() enginetest.SearchUnderTest {
			closed(t, e)
			return searchUnderTest(t, url, o)
		},
	}
}
