package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/identity"
)

// Names of people are not stored here but joined from users, so they are the current ones; directs keeps the last name
// of one who was deleted. Triggers count members and end what a deleted user had, whoever deletes.
const chatSchema = `
CREATE TABLE IF NOT EXISTS rooms (
	id      TEXT    PRIMARY KEY,
	name    TEXT    NOT NULL,
	topic   TEXT    NOT NULL,
	private INTEGER NOT NULL,
	owner   TEXT    NOT NULL, -- '': none
	invite  TEXT    NOT NULL, -- '': none
	members INTEGER NOT NULL DEFAULT 0,
	created INTEGER NOT NULL  -- ms since 1970
);
CREATE INDEX IF NOT EXISTS rooms_owner ON rooms (owner);
CREATE TABLE IF NOT EXISTS members (
	room   TEXT    NOT NULL,
	user   TEXT    NOT NULL,
	read   INTEGER NOT NULL, -- seq up to which they have read
	joined INTEGER NOT NULL, -- ms since 1970
	PRIMARY KEY (room, user)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_user ON members (user);
CREATE TABLE IF NOT EXISTS directs ( -- one row for each side of a direct conversation
	user   TEXT    NOT NULL,
	other  TEXT    NOT NULL,
	name   TEXT    NOT NULL, -- of other, when it was last noted
	read   INTEGER NOT NULL,
	joined INTEGER NOT NULL,
	PRIMARY KEY (user, other)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS directs_other ON directs (other);
CREATE TRIGGER IF NOT EXISTS members_added AFTER INSERT ON members BEGIN
	UPDATE rooms SET members = members + 1 WHERE id = new.room;
END;
CREATE TRIGGER IF NOT EXISTS members_removed AFTER DELETE ON members BEGIN
	UPDATE rooms SET members = members - 1 WHERE id = old.room;
END;
CREATE TRIGGER IF NOT EXISTS users_leave_chat AFTER DELETE ON users BEGIN
	DELETE FROM members WHERE user = old.id;
	DELETE FROM directs WHERE user = old.id;
	UPDATE directs SET name = old.name WHERE other = old.id;
	UPDATE rooms SET owner = '' WHERE owner = old.id;
END;
`

const roomQuery = `
SELECT r.id, r.name, r.topic, r.private, r.owner, coalesce(o.name, ''), r.invite, r.members, r.created, m.user IS NOT NULL
FROM rooms r LEFT JOIN users o ON o.id = r.owner LEFT JOIN members m ON m.room = r.id AND m.user = ?1 `

func scanRoom(r interface{ Scan(...any) error }) (chat.Room, error) {
	var room chat.Room
	var created int64
	err := r.Scan(&room.ID, &room.Name, &room.Topic, &room.Private, &room.Owner.ID, &room.Owner.Name, &room.Invite, &room.Members, &created, &room.Joined)
	room.Created = time.UnixMilli(created).UTC()
	return room, err
}

// CreateRoom makes a room; see chat.Store.
func (e *Engine) CreateRoom(ctx context.Context, r chat.Room, drafts ...channel.Draft) error {
	return e.write(ctx, func(t *tx) error {
		to, err := t.tail(r.Channel())
		if err != nil {
			return err
		}
		there, err := t.has("SELECT 1 FROM rooms WHERE id = ?", r.ID)
		if err != nil {
			return err
		}
		if there || to.deleted {
			return chat.ErrRoomExists
		}
		if r.Owner.ID != "" {
			if err := t.mustHaveUser(r.Owner.ID); err != nil {
				return err
			}
		}
		if _, err := t.exec("INSERT INTO rooms (id, name, topic, private, owner, invite, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
			r.ID, r.Name, r.Topic, r.Private, r.Owner.ID, r.Invite, r.Created.UnixMilli()); err != nil {
			return err
		}
		if r.Owner.ID != "" {
			if err := t.insertMember(r.ID, r.Owner.ID, to.end.Seq); err != nil {
				return err
			}
		}
		_, err = t.appendAll(drafts)
		return err
	})
}

