package redis

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/problem"
)

var (
	joinScript   = newFactsScript(writes, "join")
	leaveScript  = newFactsScript(frees, "leave")
	directScript = newFactsScript(writes, "direct")
	readScript   = newFactsScript(writes, "read")
)

// Join makes who a member of a room; see chat.Store. The tail is looked at before: a message that comes in between is unread.
func (e *Engine) Join(ctx context.Context, id string, who channel.Sender, drafts ...channel.Draft) (bool, error) {
	tail, err := e.Tail(ctx, channel.Room(id))
	if err != nil {
		return false, err
	}
	c := e.newFactsCall(joinScript)
	c.arg(id, who.ID, strconv.FormatUint(tail.Seq, 10))
	return c.changeFacts(ctx, drafts)
}

// Leave ends a membership; see chat.Store.
func (e *Engine) Leave(ctx context.Context, id, user string, drafts ...channel.Draft) (bool, error) {
	c := e.newFactsCall(leaveScript)
	c.arg(id, user)
	return c.changeFacts(ctx, drafts)
}

// Members lists who is in a room, in two round trips; see chat.Store. All members are looked at, as names change and so are kept in one place.
func (e *Engine) Members(ctx context.Context, id string, limit int) ([]channel.Sender, error) {
	ids, err := e.ask(ctx, e.client.B().Smembers().Key(e.keys.fact("members:"+id)).Build()).AsStrSlice()
	if err != nil || len(ids) == 0 {
		return nil, explain(err)
	}
	names, err := e.names(ctx, ids)
	if err != nil {
		return nil, err
	}
	type member struct {
		channel.Sender
		sort string
	}
	var people []member
	for id, name := range names {
		people = append(people, member{channel.Sender{ID: id, Name: name}, sortKey(name, id)})
	}
	slices.SortFunc(people, func(a, b member) int { return strings.Compare(a.sort, b.sort) })
	senders := make([]channel.Sender, min(len(people), limit))
	for i := range senders {
		senders[i] = people[i].Sender
	}
	return senders, nil
}

// names returns the names of those of ids who exist.
func (e *Engine) names(ctx context.Context, ids []string) (map[string]string, error) {
	var commands rueidis.Commands
	for some := range slices.Chunk(ids, stepFacts) {
		commands = append(commands, e.client.B().Hmget().Key(e.keys.fact("users")).Field(some...).Build())
	}
	results, err := e.askAll(ctx, commands...)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(ids))
	for _, result := range results {
		records, err := result.ToArray()
		if err != nil {
			return nil, problem.Internal.Because(err)
		}
		for _, record := range records {
			if text, err := record.ToString(); err == nil {
				names[ids[0]] = nameIn(text)
			}
			ids = ids[1:]
		}
	}
	return names, nil
}

// IsMember reports whether user is in a room; see chat.Store. One who is being forgotten is in no room.
func (e *Engine) IsMember(ctx context.Context, id, user string) (bool, error) {
	results, err := e.askAll(ctx,
		e.client.B().Sismember().Key(e.keys.fact("members:"+id)).Member(user).Build(),
		e.client.B().Hexists().Key(e.keys.fact("users")).Field(user).Build())
	if err != nil {
		return false, err
	}
	in, err1 := results[0].AsBool()
	is, err2 := results[1].AsBool()
	return in && is, cmp.Or(err1, err2)
}

// OpenDirect makes the two sides of a direct conversation; see chat.Store.
func (e *Engine) OpenDirect(ctx context.Context, a, b channel.Sender, drafts ...channel.Draft) (bool, error) {
	tail, err := e.Tail(ctx, channel.Direct(a.ID, b.ID))
	if err != nil {
		return false, err
	}
	c := e.newFactsCall(directScript)
	c.arg(a.ID, a.Name, b.ID, b.Name, strconv.FormatUint(tail.Seq, 10))
	return c.changeFacts(ctx, drafts)
}

// SetRead raises what user has read; see chat.Store. What would change nothing is one round trip, which writes nothing.
func (e *Engine) SetRead(ctx context.Context, user string, name channel.Name, seq uint64) (read uint64, changed bool, err error) {
	var what, field string
	ok := true
	switch name.Kind() {
	case channel.KindRoom:
		what, field = "rooms:"+user, name.ID()
	case channel.KindDirect:
		what = "directs:" + user
		field, ok = name.Other(user)
	default:
		ok = false
	}
	if !ok {
		return 0, false, nil
	}
	results, err := e.askAll(ctx, e.client.B().Hget().Key(e.keys.fact(what)).Field(field).Build(), e.headCommand(name))
	if err != nil {
		return 0, false, err
	}
	side, err := results[0].ToString()
	if err != nil { // not in it
		return 0, false, nil
	}
	if read, _, err = parseSide(side); err != nil {
		return 0, false, err
	}
	h, err := parseHead(results[1])
	if up := min(seq, h.Tail.Seq); err != nil || up <= read { // a tail that was seen stays seen: it only grows
		return read, false, err
	}
	c := e.newFactsCall(readScript)
	c.arg(what, field, strconv.FormatUint(min(seq, h.Tail.Seq), 10))
	result, err := c.runFacts(ctx)
	if err != nil {
		return 0, false, err
	}
	now, err := result.AsIntSlice()
	if err != nil || len(now) != 2 { // left meanwhile
		return 0, false, err
	}
	return uint64(now[0]), now[1] == 1, nil
}
