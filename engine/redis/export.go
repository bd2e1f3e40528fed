package redis

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/engine/transfer"
	"parley/vote"
)

// Source is a Redis that is copied; see transfer.Source.
type Source struct{ e *Engine }

var _ transfer.Source = (*Source)(nil)

// OpenSource connects to a Redis to copy what is in it.
func OpenSource(ctx context.Context, addr string) (*Source, error) {
	e, err := connectOnly(ctx, addr)
	if err != nil {
		return nil, err
	}
	if err := e.quiet(ctx); err != nil {
		e.disconnect()
		return nil, err
	}
	return &Source{e}, nil
}

// Close disconnects.
func (s *Source) Close() error {
	s.e.disconnect()
	return nil
}

// quiet returns an error if a site is being copied here, or some operation has steps left.
func (e *Engine) quiet(ctx context.Context) error {
	if err := e.checkCopying(ctx); err != nil {
		return err
	}
	left := []rueidis.Completed{e.client.B().Hlen().Key(e.keys.fact("ending")).Build()}
	for p := range Partitions {
		left = append(left, e.client.B().Hlen().Key(e.keys.outbox(p)).Build())
	}
	results, err := e.askAll(ctx, left...)
	for _, r := range results {
		if n, _ := r.AsInt64(); n > 0 && err == nil {
			err = transfer.ErrUnready
		}
	}
	return err
}

// Size counts; see transfer.Source.
func (s *Source) Size(ctx context.Context) (size transfer.Size, err error) {
	e := s.e
	if size.Users, err = e.ask(ctx, e.client.B().Hlen().Key(e.keys.fact("users")).Build()).AsInt64(); err != nil {
		return size, err
	}
	rooms, err := s.rooms(ctx)
	if err != nil {
		return size, err
	}
	size.Rooms = int64(len(rooms))
	names, heads, err := s.heads(ctx)
	if err != nil {
		return size, err
	}
	for i, name := range names {
		if heads[i].Deleted {
			continue
		}
		size.Messages += int64(heads[i].Tail.Seq - heads[i].Floor.Seq)
		if name.Kind() == channel.KindVote {
			size.Votes++
			n, err := e.ask(ctx, e.client.B().Hlen().Key(e.keys.ballots(name.ID())).Build()).AsInt64()
			if err != nil {
				return size, err
			}
			size.Ballots += n
		}
	}
	return size, nil
}

// heads finds all channels, also deleted ones, which are in no list.
func (s *Source) heads(ctx context.Context) (names []channel.Name, heads []channel.Head, err error) {
	found, err := s.e.scan(ctx, "*", "c:")
	if err != nil {
		return nil, nil, err
	}
	tails := make([]channel.Tail, len(found))
	for i, name := range found {
		names = append(names, channel.Name(name))
		tails[i].Channel = names[i]
	}
	for some := range slices.Chunk(tails, sweepChannels) {
		these, err := s.e.heads(ctx, some)
		if err != nil {
			return nil, nil, err
		}
		heads = append(heads, these...)
	}
	return names, heads, nil
}

// Export tells all records; see transfer.Source.
func (s *Source) Export(ctx context.Context, have func(channel.Name) (uint64, error), put func(...any) error) error {
	for _, part := range []func(context.Context, func(...any) error) error{s.secrets, s.people, s.votes} {
		if err := part(ctx, put); err != nil {
			return err
		}
	}
	names, heads, err := s.heads(ctx)
	if err != nil {
		return err
	}
	for i, name := range names {
		x := transfer.Channel{Name: name, Floor: heads[i].Floor, Tail: heads[i].Tail, Deleted: heads[i].Deleted}
		if !x.Deleted {
			from, err := have(name)
			if err != nil {
				return err
			}
			if err := s.messages(ctx, x, max(from, x.Floor.Seq), put); err != nil {
				return err
			}
			at, err := s.e.ask(ctx, s.e.client.B().Hget().Key(s.e.keys.head(name)).Field("at").Build()).AsInt64()
			if err != nil && !isNil(err) {
				return err
			}
			x.At = at
		}
		if err := put(x); err != nil {
			return err
		}
	}
	return s.e.unserved(ctx) // that one came meanwhile would spoil the copy
}