// Room returns a room as viewer sees it; see chat.Store.
func (e *Engine) Room(ctx context.Context, id, viewer string) (chat.Room, error) {
	r, err := scanRoom(e.readRow(ctx, roomQuery+"WHERE r.id = ?2", viewer, id))
	if errors.Is(err, sql.ErrNoRows) {
		return chat.Room{}, chat.ErrNoRoom
	}
	return r, e.readError(err)
}

// Rooms lists public rooms and viewer's; see chat.Store.
func (e *Engine) Rooms(ctx context.Context, viewer string, limit int) ([]chat.Room, error) {
	rows, err := e.readRows(ctx, roomQuery+"WHERE r.private = 0 OR m.user IS NOT NULL ORDER BY r.name COLLATE NOCASE, r.id LIMIT ?2", viewer, limit)
	if err != nil {
		return nil, e.readError(err)
	}
	defer rows.Close()
	var rooms []chat.Room
	for rows.Next() {
		r, err := scanRoom(rows)
		if err != nil {
			return nil, e.readError(err)
		}
		rooms = append(rooms, r)
	}
	return rooms, e.readError(rows.Err())
}

// UpdateRoom changes a room's name and topic; see chat.Store.
func (e *Engine) UpdateRoom(ctx context.Context, id, name, topic string, drafts ...channel.Draft) error {
	return e.write(ctx, func(t *tx) error {
		if err := t.mustHaveRoom(id); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE rooms SET name = ?, topic = ? WHERE id = ?", name, topic, id); err != nil {
			return err
		}
		_, err := t.appendAll(drafts)
		return err
	})
}

// EnsureInvite gives a room an invite, if it has none; see chat.Store.
func (e *Engine) EnsureInvite(ctx context.Context, id, invite string) (now string, err error) {
	err = e.write(ctx, func(t *tx) error {
		err := t.queryRow("SELECT invite FROM rooms WHERE id = ?", id).Scan(&now)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return chat.ErrNoRoom
		case err != nil || now != "":
			return err
		}
		now = invite
		_, err = t.exec("UPDATE rooms SET invite = ? WHERE id = ?", invite, id)
		return err
	})
	return now, err
}

// RevokeInvite takes a room's invite away; see chat.Store.
func (e *Engine) RevokeInvite(ctx context.Context, id string) error {
	return e.write(ctx, func(t *tx) error {
		if err := t.mustHaveRoom(id); err != nil {
			return err
		}
		_, err := t.exec("UPDATE rooms SET invite = '' WHERE id = ?", id)
		return err
	})
}

// DeleteRoom removes a room and all that was in it; see chat.Store.
func (e *Engine) DeleteRoom(ctx context.Context, id string, left channel.Draft) error {
	return e.write(ctx, func(t *tx) error {
		if err := t.mustHaveRoom(id); err != nil {
			return err
		}
		users, err := t.memberIDs(id)
		if err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM members WHERE room = ?", id); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM rooms WHERE id = ?", id); err != nil {
			return err
		}
		for _, user := range users {
			left.Channel = channel.User(user)
			if _, err := t.append(left); err != nil {
				return err
			}
		}
		return t.deleteChannel(channel.Room(id))
	})
}

func (t *tx) memberIDs(room string) ([]string, error) {
	return texts(t.query("SELECT user FROM members WHERE room = ?", room))
}

// has reports whether a query has a row.
func (t *tx) has(query string, args ...any) (bool, error) {
	var one int
	err := t.queryRow(query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (t *tx) mustHaveRoom(id string) error {
	ok, err := t.has("SELECT 1 FROM rooms WHERE id = ?", id)
	if err == nil && !ok {
		err = chat.ErrNoRoom
	}
	return err
}

func (t *tx) mustHaveUser(id string) error {
	ok, err := t.has("SELECT 1 FROM users WHERE id = ?", id)
	if err == nil && !ok {
		err = identity.ErrNoUser
	}
	return err
}

func (t *tx) insertMember(room, user string, read uint64) error {
	_, err := t.exec("INSERT INTO members (room, user, read, joined) VALUES (?, ?, ?, ?)", room, user, int64(read), t.now.UnixMilli())
	return err
}
