package redis

import (
	"testing"

	"parley/engine/enginetest"
	"parley/engine/redis/redistest"
)

func TestVote(t *testing.T) {
	server := redistest.Start(t)
	enginetest.Vote(t, func(t *testing.T) enginetest.VoteEngine { return open(t, fresh(server), Options{}) })
}
