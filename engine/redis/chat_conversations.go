package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

var unreadScript = newScript(readsIt, "unread", "channel")

// unreadAtOnce is how many channels one script looks through: 1,000 messages of each at most.
const unreadAtOnce = 4

// parseSide reads what is kept of a membership or of a side of a direct conversation: "read joined", and the other's name.
func parseSide(text string) (read uint64, rest string, err error) {
	seq, rest, _ := strings.Cut(text, " ")
	read, err = strconv.ParseUint(seq, 10, 63)
	if err != nil {
		err = problem.Internal.Because(err)
	}
	return read, rest, err
}

// side is a conversation as far as its membership tells.
type side struct {
	chat.Conversation
	joined int64 // ms since 1970
}

func newSide(c chat.Conversation, text string) (*side, error) {
	s := &side{Conversation: c}
	var rest string
	var err error
	if s.Read, rest, err = parseSide(text); err != nil {
		return nil, err
	}
	joined, name, _ := strings.Cut(rest, " ")
	s.Name, s.With.Name = name, name
	s.joined, err = strconv.ParseInt(joined, 10, 64)
	return s, err
}

// Conversations lists what user is in, in two round trips; see chat.Store. On a cluster the second is one to each partition that has some of
// the channels.
func (e *Engine) Conversations(ctx context.Context, user string, limit int) ([]chat.Conversation, error) {
	rooms, directs, err := e.sides(ctx, user)
	if err != nil || len(rooms)+len(directs) == 0 {
		return nil, err
	}
	all := slices.Concat(rooms, directs)
	err = both(
		func() (err error) { rooms, err = e.nameRooms(ctx, rooms); return err },
		func() error { return e.nameOthers(ctx, directs) },
		func() error { return e.countUnread(ctx, user, all) },
	)
	if err != nil {
		return nil, err
	}
	all = slices.Concat(rooms, directs)
	slices.SortFunc(all, func(a, b *side) int {
		return cmp.Or(b.Active.Compare(a.Active), cmp.Compare(a.Channel, b.Channel))
	})
	list := make([]chat.Conversation, min(len(all), limit))
	for i := range list {
		list[i] = all[i].Conversation
	}
	return list, nil
}

// sides reads what user is in.
func (e *Engine) sides(ctx context.Context, user string) (rooms, directs []*side, err error) {
	results, err := e.askAll(ctx,
		e.client.B().Hgetall().Key(e.keys.fact("rooms:"+user)).Build(),
		e.client.B().Hgetall().Key(e.keys.fact("directs:"+user)).Build(),
		e.client.B().Hexists().Key(e.keys.fact("users")).Field(user).Build())
	if err != nil {
		return nil, nil, err
	}
	if is, err := results[2].AsBool(); err != nil || !is { // one who is being forgotten is in nothing
		return nil, nil, err
	}
	in, err1 := results[0].AsStrMap()
	with, err2 := results[1].AsStrMap()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, nil, problem.Internal.Because(err)
	}
	for id, text := range in {
		s, err := newSide(chat.Conversation{Kind: channel.KindRoom, Channel: channel.Room(id)}, text)
		if err != nil {
			return nil, nil, err
		}
		rooms = append(rooms, s)
	}
	for other, text := range with {
		s, err := newSide(chat.Conversation{Kind: channel.KindDirect, Channel: channel.Direct(user, other), Private: true, With: channel.Sender{ID: other}}, text)
		if err != nil {
			return nil, nil, err
		}
		directs = append(directs, s)
	}
	return rooms, directs, nil
}

// nameRooms fills in what rooms are, and leaves out those that are no more.
func (e *Engine) nameRooms(ctx context.Context, rooms []*side) ([]*side, error) {
	commands := make(rueidis.Commands, len(rooms))
	for i, s := range rooms {
		commands[i] = e.client.B().Hmget().Key(e.keys.fact("room:"+s.Channel.ID())).Field("name", "topic", "private").Build()
	}
	results, err := e.askAll(ctx, commands...)
	if err != nil {
		return nil, err
	}
	var there []*side
	for i, s := range rooms {
		fields, err := results[i].AsStrSlice()
		if err != nil || len(fields) != 3 {
			return nil, problem.Internal.Because(errRecord)
		}
		s.Name, s.Topic, s.Private = fields[0], fields[1], fields[2] == "1"
		if fields[2] != "" {
			there = append(there, s)
		}
	}
	return there, nil
}

// nameOthers fills in the current names of the other people; of those who are gone, the last known stays.
func (e *Engine) nameOthers(ctx context.Context, directs []*side) error {
	ids := make([]string, len(directs))
	for i, s := range directs {
		ids[i] = s.With.ID
	}
	names, err := e.names(ctx, ids)
	for _, s := range directs {
		if name, ok := names[s.With.ID]; ok {
			s.Name, s.With.Name = name, name
		}
	}
	return err
}

// countUnread fills in where the channels end, and what of them is unread.
func (e *Engine) countUnread(ctx context.Context, user string, all []*side) error {
	partitions := map[int][]*side{}
	for _, s := range all {
		p := partitionOf(s.Channel)
		partitions[p] = append(partitions[p], s)
	}
	var calls []*call
	var asked [][]*side
	for p, there := range partitions {
		for some := range slices.Chunk(there, unreadAtOnce) {
			calls, asked = append(calls, e.unreadCall(p, user, some)), append(asked, some)
		}
	}
	results, err := runTogether(ctx, calls)
	if err != nil {
		return err
	}
	for i, some := range asked {
		texts, err := results[i].AsStrSlice()
		if err != nil || len(texts) != len(some) {
			return problem.Internal.Because(errRecord)
		}
		for j, s := range some {
			var at int64
			if _, err := fmt.Sscan(texts[j], &s.Position.Seq, &s.Position.Mark, &at, &s.Unread); err != nil {
				return problem.Internal.Because(err)
			}
			s.Active = time.UnixMilli(max(at, s.joined)).UTC()
		}
	}
	return nil
}

func (e *Engine) unreadCall(partition int, user string, some []*side) *call {
	c := e.newCall(unreadScript, partition)
	c.arg(user)
	drafts := make([]channel.Draft, len(some))
	for i, s := range some {
		drafts[i].Channel = s.Channel
	}
	c.channels(drafts...)
	for _, s := range some {
		c.arg(strconv.FormatUint(s.Read, 10))
	}
	return c
}

// together does n things at once.
func together(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// both does several things at once, and returns the first error among them.
func both(do ...func() error) error {
	errs := make([]error, len(do))
	together(len(do), func(i int) { errs[i] = do[i]() })
	return cmp.Or(errs...)
}
