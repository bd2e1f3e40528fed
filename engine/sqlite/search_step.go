package sqlite

import (
	"encoding/json"
	"errors"
	"strings"

	"parley/channel"
	"parley/chat"
)

// indexStep is how many messages one transaction of the index takes.
const indexStep = 500

// step takes the index of a channel one step further: it removes what is no more, or adds what is new. more says that there is something left to do.
func (f *follower) step(i *index, name channel.Name) (more bool, err error) {
	at, err := scanIndexed(i.conn.QueryRow(indexedQuery, string(name)))
	if err != nil {
		return false, f.settle(err)
	}
	h, err := f.e.head(f.ctx, name, at.seq)
	if err != nil || h.id == 0 {
		return false, err
	}
	change := &change{at: at, id: h.id}
	switch {
	case h.Deleted && at.id == 0:
		return false, nil
	case h.Deleted, at.id != 0 && !at.holds(&h): // the past that was indexed is not this channel's
		change.id = at.id
		change.remove, change.drop = [2]uint64{0, 1<<seqBits - 1}, true
	case at.id == 0:
		// What is there is another channel's, which had this id in a past that was lost.
		change.remove = [2]uint64{0, 1<<seqBits - 1}
		change.at = indexed{h.id, h.Floor.Seq, h.Floor.Mark, h.Floor.Seq}
	case at.floor < h.Floor.Seq:
		change.remove = [2]uint64{at.floor + 1, h.Floor.Seq}
		change.at.floor = h.Floor.Seq
		if at.seq < h.Floor.Seq {
			change.at.seq, change.at.mark = h.Floor.Seq, h.Floor.Mark
		}
	default:
		if err := f.news(change, name); err != nil || change.at.seq == at.seq {
			return false, err
		}
	}
	done, err := i.carryOut(name, change)
	return change.removes() || !done || change.at.seq < h.Tail.Seq, f.settle(err)
}

// settle has the index given up if the error is its own and will not pass.
func (f *follower) settle(err error) error {
	if err != nil && !full(err) && !busy(err) {
		f.lose(f.ctx, err)
	}
	return err
}

// change is what a step does to the index of a channel.
type change struct {
	id     int64
	at     indexed   // how far it is then
	drop   bool      // nothing of the channel is indexed then
	remove [2]uint64 // entries of these seqs go, first and last; {}: none
	texts  []entry   // entries that are added, or take another's place
}

type entry struct {
	seq   uint64
	terms string // "": the message is not found by anything
	stays bool   // there may be an entry of it
}

func (c *change) removes() bool { return c.remove != [2]uint64{} }

// newsQuery reads messages behind a seq.
const newsQuery = "SELECT seq, mark, type, coalesce(amends, 0), data FROM messages WHERE channel = ? AND seq > ? ORDER BY seq LIMIT ?"

// news reads what is new in a channel: messages, and events that changed earlier ones, which are read as they are now.
func (f *follower) news(c *change, name channel.Name) error {
	amended, err := f.read(c)
	if err != nil {
		return err
	}
	for seq := range amended {
		m, err := f.e.Message(f.ctx, name, seq)
		if errors.Is(err, channel.ErrNoMessage) { // removed meanwhile: what it said goes at once
			m, err = channel.Message{}, nil
		}
		if err != nil {
			return err
		}
		c.texts = append(c.texts, entry{seq, termsOf(m.Type, m.Data), true})
	}
	return nil
}

// read reads new messages, and tells which earlier ones were changed by them.
func (f *follower) read(c *change) (amended map[uint64]bool, err error) {
	rows, err := f.e.readRows(f.ctx, newsQuery, c.id, int64(c.at.seq), indexStep)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	was := c.at.seq
	amended = map[uint64]bool{}
	for rows.Next() {
		var seq, amends uint64
		var mark channel.Mark
		var typ string
		var data []byte
		if err := rows.Scan(&seq, &mark, &typ, &amends, &data); err != nil {
			return nil, err
		}
		c.at.seq, c.at.mark = seq, mark
		if amends != 0 && amends <= was && amends > c.at.floor {
			amended[amends] = true
		}
		if terms := termsOf(typ, data); terms != "" {
			c.texts = append(c.texts, entry{seq: seq, terms: terms})
		}
	}
	return amended, rows.Err()
}

func termsOf(typ string, data json.RawMessage) string {
	text, is := chat.SearchedText(typ, data)
	if !is {
		return ""
	}
	return strings.Join(chat.IndexTerms(text), " ")
}

// carryOut writes a change in one transaction; not done: there is more to remove.
func (i *index) carryOut(name channel.Name, c *change) (done bool, err error) {
	if _, err := i.conn.Exec("BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	done, err = i.write(name, c)
	if err == nil {
		_, err = i.conn.Exec("COMMIT")
	}
	if err != nil && i.conn.InTransaction() {
		_, failed := i.conn.Exec("ROLLBACK")
		err = errors.Join(err, failed)
	}
	return done, err
}

func (i *index) write(name channel.Name, c *change) (done bool, err error) {
	if c.removes() {
		left, err := i.removeSome(rowidOf(c.id, c.remove[0]), rowidOf(c.id, c.remove[1]))
		if err != nil || left {
			return false, err
		}
	}
	for _, e := range c.texts {
		if e.stays {
			if _, err := i.conn.Exec("DELETE FROM texts WHERE rowid = ?", rowidOf(c.id, e.seq)); err != nil {
				return false, err
			}
		}
		if e.terms == "" {
			continue
		}
		if _, err := i.conn.Exec("INSERT INTO texts (rowid, terms) VALUES (?, ?)", rowidOf(c.id, e.seq), e.terms); err != nil {
			return false, err
		}
	}
	if c.drop {
		_, err = i.conn.Exec("DELETE FROM indexed WHERE name = ?", string(name))
	} else {
		_, err = i.conn.Exec("INSERT OR REPLACE INTO indexed (name, id, seq, mark, floor) VALUES (?, ?, ?, ?, ?)",
			string(name), c.at.id, int64(c.at.seq), int64(c.at.mark), int64(c.at.floor))
	}
	return true, err
}

// removeSome removes entries between two rowids, and tells whether there may be more.
func (i *index) removeSome(first, last int64) (left bool, err error) {
	rows, err := i.conn.Query("SELECT rowid FROM texts WHERE rowid >= ? AND rowid <= ? LIMIT ?", first, last, indexStep)
	if err != nil {
		return false, err
	}
	var all []int64
	for rows.Next() {
		var rowid int64
		if err := rows.Scan(&rowid); err != nil {
			return false, errors.Join(err, rows.Close())
		}
		all = append(all, rowid)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return false, err
	}
	for _, rowid := range all {
		if _, err := i.conn.Exec("DELETE FROM texts WHERE rowid = ?", rowid); err != nil {
			return false, err
		}
	}
	return len(all) == indexStep, nil
}
