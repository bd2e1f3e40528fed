package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"parley/channel"
	"parley/problem"
)

const (
	messageColumns = "m.seq, m.mark, m.prev, m.id, m.type, m.sender, m.name, m.at, m.data"

	readQuery = "SELECT c.id, c.deleted <> 0, c.floor, c.floor_mark, " + messageColumns + `
FROM channels c CROSS JOIN messages m ON m.channel = c.id AND m.seq >= ?2 WHERE c.name = ?1 ORDER BY m.seq LIMIT ?3`

	beforeQuery = "SELECT " + messageColumns + ` FROM messages m
WHERE m.channel = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?`

	messageQuery = "SELECT " + messageColumns + ` FROM channels c CROSS JOIN messages m ON m.channel = c.id AND m.seq = ?2
WHERE c.name = ?1 AND c.deleted = 0`

	// messageCost is what a message counts for beside its data, where bytes are limited.
	messageCost = 128
)

// messageFields are where messageColumns are scanned to.
func messageFields(m *channel.Message, at *int64) []any {
	return []any{&m.Seq, &m.Mark, &m.Prev, &m.ID, &m.Type, &m.From.ID, &m.From.Name, at, (*[]byte)(&m.Data)}
}

// Read returns the messages after a position; see channel.Log.
func (e *Engine) Read(ctx context.Context, name channel.Name, after channel.Position, limit, maxBytes int) (channel.Batch, error) {
	if after == channel.End || e.o.Policies.For(name).Conflate {
		return e.readNewest(ctx, name, after)
	}
	for {
		batch, err := e.readAfter(ctx, name, after, max(limit, 1), maxBytes)
		if !errors.Is(err, errMoved) {
			return batch, e.readError(err)
		}
	}
}

// errMoved says that the channel changed between two looks at it.
var errMoved = errors.New("the channel changed meanwhile")

func (e *Engine) readAfter(ctx context.Context, name channel.Name, after channel.Position, limit, maxBytes int) (batch channel.Batch, err error) {
	// The message at the position itself proves it; one more than the limit tells that there are more.
	rows, err := e.readRows(ctx, readQuery, string(name), int64(after.Seq), int64(limit)+2)
	if err != nil {
		return batch, err
	}
	defer rows.Close()
	var h head
	var at int64
	var m channel.Message
	fields := append([]any{&h.id, &h.Deleted, &h.Floor.Seq, &h.Floor.Mark}, messageFields(&m, &at)...)
	first, bytes := true, 0
	for rows.Next() {
		m = channel.Message{Channel: name}
		if err := rows.Scan(fields...); err != nil {
			return batch, err
		}
		m.At = time.UnixMilli(at).UTC()
		if first {
			first = false
			if m.Seq == after.Seq {
				h.At = m.Mark
			}
			from, reason := h.Place(after)
			if reason != "" {
				return e.gapOf(ctx, name, after)
			}
			batch = channel.Batch{Channel: name, From: from, To: from}
			if m.Seq == after.Seq {
				continue
			}
		}
		bytes += len(m.Data) + messageCost
		if n := len(batch.Messages); n == limit || n > 0 && bytes > maxBytes {
			batch.More = true
			break
		}
		batch.Messages = append(batch.Messages, m)
		batch.To = m.Position()
	}
	if err := rows.Err(); err != nil {
		return batch, err
	}
	if first {
		return e.readNothing(ctx, name, after)
	}
	return batch, nil
}

// readNothing is the answer where there is no message at the position or after it.
func (e *Engine) readNothing(ctx context.Context, name channel.Name, after channel.Position) (channel.Batch, error) {
	h, err := e.head(ctx, name, after.Seq)
	if err != nil {
		return channel.Batch{}, err
	}
	if !h.Deleted && h.Tail.Seq > h.Floor.Seq && h.Tail.Seq >= after.Seq {
		return channel.Batch{}, errMoved // somebody appended in between
	}
	from, reason := h.Place(after)
	if reason != "" {
		return h.Gap(name, after, reason), nil
	}
	return channel.Batch{Channel: name, From: from, To: from}, nil
}

// gapOf is the answer where the position is not in the past.
func (e *Engine) gapOf(ctx context.Context, name channel.Name, after channel.Position) (channel.Batch, error) {
	h, err := e.head(ctx, name, after.Seq)
	if err != nil {
		return channel.Batch{}, err
	}
	if _, reason := h.Place(after); reason != "" {
		return h.Gap(name, after, reason), nil
	}
	return channel.Batch{}, errMoved
}

