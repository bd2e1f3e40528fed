package chat

import (
	"context"
	"net/http"
	"time"

	"parley/channel"
	"parley/problem"
)

// Room is a channel that people meet in.
type Room struct {
	ID      string
	Name    string
	Topic   string
	Private bool
	Owner   channel.Sender // zero for the lobby
	Invite  string         // token of the invite link; "" when there is none
	Created time.Time
	Members int  // how many
	Joined  bool // whether the asker is a member
}

// Channel is the room's channel.
func (r Room) Channel() channel.Name { return channel.Room(r.ID) }

// Conversation is a room or a direct conversation as its member sees it in a list.
type Conversation struct {
	Channel  channel.Name
	Kind     string // channel.KindRoom or channel.KindDirect
	Name     string // the room's name, or the other person's
	Topic    string
	Private  bool
	With     channel.Sender   // the other person; zero for rooms
	Position channel.Position // the channel's tail
	Read     uint64           // seq up to which the member has read
	Unread   int              // texts by others after Read, at most 100
	Active   time.Time        // last message, or joined
}

// Store is what the package needs of an engine. Methods that take drafts append them in the same transaction. When a user
// is deleted (identity.Store), their memberships and their side of direct conversations go in that transaction, and
// rooms of theirs have no owner from then on. Names of people are the current ones; of the deleted, the last known here.
type Store interface {
	// CreateRoom makes a room, with its owner, if any, as first member. ErrRoomExists when the id is, or was, a room's.
	CreateRoom(ctx context.Context, r Room, drafts ...channel.Draft) error
	Room(ctx context.Context, id, viewer string) (Room, error)                             // ErrNoRoom
	Rooms(ctx context.Context, viewer string, limit int) ([]Room, error)                   // public, and private with viewer in it; by name
	UpdateRoom(ctx context.Context, id, name, topic string, drafts ...channel.Draft) error // ErrNoRoom
	// DeleteRoom removes a room with its memberships and its channel (as channel.Log's Delete), and appends left, which has
	// no Channel, to the inbox of each of its members. ErrNoRoom.
	DeleteRoom(ctx context.Context, id string, left channel.Draft) error
	// EnsureInvite makes invite the room's, unless it has one, and returns the one it has. ErrNoRoom.
	EnsureInvite(ctx context.Context, id, invite string) (string, error)
	RevokeInvite(ctx context.Context, id string) error // the room has no invite then; ErrNoRoom

	// Join makes who a member, whose reading starts at the channel's tail. false: was in already, nothing is appended.
	// ErrNoRoom.
	Join(ctx context.Context, id string, who channel.Sender, drafts ...channel.Draft) (joined bool, err error)
	Leave(ctx context.Context, id, user string, drafts ...channel.Draft) (left bool, err error) // false: was not in, nothing is appended
	Members(ctx context.Context, id string, limit int) ([]channel.Sender, error)                // by name
	IsMember(ctx context.Context, id, user string) (bool, error)

	// OpenDirect makes the conversation of a and b, appending drafts only when it is new for either.
	OpenDirect(ctx context.Context, a, b channel.Sender, drafts ...channel.Draft) (opened bool, err error)
	// Conversations lists the rooms and direct conversations of a user, by Active, newest first. Unread may leave out what
	// is more than 1,000 messages old.
	Conversations(ctx context.Context, user string, limit int) ([]Conversation, error)
	// SetRead raises what user has read of a channel they are in, never lowers it, and never past the tail. It returns
	// where that is now, and whether it changed.
	SetRead(ctx context.Context, user string, name channel.Name, seq uint64) (read uint64, changed bool, err error)

	Finder
}

var (
	ErrNoRoom     = problem.New(http.StatusNotFound, "no_room", "There is no such room")
	ErrRoomExists = problem.New(http.StatusConflict, "room_exists", "There is a room of this name already")
	ErrBadInvite  = problem.New(http.StatusForbidden, "bad_invite", "The invite is not valid")
	ErrNoChannel  = problem.New(http.StatusNotFound, "no_channel", "There is no such channel")
	ErrBadType    = problem.New(http.StatusUnprocessableEntity, "bad_type", "A message of this type cannot be published")
)