func (s *Source) secrets(ctx context.Context, put func(...any) error) error {
	secrets, err := s.e.ask(ctx, s.e.client.B().Hgetall().Key(s.e.keys.fact("secrets")).Build()).AsStrMap()
	if err != nil {
		return err
	}
	for name, value := range secrets {
		if err := put(transfer.Secret{Name: name, Value: []byte(value)}); err != nil {
			return err
		}
	}
	link, err := s.e.ask(ctx, s.e.client.B().Get().Key(s.e.keys.fact("link")).Build()).ToString()
	if err == nil {
		return put(transfer.AdminLink{Hash: []byte(link)})
	}
	if isNil(err) {
		return nil
	}
	return err
}

// rooms are the ids of the rooms that are not deleted.
func (s *Source) rooms(ctx context.Context) (ids []string, err error) {
	found, err := s.e.scan(ctx, tags()[facts], "room:")
	if err != nil {
		return nil, err
	}
	for _, id := range found {
		is, err := s.e.ask(ctx, s.e.client.B().Hexists().Key(s.e.keys.fact("room:"+id)).Field("name").Build()).AsBool()
		if err != nil {
			return nil, err
		}
		if is {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// people tells users, rooms, and who is in what.
func (s *Source) people(ctx context.Context, put func(...any) error) error {
	e := s.e
	ids, err := e.ask(ctx, e.client.B().Hkeys().Key(e.keys.fact("users")).Build()).AsStrSlice()
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, stepFacts) {
		users, err := e.usersByID(ctx, some...)
		if err != nil {
			return err
		}
		records, err := e.ask(ctx, e.client.B().Hmget().Key(e.keys.fact("users")).Field(some...).Build()).AsStrSlice()
		if err != nil || len(users) != len(some) {
			return errors.Join(err, transfer.ErrUnready)
		}
		for i, u := range users {
			fold := strings.SplitN(records[i], "\n", 3)[1]
			if err := put(transfer.User{ID: u.ID, Name: u.Name, Fold: fold, Admin: u.Admin, Created: u.Created.UnixMilli(), Seen: u.Seen.UnixMilli()}); err != nil {
				return err
			}
		}
	}
	rooms, err := s.rooms(ctx)
	if err != nil {
		return err
	}
	for _, id := range rooms {
		f, err := e.ask(ctx, e.client.B().Hgetall().Key(e.keys.fact("room:"+id)).Build()).AsStrMap()
		if err != nil {
			return err
		}
		created, err := strconv.ParseInt(f["created"], 10, 64)
		if err := errors.Join(err, put(transfer.Room{ID: id, Name: f["name"], Topic: f["topic"], Private: f["private"] == "1", Owner: f["owner"], Invite: f["invite"], Created: created})); err != nil {
			return err
		}
	}
	for _, id := range ids {
		in, with, err := e.sides(ctx, id)
		if err != nil {
			return err
		}
		for _, x := range in {
			if err := put(transfer.Member{Room: x.Channel.ID(), User: id, Read: x.Read, Joined: x.joined}); err != nil {
				return err
			}
		}
		for _, x := range with {
			if err := put(transfer.Direct{User: id, Other: x.With.ID, Name: x.Name, Read: x.Read, Joined: x.joined}); err != nil {
				return err
			}
		}
	}
	return nil
}

// votes tells votes in the order in which they were made, with their ballots.
func (s *Source) votes(ctx context.Context, put func(...any) error) error {
	codes, err := s.e.VoteCodes(ctx)
	if err != nil {
		return err
	}
	type made struct {
		transfer.Vote
		at int64
	}
	var all []made
	for _, code := range codes {
		f, err := s.e.ask(ctx, s.e.client.B().Hgetall().Key(s.e.keys.vote(code)).Build()).AsStrMap()
		if err != nil {
			return err
		}
		kept, err := parseVote(code, f)
		if err != nil {
			return err
		}
		x := transfer.Vote{Code: code, Question: kept.Question, Voters: kept.Voters, Min: kept.Min, Max: kept.Max, Room: kept.Room, Owner: kept.Owner.ID, OwnerName: kept.owner,
			Change: kept.Change, Named: kept.Named, Results: string(kept.Results), Open: kept.Open, Created: kept.Created.UnixMilli(), Version: kept.Version}
		if !kept.Closes.IsZero() {
			x.Closes = kept.Closes.UnixMilli()
		}
		for _, o := range kept.Options {
			x.Options, x.Counts = append(x.Options, o.Text), append(x.Counts, o.Count)
		}
		at, err := strconv.ParseInt(f["made"], 10, 64)
		if err != nil {
			return err
		}
		all = append(all, made{x, at})
	}
	slices.SortFunc(all, func(a, b made) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.Code, b.Code)) })
	for _, v := range all {
		if err := put(v.Vote); err != nil {
			return err
		}
		texts, err := s.e.ask(ctx, s.e.client.B().Hgetall().Key(s.e.keys.ballots(v.Code)).Build()).AsStrMap()
		if err != nil {
			return err
		}
		var ballots []any
		for voter, text := range texts {
			b, err := parseBallot(v.Code, voter, text)
			if err != nil {
				return err
			}
			ballots = append(ballots, transfer.Ballot{Code: v.Code, Voter: voter, Name: b.Voter.Name, Options: vote.OptionBits(b.Options), At: b.At.UnixMilli()})
		}
		if err := put(ballots...); err != nil {
			return err
		}
	}
	return nil
}

