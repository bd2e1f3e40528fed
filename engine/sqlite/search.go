package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"parley/channel"
	"parley/chat"
)

// Searching asks an index (search_index.go) as far as that has come (search_follow.go), and compares every message behind that. Whatever the index
// says is compared again with the message as it is now, so the index may be late, but a search is not.

const (
	comparedAtOnce   = 250 // messages without an index that one step compares
	candidatesAtOnce = 100 // messages that one step takes from the index
)

// Channels lists what user is in; see chat.Finder.
func (e *Engine) Channels(ctx context.Context, user string, limit int) ([]channel.Name, error) {
	found, err := texts(e.readRows(ctx, `SELECT 'room:' || room FROM members WHERE user = ?1
		UNION ALL SELECT 'direct:' || min(user, other) || '.' || max(user, other) FROM directs WHERE user = ?1 LIMIT ?2`, user, limit))
	names := make([]channel.Name, len(found))
	for i := range found {
		names[i] = channel.Name(found[i])
	}
	return names, e.readError(err)
}

// Ages tells when the newest messages were said; see chat.Finder.
func (e *Engine) Ages(ctx context.Context, spots []chat.Spot) ([]time.Time, error) {
	ages := make([]time.Time, len(spots))
	for i, s := range spots {
		var at int64
		err := e.readRow(ctx, `SELECT m.at FROM channels c CROSS JOIN messages m ON m.channel = c.id AND m.seq < ?2
			WHERE c.name = ?1 AND c.deleted = 0 ORDER BY m.seq DESC LIMIT 1`, string(s.Channel), int64(s.Before)).Scan(&at)
		switch {
		case err == nil:
			ages[i] = time.UnixMilli(at).UTC()
		case !errors.Is(err, sql.ErrNoRows):
			return nil, e.readError(err)
		}
	}
	return ages, nil
}

// Find looks at the next older messages; see chat.Finder.
func (e *Engine) Find(ctx context.Context, from chat.Spot, words *chat.Words, limit int) (chat.Found, error) {
	step := &finding{e: e, name: from.Channel, words: words, limit: limit, found: chat.Found{Before: from.Before}}
	err := step.run(ctx)
	return step.found, e.readError(err)
}

// finding is one step of a search.
type finding struct {
	e     *Engine
	name  channel.Name
	words *chat.Words
	limit int
	id    int64  // of the channel
	to    uint64 // seq up to which the index has come
	found chat.Found
}

func (f *finding) run(ctx context.Context) error {
	index := f.e.follower.index.Load()
	var at indexed
	var err error
	if index != nil {
		if at, err = index.find(ctx, f.name); err != nil {
			f.e.follower.lose(ctx, err)
			index, at = nil, indexed{}
		}
	}
	h, err := f.e.head(ctx, f.name, at.seq)
	if err != nil {
		return err
	}
	if h.id == 0 || h.Deleted {
		f.found.Before = 0
		return nil
	}
	f.id = h.id
	if index != nil && at.holds(&h) {
		f.to = at.seq
	}
	if f.found.Before-min(f.found.Before, 1) > f.to {
		if done, err := f.compareTail(ctx); done || err != nil {
			return err
		}
	}
	if f.to == 0 {
		f.found.Before = 0
		return nil
	}
	return f.askIndex(ctx, index, h.Tail.Seq > f.to)
}

const tailQuery = "SELECT " + messageColumns + ` FROM messages m
WHERE m.channel = ? AND m.seq < ? AND m.seq > ? ORDER BY m.seq DESC LIMIT ?`

// compareTail looks at the messages that the index does not have yet, the newest first. It is done when the step ends with them.
func (f *finding) compareTail(ctx context.Context) (done bool, err error) {
	rows, err := f.e.readRows(ctx, tailQuery, f.id, int64(f.found.Before), int64(f.to), comparedAtOnce)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		m, err := scanMessage(rows, f.name)
		if err != nil {
			return false, err
		}
		if f.look(m) {
			return true, nil
		}
	}
	if err := rows.Err(); err != nil || n == comparedAtOnce {
		return true, err
	}
	f.found.Before = min(f.found.Before, f.to+1)
	return false, nil
}

// look compares a message; true: there is enough.
func (f *finding) look(m channel.Message) bool {
	f.found.Looked++
	f.found.Before, f.found.At = m.Seq, m.At
	if f.words.Find(&m) {
		f.found.Messages = append(f.found.Messages, m)
	}
	return len(f.found.Messages) >= f.limit
}

// askIndex looks at the messages that the index names, and at those that were changed since it came to them.
func (f *finding) askIndex(ctx context.Context, index *index, late bool) error {
	candidates, down, err := index.candidates(ctx, f.id, f.found.Before, f.words)
	if err != nil {
		f.e.follower.lose(ctx, err)
		f.to = 0
		_, err = f.compareTail(ctx)
		return err
	}
	if late {
		changed, to, err := f.changed(ctx)
		if err != nil {
			return err
		}
		down = max(down, to)
		candidates = append(candidates, changed...)
		slices.SortFunc(candidates, func(a, b uint64) int { return cmp.Compare(b, a) })
		candidates = slices.Compact(candidates)
	}
	for _, seq := range candidates {
		if seq < down {
			break
		}
		m, err := scanMessage(f.e.readRow(ctx, "SELECT "+messageColumns+" FROM messages m WHERE m.channel = ? AND m.seq = ?", f.id, int64(seq)), f.name)
		if errors.Is(err, sql.ErrNoRows) { // removed by retention
			f.found.Looked++
			continue
		}
		if err != nil {
			return err
		}
		if f.look(m) {
			return nil
		}
	}
	f.found.Before = down
	return nil
}

// changed are the messages that were edited or erased by an event which the index does not have yet, and down to which seq these are all.
func (f *finding) changed(ctx context.Context) (seqs []uint64, down uint64, err error) {
	rows, err := f.e.readRows(ctx, `SELECT DISTINCT amends FROM messages INDEXED BY messages_amends
		WHERE channel = ? AND amends IS NOT NULL AND amends < ? AND seq > ? ORDER BY amends DESC LIMIT ?`, f.id, int64(f.found.Before), int64(f.to), candidatesAtOnce)
	return seqsOf(rows, err, candidatesAtOnce)
}

// seqsOf reads seqs, the highest first, of which there are n at most; if there are so many, these are all down to the last only.
func seqsOf(rows *sql.Rows, err error, n int) (seqs []uint64, down uint64, _ error) {
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		if err := rows.Scan(&seq); err != nil {
			return nil, 0, err
		}
		seqs = append(seqs, seq)
	}
	if len(seqs) == n {
		down = seqs[n-1]
	}
	return seqs, down, rows.Err()
}
