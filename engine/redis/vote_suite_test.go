package redis

import (
	"testing"

	"parley/engine/enginetest"
	"parley/engine/redis/redistest"
)

func TestVote(t *testing.T) { voteSuite(t, redistest.Start(t)) }

func voteSuite(t *testing.T, server addressed) {
	enginetest.Vote(t, func(t *testing.T) enginetest.VoteEngine { return open(t, fresh(server), Options{}) })
}