// messages tells the messages of a channel after a seq.
func (s *Source) messages(ctx context.Context, c transfer.Channel, after uint64, put func(...any) error) error {
	e := s.e
	amended, err := e.ask(ctx, e.client.B().Hgetall().Key(e.keys.amended(c.Name)).Build()).AsStrMap()
	if err != nil {
		return err
	}
	also, amends := map[uint64][]uint64{}, map[uint64]uint64{}
	for text, kept := range amended {
		seq, _ := strconv.ParseUint(text, 10, 64)
		header, _, _ := strings.Cut(kept, "\n")
		for _, text := range strings.Split(header[strings.LastIndexByte(header, ' ')+1:], ",") {
			if event, err := strconv.ParseUint(text, 10, 64); err == nil {
				also[seq], amends[event] = append(also[seq], event), seq
			}
		}
	}
	for after < c.Tail.Seq {
		last := min(after+readAtOnce, c.Tail.Seq)
		found, err := entriesOf(c.Name, e.ask(ctx, e.client.B().Xrange().Key(e.keys.stream(c.Name)).Start(strconv.FormatUint(after+1, 10)).End(strconv.FormatUint(last, 10)).Build()))
		if err != nil {
			return err
		}
		all, err := e.fill(ctx, c.Name, after+1, last, found)
		if err != nil {
			return err
		}
		var records []any
		for _, m := range all {
			x := transfer.Message{Message: m.Message, Erased: m.erased, Amends: amends[m.Seq], Also: also[m.Seq]}
			if time.Since(m.At) < keyLife {
				if x.Key, err = s.key(ctx, &x.Message); err != nil {
					return err
				}
			}
			records = append(records, x)
		}
		if err := put(records...); err != nil {
			return err
		}
		after = last
	}
	return nil
}

// key is the content that was remembered with the key of a message, if its id is one.
func (s *Source) key(ctx context.Context, m *channel.Message) ([]byte, error) {
	kept, err := s.e.ask(ctx, s.e.client.B().Get().Key(s.e.keys.idempotency(draftOf(m))).Build()).ToString()
	if isNil(err) {
		return nil, nil
	}
	content, receipt, _ := strings.Cut(kept, " ")
	if err != nil || !strings.HasPrefix(receipt, strconv.FormatUint(m.Seq, 10)+" ") {
		return nil, err
	}
	return base64.RawURLEncoding.DecodeString(content)
}
