package redis

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

var (
	roomCreateScript = newFactsScript(writes, "room_create")
	roomUpdateScript = newFactsScript(writes, "room_update")
	roomInviteScript = newFactsScript(writes, "room_invite")
	roomDeleteScript = newFactsScript(frees, "room_delete", "leave_all")
	roomsScript      = newFactsScript(readsIt, "rooms")
)

// sortKey is what rooms are listed by: the name, whatever its case (of ASCII, as in the other engine), and then the id.
func sortKey(name, id string) string { return lowerASCII(name) + "\x00" + id }

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// CreateRoom makes a room; see chat.Store.
func (e *Engine) CreateRoom(ctx context.Context, r chat.Room, drafts ...channel.Draft) error {
	h, err := parseHead(e.ask(ctx, e.headCommand(r.Channel())))
	if err != nil {
		return err
	}
	if h.Deleted {
		return chat.ErrRoomExists
	}
	c := e.newFactsCall(roomCreateScript)
	c.arg(r.ID, r.Name, r.Topic, flag(r.Private), r.Owner.ID, r.Invite)
	c.int(r.Created.UnixMilli())
	c.arg(sortKey(r.Name, r.ID), strconv.FormatUint(h.Tail.Seq, 10))
	_, err = c.changeFacts(ctx, drafts)
	return err
}

// listed is a room with what it is listed by.
type listed struct {
	chat.Room
	sort string
}

// describe returns those rooms of ids that exist, as viewer sees them, in one round trip.
func (e *Engine) describe(ctx context.Context, viewer string, ids ...string) ([]listed, error) {
	var calls []*call
	for some := range slices.Chunk(ids, stepRooms) {
		c := e.newFactsCall(roomsScript)
		c.arg(viewer)
		c.int(int64(len(some)))
		c.arg(some...)
		calls = append(calls, c)
	}
	results, err := runTogether(ctx, calls)
	if err != nil {
		return nil, err
	}
	var rooms []listed
	for _, result := range results {
		found, err := result.ToArray()
		if err != nil {
			return nil, problem.Internal.Because(err)
		}
		for _, one := range found {
			if one.IsInt64() {
				continue
			}
			r, err := parseRoom(one.AsStrSlice())
			if err != nil {
				return nil, err
			}
			rooms = append(rooms, r)
		}
	}
	return rooms, nil
}

// parseRoom reads what lua/rooms.lua says of a room.
func parseRoom(f []string, err error) (r listed, _ error) {
	if err != nil || len(f) != 11 {
		return r, problem.Internal.Because(errRecord)
	}
	created, err1 := strconv.ParseInt(f[7], 10, 64)
	members, err2 := strconv.Atoi(f[9])
	if err := cmp.Or(err1, err2); err != nil {
		return r, problem.Internal.Because(err)
	}
	r.Room = chat.Room{
		ID: f[0], Name: f[1], Topic: f[2], Private: f[3] == "1", Owner: channel.Sender{ID: f[4], Name: f[5]},
		Invite: f[6], Created: time.UnixMilli(created).UTC(), Members: members, Joined: f[10] == "1",
	}
	r.sort = f[8]
	return r, nil
}

// Room returns a room as viewer sees it; see chat.Store.
func (e *Engine) Room(ctx context.Context, id, viewer string) (chat.Room, error) {
	rooms, err := e.describe(ctx, viewer, id)
	if err != nil {
		return chat.Room{}, err
	}
	if len(rooms) == 0 {
		return chat.Room{}, chat.ErrNoRoom
	}
	return rooms[0].Room, nil
}

// Rooms lists public rooms and viewer's, in two round trips; see chat.Store.
func (e *Engine) Rooms(ctx context.Context, viewer string, limit int) ([]chat.Room, error) {
	b := e.client.B()
	results, err := e.askAll(ctx,
		b.Zrange().Key(e.keys.fact("public")).Min("-").Max("+").Bylex().Limit(0, int64(limit)).Build(),
		b.Hkeys().Key(e.keys.fact("rooms:"+viewer)).Build())
	if err != nil {
		return nil, err
	}
	public, err1 := results[0].AsStrSlice()
	ids, err2 := results[1].AsStrSlice()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, problem.Internal.Because(err)
	}
	for _, sort := range public {
		ids = append(ids, sort[strings.IndexByte(sort, 0)+1:])
	}
	slices.Sort(ids)
	all, err := e.describe(ctx, viewer, slices.Compact(ids)...)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r listed) bool { return r.Private && !r.Joined })
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.sort, b.sort) })
	var rooms []chat.Room
	for _, r := range all[:min(len(all), limit)] {
		rooms = append(rooms, r.Room)
	}
	return rooms, nil
}

// UpdateRoom changes a room's name and topic; see chat.Store.
func (e *Engine) UpdateRoom(ctx context.Context, id, name, topic string, drafts ...channel.Draft) error {
	c := e.newFactsCall(roomUpdateScript)
	c.arg(id, name, topic, sortKey(name, id))
	_, err := c.changeFacts(ctx, drafts)
	return err
}

// EnsureInvite gives a room an invite, if it has none; see chat.Store.
func (e *Engine) EnsureInvite(ctx context.Context, id, invite string) (string, error) {
	c := e.newFactsCall(roomInviteScript)
	c.arg(id, invite)
	result, err := c.runFacts(ctx)
	if err != nil {
		return "", err
	}
	return result.ToString()
}

// RevokeInvite takes a room's invite away; see chat.Store.
func (e *Engine) RevokeInvite(ctx context.Context, id string) error {
	_, err := e.EnsureInvite(ctx, id, "")
	return err
}

// DeleteRoom removes a room and all that was in it; see chat.Store. With up to stepMembers members that is one script, all or nothing. With more, the
// room and everybody's membership end in one script, and the members are told in further ones; an inbox that is deleted is passed over then.
func (e *Engine) DeleteRoom(ctx context.Context, id string, left channel.Draft) error {
	later, err := e.endRoom(ctx, id, left)
	if err != nil || !later {
		return err
	}
	return e.finishRoom(ctx, id)
}

// endRoom makes a room be no more. later: there are members who are still to be told.
func (e *Engine) endRoom(ctx context.Context, id string, left channel.Draft) (later bool, err error) {
	c := e.newFactsCall(roomDeleteScript)
	c.arg(id)
	c.int(stepMembers)
	// Marks and ids of the events are made of a seed, as the members are not known here. An id is 12 characters of its hash.
	var meta []byte
	for _, s := range []string{left.Type, left.From.ID, left.From.Name} {
		meta = appendText(meta, s)
	}
	c.arg(channel.DrawID()+channel.DrawID(), string(meta), string(left.Data))
	c.deletions(channel.Room(id))
	result, err := c.runFacts(ctx)
	if err != nil {
		return false, err
	}
	c.deliverFacts(ctx)
	n, err := result.AsInt64()
	return n == 1, err
}

// runTogether runs calls that only read, at once: their commands share a pipeline.
func runTogether(ctx context.Context, calls []*call) ([]rueidis.RedisMessage, error) {
	results, errs := make([]rueidis.RedisMessage, len(calls)), make([]error, len(calls))
	together(len(calls), func(i int) { results[i], errs[i] = calls[i].runFacts(ctx) })
	return results, cmp.Or(errs...)
}
