package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"parley/channel"
	"parley/engine/sqlite/raw"
)

// Append commits the drafts in one transaction; see channel.Log. The drafts' data must not be changed afterwards.
func (e *Engine) Append(ctx context.Context, drafts ...channel.Draft) ([]channel.Receipt, error) {
	var bytes int
	for i := range drafts {
		bytes += len(drafts[i].Data)
	}
	var receipts []channel.Receipt
	err := e.writeBytes(ctx, bytes, func(t *tx) (err error) {
		receipts, err = t.appendAll(drafts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return receipts, nil
}

// appendAll appends drafts, all or none.
func (t *tx) appendAll(drafts []channel.Draft) ([]channel.Receipt, error) {
	receipts := make([]channel.Receipt, len(drafts))
	if len(drafts) == 1 { // is checked before it writes
		return receipts, t.appendEach(drafts, receipts)
	}
	for i := range drafts {
		if _, err := t.open(drafts[i].Channel); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(drafts, func(d channel.Draft) bool { return d.Key != "" || d.Amend != nil }) {
		return receipts, t.appendEach(drafts, receipts) // nothing else can be refused
	}
	return receipts, t.together(func() error { return t.appendEach(drafts, receipts) })
}

func (t *tx) appendEach(drafts []channel.Draft, receipts []channel.Receipt) (err error) {
	for i := range drafts {
		if receipts[i], err = t.append(drafts[i]); err != nil {
			return err
		}
	}
	return nil
}

// append adds a message to its channel, which comes into being with the first. Its errors ErrKeyReused, ErrNoMessage,
// ErrErased and ErrDeleted come before anything is written. The sink hears of it after the commit.
func (t *tx) append(d channel.Draft) (channel.Receipt, error) {
	to, err := t.open(d.Channel)
	if err != nil {
		return channel.Receipt{}, err
	}
	m := channel.Message{
		Channel: d.Channel, Seq: to.end.Seq + 1, Mark: channel.DrawMark(), Prev: to.end.Mark,
		ID: d.Key, Type: d.Type, From: d.From, At: t.now, Data: d.Data, Amend: d.Amend,
	}
	if m.ID == "" {
		m.ID = channel.DrawID()
	}
	r := channel.Receipt{Channel: m.Channel, Position: m.Position(), ID: m.ID, At: m.At, Durability: channel.Fsynced}
	if first, err := t.admit(to, &d, &r); first != nil || err != nil {
		return value(first), err
	}
	former := *to
	if to.id == 0 {
		if to.id, err = t.insertChannel(d.Channel); err != nil {
			return channel.Receipt{}, err
		}
	}
	t.changed(to, former)
	if err := t.insertMessage(to, &m); err != nil {
		return channel.Receipt{}, err
	}
	if d.Amend != nil {
		if m.Amend, err = t.amend(to, &m, *d.Amend); err != nil {
			return channel.Receipt{}, err
		}
	}
	to.end = m.Position()
	t.messages = append(t.messages, m)
	if to.keep > 0 && to.end.Seq-to.floor.Seq > to.keep+to.keep/4+keepSlack {
		t.w.e.keeper.nudge(d.Channel)
	}
	return r, nil
}

// admit claims the draft's key for receipt r. It returns the first receipt if the key is known, and what stands against
// the draft otherwise.
func (t *tx) admit(to *tail, d *channel.Draft, r *channel.Receipt) (first *channel.Receipt, err error) {
	if d.Amend != nil {
		// A repeated deletion meets its own effect: so the key is looked for first.
		if first, err := t.check(d); first != nil || err != nil {
			return first, err
		}
	}
	if d.Key == "" {
		return nil, nil
	}
	key := d.KeyHash()
	if claimed, err := t.claim(d, key, r); claimed || err != nil {
		return nil, err
	}
	return t.replay(d, key)
}

func value(r *channel.Receipt) channel.Receipt {
	if r == nil {
		return channel.Receipt{}
	}
	return *r
}

// check finds what stands against a draft, and its first receipt if its key is known, without writing.
func (t *tx) check(d *channel.Draft) (first *channel.Receipt, err error) {
	to, err := t.open(d.Channel)
	if err != nil {
		return nil, err
	}
	if d.Key != "" {
		if first, err := t.replay(d, d.KeyHash()); first != nil || err != nil {
			return first, err
		}
	}
	if d.Amend != nil {
		return nil, t.checkAmend(to, d)
	}
	return nil, nil
}

// open returns the tail of a channel that may be appended to.
func (t *tx) open(name channel.Name) (*tail, error) {
	if t.w.e.o.Tool {
		return nil, errTool
	}
	to, err := t.tail(name)
	if err == nil && to.deleted {
		err = channel.ErrDeleted.Detail("%s was deleted", name)
	}
	return to, err
}

func (t *tx) checkAmend(to *tail, d *channel.Draft) error {
	var erased bool
	err := t.queryRow("SELECT erased FROM messages WHERE channel = ? AND seq = ?", to.id, int64(d.Amend.Seq)).Scan(&erased)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return channel.ErrNoMessage.Detail("%s has no message %d", d.Channel, d.Amend.Seq)
	case err != nil:
		return err
	case erased:
		return channel.ErrErased.Detail("Message %d of %s was deleted", d.Amend.Seq, d.Channel)
	}
	return nil
}

// tail returns what is known of a channel, from memory or else from the file.
func (t *tx) tail(name channel.Name) (*tail, error) {
	if known := t.tails.get(name); known != nil {
		return known, nil
	}
	h, err := scanHead(t.queryRow(headQuery, string(name), 0))
	if err != nil {
		return nil, err
	}
	known := &tail{id: h.id, end: h.Tail, floor: h.Floor, deleted: h.Deleted, keep: t.w.e.o.Policies.For(name).KeepCount}
	t.tails.put(name, known)
	return known, nil
}

func (t *tx) insertChannel(name channel.Name) (int64, error) {
	result, err := t.exec("INSERT INTO channels (name) VALUES (?)", string(name))
	return result.ID, err
}

func (t *tx) insertMessage(to *tail, m *channel.Message) error {
	var amends raw.Value
	if m.Amend != nil {
		amends = raw.Int(int64(m.Amend.Seq))
	}
	_, err := t.execValues(`INSERT INTO messages (channel, seq, mark, prev, id, type, sender, name, at, amends, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		raw.Int(to.id), raw.Int(int64(m.Seq)), raw.Int(int64(m.Mark)), raw.Int(int64(m.Prev)), raw.Text(m.ID), raw.Text(m.Type),
		raw.Text(m.From.ID), raw.Text(m.From.Name), raw.Int(m.At.UnixMilli()), amends, raw.TextOf(m.Data))
	return err
}
