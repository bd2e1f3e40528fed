package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/channel"
	"parley/chat"
)

// Join makes who a member of a room; see chat.Store.
func (e *Engine) Join(ctx context.Context, id string, who channel.Sender, drafts ...channel.Draft) (bool, error) {
	var joined bool
	err := e.write(ctx, func(t *tx) error {
		joined = false
		if err := t.mustHaveRoom(id); err != nil {
			return err
		}
		if err := t.mustHaveUser(who.ID); err != nil {
			return err
		}
		in, err := t.has("SELECT 1 FROM members WHERE room = ? AND user = ?", id, who.ID)
		if err != nil || in {
			return err
		}
		to, err := t.tail(channel.Room(id))
		if err != nil {
			return err
		}
		if err := t.insertMember(id, who.ID, to.end.Seq); err != nil {
			return err
		}
		joined = true
		_, err = t.appendAll(drafts)
		return err
	})
	return joined && err == nil, err
}

// Leave ends a membership; see chat.Store.
func (e *Engine) Leave(ctx context.Context, id, user string, drafts ...channel.Draft) (bool, error) {
	var left bool
	err := e.write(ctx, func(t *tx) (err error) {
		left, err = t.has("SELECT 1 FROM members WHERE room = ? AND user = ?", id, user)
		if err != nil || !left {
			return err
		}
		if _, err := t.exec("DELETE FROM members WHERE room = ? AND user = ?", id, user); err != nil {
			return err
		}
		_, err = t.appendAll(drafts)
		return err
	})
	return left && err == nil, err
}

// Members lists who is in a room; see chat.Store.
func (e *Engine) Members(ctx context.Context, id string, limit int) ([]channel.Sender, error) {
	rows, err := e.readRows(ctx, `SELECT u.id, u.name FROM members m JOIN users u ON u.id = m.user WHERE m.room = ? ORDER BY u.name COLLATE NOCASE, u.id LIMIT ?`, id, limit)
	if err != nil {
		return nil, e.readError(err)
	}
	defer rows.Close()
	var people []channel.Sender
	for rows.Next() {
		var p channel.Sender
		if err := rows.Scan(&p.ID, &p.Name); err != nil {
			return nil, e.readError(err)
		}
		people = append(people, p)
	}
	return people, e.readError(rows.Err())
}

// IsMember reports whether user is in a room; see chat.Store.
func (e *Engine) IsMember(ctx context.Context, id, user string) (bool, error) {
	var in bool
	err := e.readRow(ctx, "SELECT EXISTS (SELECT 1 FROM members WHERE room = ? AND user = ?)", id, user).Scan(&in)
	return in, e.readError(err)
}

// OpenDirect makes the two sides of a direct conversation; see chat.Store.
func (e *Engine) OpenDirect(ctx context.Context, a, b channel.Sender, drafts ...channel.Draft) (bool, error) {
	var opened bool
	err := e.write(ctx, func(t *tx) error {
		opened = false
		name := channel.Direct(a.ID, b.ID)
		to, err := t.tail(name)
		if err != nil {
			return err
		}
		sides := [2][2]channel.Sender{{a, b}, {b, a}}
		var there [2]bool
		for i, s := range sides {
			if err := t.mustHaveUser(s[0].ID); err != nil {
				return err
			}
			if there[i], err = t.has("SELECT 1 FROM directs WHERE user = ? AND other = ?", s[0].ID, s[1].ID); err != nil {
				return err
			}
		}
		if there[0] && there[1] {
			return nil
		}
		for i, s := range sides {
			if there[i] {
				continue
			}
			if _, err := t.exec("INSERT INTO directs (user, other, name, read, joined) VALUES (?, ?, ?, ?, ?)",
				s[0].ID, s[1].ID, s[1].Name, int64(to.end.Seq), t.now.UnixMilli()); err != nil {
				return err
			}
		}
		opened = true
		_, err = t.appendAll(drafts)
		return err
	})
	return opened && err == nil, err
}

// unreadWindow bounds how many messages are looked at to count the unread texts of a channel.
const unreadWindow = "1000"