// readNewest is the read of a conflated kind, and of the end. In a conflated kind nothing is lost with old messages, so
// a position whose message is gone is good.
func (e *Engine) readNewest(ctx context.Context, name channel.Name, after channel.Position) (channel.Batch, error) {
	for {
		h, err := e.head(ctx, name, after.Seq)
		if err != nil {
			return channel.Batch{}, err
		}
		from, reason := h.Place(after)
		if reason == channel.Retention {
			from, reason = after, ""
		}
		if reason != "" {
			return h.Gap(name, after, reason), nil
		}
		batch := channel.Batch{Channel: name, From: from, To: h.Tail}
		if from.Seq >= h.Tail.Seq || h.Tail == h.Floor {
			return batch, nil
		}
		m, err := e.Message(ctx, name, h.Tail.Seq)
		if errors.Is(err, channel.ErrNoMessage) {
			continue // removed in between
		}
		batch.Messages = []channel.Message{m}
		return batch, err
	}
}

// Before returns the newest messages before a position; see channel.Log. Where the past ends, by retention too, the batch
// is empty.
func (e *Engine) Before(ctx context.Context, name channel.Name, before channel.Position, limit, maxBytes int) (channel.Batch, error) {
	h, err := e.head(ctx, name, before.Seq)
	if err != nil {
		return channel.Batch{}, err
	}
	_, reason := h.Place(before)
	if reason == channel.Deleted || reason == channel.Rollback {
		return h.Gap(name, before, reason), nil
	}
	batch := channel.Batch{Channel: name}
	rows, err := e.readRows(ctx, beforeQuery, h.id, int64(before.Seq), int64(max(limit, 1))+1)
	if err != nil {
		return batch, e.readError(err)
	}
	defer rows.Close()
	bytes := 0
	for rows.Next() {
		m, err := scanMessage(rows, name)
		if err != nil {
			return batch, e.readError(err)
		}
		bytes += len(m.Data) + messageCost
		if n := len(batch.Messages); n == max(limit, 1) || n > 0 && bytes > maxBytes {
			batch.More = true
			break
		}
		batch.Messages = append(batch.Messages, m)
	}
	if err := rows.Err(); err != nil {
		return batch, e.readError(err)
	}
	n := len(batch.Messages)
	if n == 0 {
		return e.nothingBefore(ctx, name, before)
	}
	slices.Reverse(batch.Messages)
	batch.From, batch.To = batch.Messages[0].Before(), batch.Messages[n-1].Position()
	return batch, nil
}

// nothingBefore is the answer where there is no message before the position: the floor is asked for behind the messages, as what was there may have been
// removed since it was asked for first.
func (e *Engine) nothingBefore(ctx context.Context, name channel.Name, before channel.Position) (channel.Batch, error) {
	h, err := e.head(ctx, name, before.Seq)
	if err != nil {
		return channel.Batch{}, err
	}
	if h.Deleted {
		return h.Gap(name, before, channel.Deleted), nil
	}
	return channel.Batch{Channel: name, From: h.Floor, To: h.Floor}, nil
}

// Message returns one message, or channel.ErrNoMessage.
func (e *Engine) Message(ctx context.Context, name channel.Name, seq uint64) (channel.Message, error) {
	m, err := scanMessage(e.readRow(ctx, messageQuery, string(name), int64(seq)), name)
	if errors.Is(err, sql.ErrNoRows) {
		return m, channel.ErrNoMessage.Detail("%s has no message %d", name, seq)
	}
	return m, e.readError(err)
}

func scanMessage(r interface{ Scan(...any) error }, name channel.Name) (channel.Message, error) {
	m := channel.Message{Channel: name}
	var at int64
	err := r.Scan(messageFields(&m, &at)...)
	m.At = time.UnixMilli(at).UTC()
	return m, err
}

// readError gives an error of a read its name: the file cannot be read, or what it was.
func (e *Engine) readError(err error) error {
	if err != nil && fatal(err) {
		return problem.Unavailable.Detail("The database cannot be read: %s", reason(err)).Because(err)
	}
	return err
}

// manyRows are those of a reader (*sql.Rows) or of the writer (*raw.Rows).
type manyRows interface {
	Next() bool
	Scan(...any) error
	Err() error
	Close() error
}

// texts reads a query of one column, and closes it.
func texts[R manyRows](rows R, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
