package redis

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/engine/transfer"
	"parley/vote"
)

// Target is a Redis that something is copied to; see transfer.Target. Until the copy is finished no node serves it.
type Target struct {
	e    *Engine
	made map[string]int64 // by code: the order of votes
	last int64
}

var _ transfer.Target = (*Target)(nil)

// OpenTarget connects to a Redis to copy to.
func OpenTarget(ctx context.Context, addr string) (*Target, error) {
	e, err := connectOnly(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &Target{e: e, made: map[string]int64{}}, nil
}

// Begin implements transfer.Target.
func (t *Target) Begin(ctx context.Context, site string) error {
	e := t.e
	was, err := e.ask(ctx, e.client.B().Hget().Key(e.keys.copying()).Field("site").Build()).ToString()
	switch {
	case err == nil && was != site:
		return fmt.Errorf("%w: %s", transfer.ErrOther, e.address.shown)
	case err == nil:
		return nil
	case !isNil(err):
		return err
	}
	n, err := e.ask(ctx, e.client.B().Exists().Key(e.keys.fact("users"), e.keys.fact("secrets")).Build()).AsInt64()
	if err != nil {
		return err
	}
	channels, err := e.scan(ctx, "*", "c:")
	if err != nil {
		return err
	}
	if n > 0 || len(channels) > 0 {
		return fmt.Errorf("%w: %s with the prefix %q (another: ?prefix=…)", transfer.ErrOccupied, e.address.shown, e.address.prefix)
	}
	return e.ask(ctx, e.client.B().Hset().Key(e.keys.copying()).FieldValue().FieldValue("site", site).Build()).Error()
}

// Have implements transfer.Target.
func (t *Target) Have(ctx context.Context, name channel.Name) (uint64, error) {
	n, err := t.e.ask(ctx, t.e.client.B().Hget().Key(t.e.keys.copying()).Field(string(name)).Build()).AsUint64()
	if isNil(err) {
		return 0, nil
	}
	return n, err
}

// Put implements transfer.Target.
func (t *Target) Put(ctx context.Context, records ...any) error {
	var commands []rueidis.Completed
	arrived := map[string]string{}
	for _, r := range records {
		some, err := t.commands(r)
		if err != nil {
			return err
		}
		commands = append(commands, some...)
		if m, is := r.(transfer.Message); is {
			arrived[string(m.Channel)] = strconv.FormatUint(m.Seq, 10)
		}
	}
	// The stream has a message already where a Put was broken off.
	err := t.e.each(ctx, commands, func(err error) bool { return strings.Contains(err.Error(), "equal or smaller than the target stream") })
	if err != nil || len(arrived) == 0 {
		return err
	}
	note := t.e.client.B().Hset().Key(t.e.keys.copying()).FieldValue()
	for name, seq := range arrived {
		note = note.FieldValue(name, seq)
	}
	return t.e.ask(ctx, note.Build()).Error()
}

// commands make a record.
func (t *Target) commands(record any) ([]rueidis.Completed, error) {
	k := t.e.keys
	switch r := record.(type) {
	case transfer.Secret:
		return t.all(t.hset(k.fact("secrets"), r.Name, string(r.Value))), nil
	case transfer.AdminLink:
		return t.all(t.e.client.B().Set().Key(k.fact("link")).Value(string(r.Hash)).Build()), nil
	case transfer.User:
		all := t.all(t.hset(k.fact("users"), r.ID, strconv.FormatInt(r.Created, 10)+"\n"+r.Fold+"\n"+r.Name),
			t.zadd(k.fact("folds"), 0, r.Fold+"\x00"+r.ID), t.zadd(k.fact("seen"), r.Seen, r.ID))
		if r.Admin {
			all = append(all, t.sadd(k.fact("admins"), r.ID))
		}
		return all, nil
	case transfer.Room:
		sort := sortKey(r.Name, r.ID)
		all := t.all(t.hset(k.fact("room:"+r.ID), "name", r.Name, "topic", r.Topic, "private", flag(r.Private), "owner", r.Owner, "invite", r.Invite,
			"created", strconv.FormatInt(r.Created, 10), "sort", sort))
		if !r.Private {
			all = append(all, t.zadd(k.fact("public"), 0, sort))
		}
		if r.Owner != "" {
			all = append(all, t.sadd(k.fact("owned:"+r.Owner), r.ID))
		}
		return all, nil
	case transfer.Member:
		return t.all(t.sadd(k.fact("members:"+r.Room), r.User), t.hset(k.fact("rooms:"+r.User), r.Room, fmt.Sprintf("%d %d", r.Read, r.Joined))), nil
	case transfer.Direct:
		return t.all(t.hset(k.fact("directs:"+r.User), r.Other, fmt.Sprintf("%d %d %s", r.Read, r.Joined, r.Name))), nil
	case transfer.Vote:
		return t.vote(r), nil
	case transfer.Ballot:
		b := vote.Ballot{Voter: channel.Sender{ID: r.Voter, Name: r.Name}, Options: vote.OptionsOf(r.Options), At: time.UnixMilli(r.At)}
		return t.all(t.hset(k.ballots(r.Code), r.Voter, ballotText(b)), t.zadd(k.times(r.Code), r.At, r.Voter),
			t.zadd(k.votesOf(votePartition(r.Code), r.Voter), t.made[r.Code], r.Code)), nil
	case transfer.Message:
		return t.message(r), nil
	case transfer.Channel:
		return t.channel(r), nil
	}
	return nil, fmt.Errorf("a record of an unknown kind: %T", record)
}

func (t *Target) vote(r transfer.Vote) []rueidis.Completed {
	k, p := t.e.keys, votePartition(r.Code)
	t.last = max(t.last+1, r.Created*1000)
	t.made[r.Code] = t.last
	v := vote.Vote{Code: r.Code, Question: r.Question, Min: r.Min, Max: r.Max, Room: r.Room, Owner: channel.Sender{ID: r.Owner}, Change: r.Change, Named: r.Named,
		Results: vote.Results(r.Results), Open: r.Open, Created: time.UnixMilli(r.Created)}
	if r.Closes != 0 {
		v.Closes = time.UnixMilli(r.Closes)
	}
	for _, text := range r.Options {
		v.Options = append(v.Options, vote.Option{Text: text})
	}
	fields := []string{"def", define(v, r.OwnerName), "rev", channel.DrawID(), "made", strconv.FormatInt(t.last, 10), "version", strconv.FormatUint(r.Version, 10)}
	if r.Voters > 0 {
		fields = append(fields, "voters", strconv.Itoa(r.Voters))
	}
	for i, n := range r.Counts {
		if n != 0 {
			fields = append(fields, strconv.Itoa(i+1), strconv.Itoa(n))
		}
	}
	all := t.all(t.hset(k.vote(r.Code), fields...), t.zadd(k.votesOf(p, r.Owner), t.last, r.Code))
	if r.Room != "" {
		all = append(all, t.zadd(k.votesIn(p, r.Room), t.last, r.Code))
	}
	if due(v) != "" {
		all = append(all, t.zadd(k.deadlines(p), r.Closes, r.Code))
	}
	return all
}

func (t *Target) message(r transfer.Message) []rueidis.Completed {
	k, seq := t.e.keys, strconv.FormatUint(r.Seq, 10)
	meta := appendMeta(nil, &drawn{Draft: channel.Draft{Type: r.Type, From: r.From}, id: r.ID})
	value := fmt.Sprintf("%d %d %d %s%s", r.At.UnixMilli(), uint64(r.Prev), len(meta), meta, r.Data)
	all := t.all(t.zadd(k.names(partitionOf(r.Channel)), 0, string(r.Channel)))
	if r.Erased || len(r.Also) > 0 {
		var also []string
		for _, event := range r.Also {
			also = append(also, strconv.FormatUint(event, 10))
		}
		all = append(all, t.hset(k.amended(r.Channel), seq, fmt.Sprintf("%d %s %s\n%s", uint64(r.Mark), flag(r.Erased), strings.Join(also, ","), value)))
	} else {
		all = append(all, t.e.client.B().Xadd().Key(k.stream(r.Channel)).Id(fmt.Sprintf("%d-%d", r.Seq, uint64(r.Mark))).FieldValue().FieldValue("m", value).Build())
	}
	if left := time.Until(r.At.Add(keyLife)); r.Key != nil && left > 0 {
		content := base64.RawURLEncoding.EncodeToString(r.Key)
		all = append(all, t.e.client.B().Set().Key(k.idempotency(draftOf(&r.Message))).Value(fmt.Sprintf("%s %d %d %d", content, r.Seq, uint64(r.Mark), r.At.UnixMilli())).Px(left).Build())
	}
	return all
}

func (t *Target) channel(r transfer.Channel) []rueidis.Completed {
	k := t.e.keys
	if r.Deleted {
		all := t.all(t.hset(k.head(r.Name), "deleted", "1"))
		if r.Name.Kind() == channel.KindRoom {
			all = append(all, t.hset(k.fact("room:"+r.Name.ID()), "gone", "1"))
		}
		return all
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	fields := []string{"seq", number(r.Tail.Seq), "mark", number(uint64(r.Tail.Mark)), "at", strconv.FormatInt(r.At, 10)}
	if r.Floor.Seq > 0 {
		fields = append(fields, "floor", number(r.Floor.Seq), "floorMark", number(uint64(r.Floor.Mark)))
	}
	return t.all(t.hset(k.head(r.Name), fields...), t.zadd(k.names(partitionOf(r.Name)), 0, string(r.Name)))
}

// Finish lets nodes serve what is there.
func (t *Target) Finish(ctx context.Context) error {
	return t.e.ask(ctx, t.e.client.B().Del().Key(t.e.keys.copying()).Build()).Error()
}

// Close disconnects.
func (t *Target) Close() error {
	t.e.disconnect()
	return nil
}

func (t *Target) all(commands ...rueidis.Completed) []rueidis.Completed { return commands }

func (t *Target) hset(key string, pairs ...string) rueidis.Completed {
	set := t.e.client.B().Hset().Key(key).FieldValue()
	for i := 0; i < len(pairs); i += 2 {
		set = set.FieldValue(pairs[i], pairs[i+1])
	}
	return set.Build()
}

func (t *Target) zadd(key string, score int64, member string) rueidis.Completed {
	return t.e.client.B().Zadd().Key(key).ScoreMember().ScoreMember(float64(score), member).Build()
}

func (t *Target) sadd(key, member string) rueidis.Completed {
	return t.e.client.B().Sadd().Key(key).Member(member).Build()
}
