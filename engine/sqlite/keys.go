package sqlite

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"parley/channel"
)

// A key is remembered by the day it came, so that forgetting old ones takes them from one end of the table. It is
// found again on that day and the next: for 24 to 48 hours.
const keysSchema = `
CREATE TABLE IF NOT EXISTS keys (
	day     INTEGER NOT NULL, -- since 1970, UTC
	key     BLOB    NOT NULL, -- hash of channel, sender and key
	content INTEGER NOT NULL, -- hash of type and data
	seq     INTEGER NOT NULL,
	mark    INTEGER NOT NULL,
	at      INTEGER NOT NULL, -- ms since 1970
	PRIMARY KEY (day, key)
) WITHOUT ROWID;
`

func day(t time.Time) int64 { return t.Unix() / 86400 }

// contentNumber is the hash of what a draft says, as it is remembered with its key.
func contentNumber(d *channel.Draft) int64 {
	hash := d.ContentHash()
	return int64(binary.BigEndian.Uint64(hash[:]))
}

// replay returns the first receipt of a draft whose key is known, nil if it is not.
func (t *tx) replay(d *channel.Draft, key []byte) (*channel.Receipt, error) {
	var content, at int64
	var first channel.Position
	today := day(t.now)
	// Tomorrow is looked at too, for a clock that was put back.
	err := t.queryRow("SELECT content, seq, mark, at FROM keys WHERE day IN (?, ?, ?) AND key = ?", today, today-1, today+1, key).
		Scan(&content, &first.Seq, &first.Mark, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if content != contentNumber(d) {
		return nil, channel.ErrKeyReused.Detail("The key %.64q was used in %s for other content: take a new one", d.Key, d.Channel)
	}
	return &channel.Receipt{Channel: d.Channel, Position: first, ID: d.Key, At: time.UnixMilli(at).UTC(), Durability: channel.Fsynced, Replayed: true}, nil
}

// claim remembers a key with its receipt, unless it is known: then it returns false and nothing was written.
func (t *tx) claim(d *channel.Draft, key []byte, r *channel.Receipt) (bool, error) {
	today := day(t.now)
	if err := t.keyDays.look(t, today); err != nil {
		return false, err
	}
	for _, other := range t.keyDays.others {
		var one int
		err := t.queryRow("SELECT 1 FROM keys WHERE day = ? AND key = ?", other, key).Scan(&one)
		if !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	written := t.written
	result, err := t.exec("INSERT OR IGNORE INTO keys (day, key, content, seq, mark, at) VALUES (?, ?, ?, ?, ?, ?)",
		today, key, contentNumber(d), int64(r.Position.Seq), int64(r.Position.Mark), r.At.UnixMilli())
	if err != nil {
		return false, err
	}
	if result.Changed == 0 {
		t.written = written
	}
	return result.Changed > 0, nil
}

// keyDays are the days beside today on which keys came that count: mostly there is one, or none. They are asked for when the day
// begins; after that none gets its first key.
type keyDays struct {
	today  int64
	others []int64
}

func (k *keyDays) look(t *tx, today int64) error {
	if k.today == today {
		return nil
	}
	var others []int64
	for _, other := range []int64{today - 1, today + 1} {
		var any bool
		if err := t.queryRow("SELECT EXISTS (SELECT 1 FROM keys WHERE day = ?)", other).Scan(&any); err != nil {
			return err
		}
		if any {
			others = append(others, other)
		}
	}
	k.today, k.others = today, others
	return nil
}
