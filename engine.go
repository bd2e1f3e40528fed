package parley

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/engine/redis"
	"parley/engine/sqlite"
	"parley/identity"
	"parley/vote"
)

// engine is where everything lives: what the parts ask of it, together.
type engine interface {
	channel.Log
	identity.Store
	chat.Store
	vote.Store

	VoteCodes(context.Context) ([]string, error) // of all votes, for tools
	Ready(context.Context) error
	Close() error
}

// fileName is the database's name in the data folder.
const fileName = "parley.db"

func open(ctx context.Context, c Config) (engine, error) {
	if c.Engine != "" {
		return redis.Open(ctx, c.Engine, redis.Options{Policies: c.policies(), Logger: c.Log})
	}
	if c.Data == "" {
		return nil, errors.New("parley: neither Config.Data, the folder of the database, nor Config.Engine is set")
	}
	return sqlite.Open(filepath.Join(c.Data, fileName), sqlite.Options{Policies: c.policies(), Logger: c.Log})
}

// Where says where the data is: the folder, or the address of Redis without its password.
func (c Config) Where() string {
	if c.Engine != "" {
		return redis.Shown(c.Engine)
	}
	if path, err := filepath.Abs(c.Data); err == nil {
		return path
	}
	return c.Data
}

// CheckEngine reports whether Config.Engine can be understood, and what is wrong with it.
func CheckEngine(addr string) error {
	if addr == "" {
		return nil
	}
	return redis.Check(addr)
}

// facts drops from memory what other nodes changed.
type facts struct {
	people *identity.Service
	talk   *chat.Service
}

var _ redis.Facts = facts{}

func (f facts) UserChanged(id string) { f.people.Dropped(id) }
func (f facts) UserGone(id string)    { f.people.Dropped(id); f.talk.Gone(id) }
func (f facts) RoomGone(id string)    { f.talk.RoomGone(id) }
func (f facts) MemberChanged(room, user string, lost bool) {
	f.talk.MemberChanged(room, user, lost)
}
func (f facts) Missed() {
	f.people.DroppedAll()
	f.talk.DroppedAll()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = f.talk.EnsureLobby(ctx) // it is not there where Redis lost its data; if that fails, the next start makes it
}