const conversationsQuery = `
WITH mine AS (
	SELECT 'room' AS kind, 'room:' || r.id AS channel, r.name, r.topic, r.private, '' AS other, m.read, m.joined
	FROM members m JOIN rooms r ON r.id = m.room WHERE m.user = ?1
	UNION ALL
	SELECT 'direct', 'direct:' || min(d.user, d.other) || '.' || max(d.user, d.other), coalesce(u.name, d.name), '', 1, d.other, d.read, d.joined
	FROM directs d LEFT JOIN users u ON u.id = d.other WHERE d.user = ?1
)
SELECT mine.kind, mine.channel, mine.name, mine.topic, mine.private, mine.other, mine.read,
	coalesce(t.seq, c.floor, 0), coalesce(t.mark, c.floor_mark, 0), max(mine.joined, coalesce(t.at, 0)) AS active,
	(SELECT count(*) FROM (SELECT 1 FROM messages x
		WHERE x.channel = c.id AND x.seq > max(mine.read, t.seq - ` + unreadWindow + `) AND x.type = 'text' AND x.sender <> ?1 AND x.erased = 0 LIMIT 100))
FROM mine
	LEFT JOIN channels c ON c.name = mine.channel
	LEFT JOIN messages t ON t.channel = c.id AND t.seq = (SELECT max(seq) FROM messages WHERE channel = c.id)
ORDER BY active DESC, mine.channel LIMIT ?2`

// Conversations lists what user is in; see chat.Store.
func (e *Engine) Conversations(ctx context.Context, user string, limit int) ([]chat.Conversation, error) {
	rows, err := e.readRows(ctx, conversationsQuery, user, limit)
	if err != nil {
		return nil, e.readError(err)
	}
	defer rows.Close()
	var list []chat.Conversation
	for rows.Next() {
		var c chat.Conversation
		var active int64
		if err := rows.Scan(&c.Kind, &c.Channel, &c.Name, &c.Topic, &c.Private, &c.With.ID, &c.Read,
			&c.Position.Seq, &c.Position.Mark, &active, &c.Unread); err != nil {
			return nil, e.readError(err)
		}
		if c.Kind == channel.KindDirect {
			c.With.Name = c.Name
		}
		c.Active = time.UnixMilli(active).UTC()
		list = append(list, c)
	}
	return list, e.readError(rows.Err())
}

// The read position of a membership or a side, by kind: to look at, and to raise.
var readQueries = map[string][2]string{
	channel.KindRoom: {
		"SELECT read FROM members WHERE user = ? AND room = ?",
		"UPDATE members SET read = ? WHERE user = ? AND room = ?",
	},
	channel.KindDirect: {
		"SELECT read FROM directs WHERE user = ? AND other = ?",
		"UPDATE directs SET read = ? WHERE user = ? AND other = ?",
	},
}

// SetRead raises what user has read; see chat.Store. What would change nothing does not reach the writer.
func (e *Engine) SetRead(ctx context.Context, user string, name channel.Name, seq uint64) (read uint64, changed bool, err error) {
	queries, ok := readQueries[name.Kind()]
	id := name.ID()
	if ok && name.Kind() == channel.KindDirect {
		id, ok = name.Other(user)
	}
	if !ok {
		return 0, false, nil
	}
	err = e.readRow(ctx, queries[0], user, id).Scan(&read)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil || seq <= read {
		return read, false, e.readError(err)
	}
	err = e.write(ctx, func(t *tx) error {
		changed = false
		to, err := t.tail(name)
		if err != nil {
			return err
		}
		if err := t.queryRow(queries[0], user, id).Scan(&read); err != nil {
			if errors.Is(err, sql.ErrNoRows) { // left meanwhile
				return nil
			}
			return err
		}
		up := min(seq, to.end.Seq)
		if up <= read {
			return nil
		}
		if _, err := t.exec(queries[1], int64(up), user, id); err != nil {
			return err
		}
		read, changed = up, true
		return nil
	})
	return read, changed && err == nil, err
}
