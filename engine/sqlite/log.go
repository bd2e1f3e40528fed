package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"parley/channel"
)

// Messages are kept in the order they came, whatever their channel, with a narrow index that finds them by position:
// appending to thousands of channels then writes the same few pages as appending to one.
//
// The tail of a channel is its newest message, or, if retention removed them all, its floor.
const logSchema = `
CREATE TABLE IF NOT EXISTS channels (
	id         INTEGER PRIMARY KEY,
	name       TEXT    NOT NULL UNIQUE,
	floor      INTEGER NOT NULL DEFAULT 0, -- seq of the newest message that retention removed
	floor_mark INTEGER NOT NULL DEFAULT 0,
	deleted    INTEGER NOT NULL DEFAULT 0  -- 1: yes, and messages are left to remove; 2: yes, and they are gone
);
CREATE INDEX IF NOT EXISTS channels_deleted ON channels (deleted) WHERE deleted = 1;
CREATE TABLE IF NOT EXISTS messages (
	pk      INTEGER PRIMARY KEY,
	channel INTEGER NOT NULL,
	seq     INTEGER NOT NULL,
	mark    INTEGER NOT NULL,
	prev    INTEGER NOT NULL, -- mark of the message before
	id      TEXT    NOT NULL,
	type    TEXT    NOT NULL,
	sender  TEXT    NOT NULL,
	name    TEXT    NOT NULL, -- of the sender, then
	at      INTEGER NOT NULL, -- ms since 1970
	erased  INTEGER NOT NULL DEFAULT 0,
	amends  INTEGER,          -- seq of the message that this event changed
	data    TEXT    NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS messages_position ON messages (channel, seq);
CREATE INDEX IF NOT EXISTS messages_amends ON messages (channel, amends) WHERE amends IS NOT NULL;
` + keysSchema

// head is what one look tells about a channel.
type head struct {
	id int64 // 0: absent
	channel.Head
}

// headQuery asks for a channel's head, by name, with the mark at a seq. One statement sees one state of the file.
const headQuery = `SELECT c.id, c.deleted <> 0, c.floor, c.floor_mark, t.seq, t.mark, (SELECT mark FROM messages WHERE channel = c.id AND seq = ?2)
FROM channels c LEFT JOIN messages t ON t.channel = c.id AND t.seq = (SELECT max(seq) FROM messages WHERE channel = c.id)
WHERE c.name = ?1`

func scanHead(r scanner) (h head, err error) {
	var seq, mark, at *int64
	err = r.Scan(&h.id, &h.Deleted, &h.Floor.Seq, &h.Floor.Mark, &seq, &mark, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return head{}, nil
	}
	if err != nil {
		return head{}, err
	}
	if h.Tail = h.Floor; seq != nil {
		h.Tail = channel.Position{Seq: uint64(*seq), Mark: channel.Mark(*mark)}
	}
	if at != nil {
		h.At = channel.Mark(*at)
	}
	return h, nil
}

func (e *Engine) head(ctx context.Context, name channel.Name, at uint64) (head, error) {
	h, err := scanHead(e.readRow(ctx, headQuery, string(name), int64(at)))
	return h, e.readError(err)
}

// Tail is the position of the newest message; see channel.Log.
func (e *Engine) Tail(ctx context.Context, name channel.Name) (channel.Position, error) {
	h, err := e.head(ctx, name, 0)
	return h.Tail, err
}

// Delete removes a channel for good; see channel.Log. Its messages can be read no more at once, and leave the file
// in the background.
func (e *Engine) Delete(ctx context.Context, name channel.Name) error {
	return e.write(ctx, func(t *tx) error { return t.deleteChannel(name) })
}

// deleteChannel deletes a channel, even one that does not exist yet. Once it is deleted nothing more happens.
func (t *tx) deleteChannel(name channel.Name) error {
	if t.w.e.o.Tool {
		return errTool
	}
	known, err := t.tail(name)
	if err != nil || known.deleted {
		return err
	}
	if known.id == 0 {
		if known.id, err = t.insertChannel(name); err != nil {
			return err
		}
	}
	if _, err := t.exec("UPDATE channels SET deleted = 1 WHERE id = ?", known.id); err != nil {
		return err
	}
	known.deleted = true
	t.deleted = append(t.deleted, name)
	return nil
}

// Signal hands s to the sink at once.
func (e *Engine) Signal(ctx context.Context, s channel.Signal) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.sink != nil {
		e.sink.Signalled(s)
	}
	return nil
}
