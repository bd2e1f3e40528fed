package sqlite

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"parley/channel"
	"parley/engine/transfer"
)

// incoming is what is behind the name of a database that is being copied to, until all is there.
const incoming = ".incoming"

// Target is a database that something is copied to; see transfer.Target. It has its name only when the copy is finished, so that nobody serves a part.
type Target struct {
	e    *Engine
	path string
	lock *lock // of the name that it will have
}

var _ transfer.Target = (*Target)(nil)

// OpenTarget makes a database to copy to, or opens one of a copy that was broken off. Where there is a finished one it returns
// transfer.ErrOccupied.
func OpenTarget(path string) (_ *Target, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	t := &Target{path: path}
	if t.lock, err = acquire(path + ".lock"); err != nil {
		return nil, fmt.Errorf("%w: %w", transfer.ErrServed, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("%w: %s", transfer.ErrOccupied, path), err, t.lock.release())
	}
	if t.e, err = Open(path+incoming, Options{SweepEvery: -1, unsearched: true}); err != nil {
		return nil, errors.Join(err, t.lock.release())
	}
	return t, nil
}

// Begin implements transfer.Target.
func (t *Target) Begin(ctx context.Context, site string) error {
	return t.e.write(ctx, func(x *tx) error {
		if _, err := x.exec("CREATE TABLE IF NOT EXISTS copying (site TEXT NOT NULL)"); err != nil {
			return err
		}
		var was string
		var begun bool
		if err := x.queryRow("SELECT count(*) > 0, coalesce(max(site), '') FROM copying").Scan(&begun, &was); err != nil {
			return err
		}
		if begun && was != site {
			return fmt.Errorf("%w: %s", transfer.ErrOther, t.path+incoming)
		}
		if begun {
			return nil
		}
		_, err := x.exec("INSERT INTO copying (site) VALUES (?)", site)
		return err
	})
}

// Have implements transfer.Target.
func (t *Target) Have(ctx context.Context, name channel.Name) (seq uint64, err error) {
	err = t.e.readRow(ctx, "SELECT coalesce(max(m.seq), 0) FROM channels c JOIN messages m ON m.channel = c.id WHERE c.name = ?", string(name)).Scan(&seq)
	return seq, err
}

// Put implements transfer.Target: all records in one transaction.
func (t *Target) Put(ctx context.Context, records ...any) error {
	return t.e.write(ctx, func(x *tx) error {
		for _, r := range records {
			if err := x.put(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) put(record any) (err error) {
	switch r := record.(type) {
	case transfer.Secret:
		_, err = t.exec("INSERT OR REPLACE INTO secrets (name, value) VALUES (?, ?)", r.Name, r.Value)
	case transfer.AdminLink:
		_, err = t.exec("INSERT OR REPLACE INTO admin_link (one, hash) VALUES (1, ?)", r.Hash)
	case transfer.User:
		_, err = t.exec("INSERT OR IGNORE INTO users (id, name, fold, admin, created, seen) VALUES (?, ?, ?, ?, ?, ?)", r.ID, r.Name, r.Fold, r.Admin, r.Created, r.Seen)
	case transfer.Room:
		_, err = t.exec("INSERT OR IGNORE INTO rooms (id, name, topic, private, owner, invite, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
			r.ID, r.Name, r.Topic, r.Private, r.Owner, r.Invite, r.Created)
	case transfer.Member:
		_, err = t.exec("INSERT OR IGNORE INTO members (room, user, read, joined) VALUES (?, ?, ?, ?)", r.Room, r.User, int64(r.Read), r.Joined)
	case transfer.Direct:
		_, err = t.exec("INSERT OR IGNORE INTO directs (user, other, name, read, joined) VALUES (?, ?, ?, ?, ?)", r.User, r.Other, r.Name, int64(r.Read), r.Joined)
	case transfer.Vote:
		err = t.putVote(r)
	case transfer.Ballot:
		_, err = t.exec("INSERT OR IGNORE INTO ballots (vote, voter, name, options, at) SELECT id, ?, ?, ?, ? FROM votes WHERE code = ?",
			r.Voter, r.Name, int64(r.Options), r.At, r.Code)
	case transfer.Message:
		err = t.putMessage(r)
	case transfer.Channel:
		deleted := 0
		if r.Deleted {
			deleted = 2
		}
		_, err = t.exec(`INSERT INTO channels (name, floor, floor_mark, deleted) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET floor = excluded.floor, floor_mark = excluded.floor_mark, deleted = excluded.deleted`,
			string(r.Name), int64(r.Floor.Seq), int64(r.Floor.Mark), deleted)
	default:
		err = fmt.Errorf("a record of an unknown kind: %T", record)
	}
	return err
}

func (t *tx) putVote(r transfer.Vote) error {
	options, _ := json.Marshal(r.Options) // of strings and numbers: cannot fail
	counts, _ := json.Marshal(r.Counts)
	var closes any
	if r.Closes != 0 {
		closes = r.Closes
	}
	_, err := t.exec(`INSERT OR IGNORE INTO votes (code, question, options, counts, voters, min, max, room, owner, owner_name, change, named, results, open, closes,
		created, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Code, r.Question, string(options), string(counts), r.Voters, r.Min, r.Max, r.Room, r.Owner, r.OwnerName, r.Change, r.Named, r.Results, r.Open, closes,
		r.Created, int64(r.Version))
	return err
}

func (t *tx) putMessage(r transfer.Message) error {
	if _, err := t.exec("INSERT OR IGNORE INTO channels (name) VALUES (?)", string(r.Channel)); err != nil {
		return err
	}
	var amends any
	if r.Amends != 0 {
		amends = int64(r.Amends)
	}
	_, err := t.exec(`INSERT OR IGNORE INTO messages (channel, seq, mark, prev, id, type, sender, name, at, erased, amends, data)
		SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM channels WHERE name = ?`,
		int64(r.Seq), int64(r.Mark), int64(r.Prev), r.ID, r.Type, r.From.ID, r.From.Name, r.At.UnixMilli(), r.Erased, amends, string(r.Data), string(r.Channel))
	if err != nil || r.Key == nil {
		return err
	}
	_, err = t.exec("INSERT OR IGNORE INTO keys (day, key, content, seq, mark, at) VALUES (?, ?, ?, ?, ?, ?)", day(r.At),
		(&channel.Draft{Channel: r.Channel, From: r.From, Key: r.ID}).KeyHash(), int64(binary.BigEndian.Uint64(r.Key)), int64(r.Seq), int64(r.Mark), r.At.UnixMilli())
	return err
}

// contentBytes is the hash of a key's content as other engines have it.
func contentBytes(content int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(content)) }

// Finish gives the database its name.
func (t *Target) Finish(ctx context.Context) error {
	err := t.e.write(ctx, func(x *tx) error {
		_, err := x.exec("DROP TABLE copying")
		return err
	})
	if err := errors.Join(err, t.e.Close()); err != nil { // which moves everything from the write-ahead log into the file
		return err
	}
	return os.Rename(t.path+incoming, t.path)
}

// Close closes it. What has arrived stays, to be taken up again.
func (t *Target) Close() error { return errors.Join(t.e.Close(), t.lock.release()) }
