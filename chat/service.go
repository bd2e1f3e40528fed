package chat

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"parley/channel"
	"parley/identity"
	"parley/internal/cache"
)

// Channels is what the package needs of *channel.Hub.
type Channels interface {
	Append(ctx context.Context, drafts ...channel.Draft) ([]channel.Receipt, error)
	Message(ctx context.Context, name channel.Name, seq uint64) (channel.Message, error)
	Tail(ctx context.Context, name channel.Name) (channel.Position, error)
	Signal(ctx context.Context, s channel.Signal) error
}

// People is what the package needs of *identity.Service.
type People interface {
	User(ctx context.Context, id string) (identity.User, error)         // identity.ErrNoUser
	Lookup(ctx context.Context, idOrName string) (identity.User, error) // identity.ErrNoUser
}

var _ People = (*identity.Service)(nil)

// Options of a Service. The zero value is good.
type Options struct {
	Now func() time.Time // the clock; default time.Now
}

// How much of the store MayRead and MayPost keep in memory (twice as many at most).
const (
	cachedRooms       = 10_000
	cachedMemberships = 100_000
	cachedDirects     = 50_000
)

// Service is rooms and direct conversations. All methods may be called concurrently.
type Service struct {
	store    Store
	channels Channels
	people   People
	now      func() time.Time

	rooms   *cache.Cache[string, access]     // by room id
	members *cache.Cache[membership, bool]   // whether somebody is in a room
	directs *cache.Cache[channel.Name, bool] // direct conversations that are open

	generation atomic.Uint64
	searches   chan struct{} // one in it for each search that is under way
	waiting    atomic.Int64  // searches, those under way among them
}

// access is what decides who may read a room.
type access struct {
	private bool
	owner   string
}

type membership struct{ room, user string }

// New makes a Service.
func New(store Store, channels Channels, people People, o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{
		store: store, channels: channels, people: people, now: o.Now,
		rooms:   cache.New[string, access](cachedRooms),
		members: cache.New[membership, bool](cachedMemberships),
		directs: cache.New[channel.Name, bool](cachedDirects),

		searches: make(chan struct{}, maxSearches),
	}
}

// Generation changes whenever somebody's right to read something may have been taken away: when a private room is left,
// a room deleted, a person gone. Whoever streams a channel to someone asks MayRead again then.
func (s *Service) Generation() uint64 { return s.generation.Load() }

// Gone tells the Service that a user was forgotten or has expired (identity.Service's OnChange): the store has ended their
// memberships already.
func (s *Service) Gone(user string) {
	s.DroppedAll() // they may have owned rooms
}

// RoomGone drops what is kept of a room that was deleted, here or on another node.
func (s *Service) RoomGone(id string) {
	s.rooms.Drop(id)
	s.generation.Add(1)
}

// MemberChanged drops what is kept of a membership that began or ended, here or on another node; lost says that with it
// went the right to read the room.
func (s *Service) MemberChanged(room, user string, lost bool) {
	s.members.Drop(membership{room, user})
	if lost {
		s.generation.Add(1)
	}
}

// DroppedAll drops all that is kept in memory, where news of other nodes may have been missed.
func (s *Service) DroppedAll() {
	s.rooms.Clear()
	s.members.Clear()
	s.directs.Clear()
	s.generation.Add(1)
}

func (s *Service) room(ctx context.Context, id string) (access, error) {
	return s.rooms.Load(id, func() (access, error) {
		r, err := s.store.Room(ctx, id, "")
		if err != nil {
			return access{}, noRoom(id, err)
		}
		return access{r.Private, r.Owner.ID}, nil
	})
}

func (s *Service) isMember(ctx context.Context, id, user string) (bool, error) {
	return s.members.Load(membership{id, user}, func() (bool, error) { return s.store.IsMember(ctx, id, user) })
}

// inbox is a message of the server's own in a person's inbox.
func inbox(user, typ string, data json.RawMessage) channel.Draft {
	return channel.Draft{Channel: channel.User(user), Type: typ, From: channel.System, Data: data}
}

func left(user string, name channel.Name) channel.Draft {
	return inbox(user, "left", mustEncode(leftData{Channel: name}))
}

// deleted is left for a conversation that is no more, so that all who were in it are told why.
func deleted(name channel.Name) channel.Draft {
	return channel.Draft{Type: "left", From: channel.System, Data: mustEncode(leftData{Channel: name, Deleted: true})}
}

// added is the inbox event of a conversation that was added, for one who has nothing unread in it.
func added(user string, c Conversation) channel.Draft {
	c.Read, c.Unread = c.Position.Seq, 0
	return inbox(user, "conversation", mustEncode(c))
}
