package redis

import (
	"testing"

	"parley/engine/enginetest"
	"parley/engine/redis/redistest"
	"parley/identity"
)

func TestIdentity(t *testing.T) { identitySuite(t, redistest.Start(t)) }

func identitySuite(t *testing.T, server addressed) {
	enginetest.Identity(t, func(t *testing.T) (identity.Store, func() identity.Store) {
		url := fresh(server)
		e := open(t, url, Options{})
		return e, func() identity.Store {
			closed(t, e)
			return open(t, url, Options{})
		}
	})
}

func TestChat(t *testing.T) { chatSuite(t, redistest.Start(t)) }

func chatSuite(t *testing.T, server addressed) {
	enginetest.Chat(t, func(t *testing.T) enginetest.ChatEngine { return open(t, fresh(server), Options{}) })
}
