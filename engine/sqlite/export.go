package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"parley/channel"
	"parley/engine/transfer"
)

// Source is a database that is copied; see transfer.Source. While it is open, no server can use it.
type Source struct{ e *Engine }

var _ transfer.Source = (*Source)(nil)

// OpenSource opens a database to copy it. Errors: those of Open, and that there is none.
func OpenSource(path string) (*Source, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	e, err := Open(path, Options{SweepEvery: -1, unsearched: true})
	if errors.Is(err, ErrInUse) {
		return nil, fmt.Errorf("%w: %w", transfer.ErrServed, err)
	}
	if err != nil {
		return nil, err
	}
	return &Source{e}, nil
}

// Close closes it.
func (s *Source) Close() error { return s.e.Close() }

// Size counts; see transfer.Source.
func (s *Source) Size(ctx context.Context) (size transfer.Size, err error) {
	err = s.e.readRow(ctx, `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM rooms), (SELECT count(*) FROM votes), (SELECT count(*) FROM ballots),
		(SELECT count(*) FROM messages m JOIN channels c ON c.id = m.channel WHERE c.deleted = 0)`).
		Scan(&size.Users, &size.Rooms, &size.Votes, &size.Ballots, &size.Messages)
	return size, err
}

// each calls row for every row of a query.
func (s *Source) each(ctx context.Context, row func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.e.readRows(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Export tells all records; see transfer.Source.
func (s *Source) Export(ctx context.Context, have func(channel.Name) (uint64, error), put func(...any) error) error {
	for _, part := range []func() error{
		func() error {
			return s.each(ctx, func(r *sql.Rows) error {
				var x transfer.Secret
				return errors.Join(r.Scan(&x.Name, &x.Value), put(x))
			}, "SELECT name, value FROM secrets ORDER BY name")
		},
		func() error {
			return s.each(ctx, func(r *sql.Rows) error {
				var x transfer.AdminLink
				return errors.Join(r.Scan(&x.Hash), put(x))
			}, "SELECT hash FROM admin_link")
		},
		func() error {
			return s.each(ctx, func(r *sql.Rows) error {
				var x transfer.User
				return errors.Join(r.Scan(&x.ID, &x.Name, &x.Fold, &x.Admin, &x.Created, &x.Seen), put(x))
			}, "SELECT id, name, fold, admin, created, seen FROM users")
		},
		func() error {
			return s.each(ctx, func(r *sql.Rows) error {
				var x transfer.Room
				return errors.Join(r.Scan(&x.ID, &x.Name, &x.Topic, &x.Private, &x.Owner, &x.Invite, &x.Created), put(x))
			}, "SELECT id, name, topic, private, owner, invite, created FROM rooms")
		},
		func() error {
			return s.each(ctx, func(r *sql.Rows) error {
				var x transfer.Member
				return errors.Join(r.Scan(&x.Room, &x.User, &x.Read, &x.Joined), put(x))
			}, "SELECT room, user, read, joined FROM members")
		},
		func() error {
			return s.each(ctx, func(r *sql.Rows) error {
				var x transfer.Direct
				return errors.Join(r.Scan(&x.User, &x.Other, &x.Name, &x.Read, &x.Joined), put(x))
			}, "SELECT user, other, name, read, joined FROM directs")
		},
		func() error { return s.votes(ctx, put) },
		func() error { return s.channels(ctx, have, put) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) votes(ctx context.Context, put func(...any) error) error {
	var ids []int64
	var all []transfer.Vote
	err := s.each(ctx, func(r *sql.Rows) error {
		var x transfer.Vote
		var id int64
		var options, counts string
		var closes sql.NullInt64
		err := r.Scan(&id, &x.Code, &x.Question, &options, &counts, &x.Voters, &x.Min, &x.Max, &x.Room, &x.Owner, &x.OwnerName, &x.Change, &x.Named,
			&x.Results, &x.Open, &closes, &x.Created, &x.Version)
		x.Closes = closes.Int64
		ids, all = append(ids, id), append(all, x)
		last := &all[len(all)-1]
		return errors.Join(err, json.Unmarshal([]byte(options), &last.Options), json.Unmarshal([]byte(counts), &last.Counts))
	}, `SELECT id, code, question, options, counts, voters, min, max, room, owner, owner_name, change, named, results, open, closes, created, version
		FROM votes ORDER BY id`)
	for i := 0; err == nil && i < len(all); i++ {
		if err = put(all[i]); err != nil {
			break
		}
		err = s.each(ctx, func(r *sql.Rows) error {
			x := transfer.Ballot{Code: all[i].Code}
			return errors.Join(r.Scan(&x.Voter, &x.Name, &x.Options, &x.At), put(x))
		}, "SELECT voter, name, options, at FROM ballots WHERE vote = ? ORDER BY at, voter", ids[i])
	}
	return err
}

func (s *Source) channels(ctx context.Context, have func(channel.Name) (uint64, error), put func(...any) error) error {
	names, err := texts(s.e.readRows(ctx, "SELECT name FROM channels ORDER BY name"))
	if err != nil {
		return err
	}
	for _, name := range names {
		h, err := s.e.head(ctx, channel.Name(name), 0)
		if err != nil {
			return err
		}
		x := transfer.Channel{Name: channel.Name(name), Floor: h.Floor, Tail: h.Tail, Deleted: h.Deleted}
		if !h.Deleted {
			from, err := have(x.Name)
			if err != nil {
				return err
			}
			if err := s.messages(ctx, h.id, x.Name, from, put); err != nil {
				return err
			}
			err = s.e.readRow(ctx, "SELECT at FROM messages WHERE channel = ? AND seq = ?", h.id, int64(h.Tail.Seq)).Scan(&x.At)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if err := put(x); err != nil {
			return err
		}
	}
	return nil
}

// messages tells the messages of a channel after a seq.
func (s *Source) messages(ctx context.Context, id int64, name channel.Name, after uint64, put func(...any) error) error {
	also := map[uint64][]uint64{} // the events of each message that was amended
	err := s.each(ctx, func(r *sql.Rows) error {
		var seq, amends uint64
		err := r.Scan(&seq, &amends)
		also[amends] = append(also[amends], seq)
		return err
	}, "SELECT seq, amends FROM messages WHERE channel = ? AND amends IS NOT NULL ORDER BY seq", id)
	if err != nil {
		return err
	}
	today := day(s.e.o.Clock())
	return s.each(ctx, func(r *sql.Rows) error {
		x := transfer.Message{Message: channel.Message{Channel: name}}
		var at int64
		var data string
		err := r.Scan(&x.Seq, &x.Mark, &x.Prev, &x.ID, &x.Type, &x.From.ID, &x.From.Name, &at, &x.Erased, &x.Amends, &data)
		x.At, x.Data, x.Also = time.UnixMilli(at).UTC(), []byte(data), also[x.Seq]
		if err == nil && day(x.At) >= today-1 {
			x.Key, err = s.key(ctx, &x.Message, today)
		}
		return errors.Join(err, put(x))
	}, "SELECT seq, mark, prev, id, type, sender, name, at, erased, coalesce(amends, 0), data FROM messages WHERE channel = ? AND seq > ? ORDER BY seq", id, int64(after))
}

// key is the content that was remembered with the key of a message, if its id is one.
func (s *Source) key(ctx context.Context, m *channel.Message, today int64) ([]byte, error) {
	key := (&channel.Draft{Channel: m.Channel, From: m.From, Key: m.ID}).KeyHash()
	var content int64
	err := s.e.readRow(ctx, "SELECT content FROM keys WHERE day IN (?, ?, ?) AND key = ? AND seq = ?", today-1, today, today+1, key, int64(m.Seq)).Scan(&content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return contentBytes(content), err
}
