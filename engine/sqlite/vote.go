package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/channel"
	"parley/vote"
)

// The tally is kept in the row of the vote, which a transaction writes once however many ballots it has.
const voteSchema = `
CREATE TABLE IF NOT EXISTS votes (
	id         INTEGER PRIMARY KEY,
	code       TEXT NOT NULL UNIQUE,
	question   TEXT NOT NULL,
	options    TEXT NOT NULL, -- JSON array of the texts
	counts     TEXT NOT NULL, -- JSON array, in the same order
	voters     INTEGER NOT NULL,
	min        INTEGER NOT NULL,
	max        INTEGER NOT NULL,
	room       TEXT NOT NULL,
	owner      TEXT NOT NULL,
	owner_name TEXT NOT NULL, -- when the vote was made; shown when the owner is forgotten
	change     INTEGER NOT NULL,
	named      INTEGER NOT NULL,
	results    TEXT NOT NULL,
	open       INTEGER NOT NULL,
	closes     INTEGER, -- milliseconds; NULL: no deadline
	created    INTEGER NOT NULL,
	version    INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS votes_by_owner ON votes (owner);
CREATE INDEX IF NOT EXISTS votes_by_room ON votes (room) WHERE room <> '';
CREATE INDEX IF NOT EXISTS votes_by_deadline ON votes (closes) WHERE open AND closes IS NOT NULL;
` + ballotSchema

const selectVote = `SELECT v.id, v.code, v.question, v.options, v.counts, v.voters, v.min, v.max, v.room, v.owner, coalesce(u.name, v.owner_name),
	v.change, v.named, v.results, v.open, v.closes, v.created, v.version
FROM votes v LEFT JOIN users u ON u.id = v.owner `

type scanner interface{ Scan(dest ...any) error }

func scanVote(r scanner) (id int64, v vote.Vote, err error) {
	var options, counts string
	var closes sql.NullInt64
	var created int64
	err = r.Scan(&id, &v.Code, &v.Question, &options, &counts, &v.Voters, &v.Min, &v.Max, &v.Room, &v.Owner.ID, &v.Owner.Name,
		&v.Change, &v.Named, &v.Results, &v.Open, &closes, &created, &v.Version)
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = vote.ErrNoVote
		}
		return 0, vote.Vote{}, err
	}
	var texts []string
	var numbers []int
	if err := errors.Join(json.Unmarshal([]byte(options), &texts), json.Unmarshal([]byte(counts), &numbers)); err != nil {
		return 0, vote.Vote{}, fmt.Errorf("the vote %s is damaged: %w", v.Code, err)
	}
	if len(texts) != len(numbers) {
		return 0, vote.Vote{}, fmt.Errorf("the vote %s is damaged: %d options, %d counts", v.Code, len(texts), len(numbers))
	}
	v.Options = make([]vote.Option, len(texts))
	for i := range texts {
		v.Options[i] = vote.Option{ID: i + 1, Text: texts[i], Count: numbers[i]}
	}
	v.Created = time.UnixMilli(created).UTC()
	if closes.Valid {
		v.Closes = time.UnixMilli(closes.Int64).UTC()
	}
	return id, v, nil
}

// voteColumns are the texts, counts and deadline of v as they are stored.
func voteColumns(v vote.Vote) (texts, counts string, closes sql.NullInt64) {
	t, n := make([]string, len(v.Options)), make([]int, len(v.Options))
	for i, o := range v.Options {
		t[i], n[i] = o.Text, o.Count
	}
	tj, _ := json.Marshal(t)
	nj, _ := json.Marshal(n)
	return string(tj), string(nj), sql.NullInt64{Int64: v.Closes.UnixMilli(), Valid: !v.Closes.IsZero()}
}

// heldVote is a vote that the transaction has loaded. Its operations change it here; it is written, and its
// event appended, once, before the commit.
type heldVote struct {
	vote.Vote
	id int64
}

// holdVote loads a vote into the transaction.
func (t *tx) holdVote(code string) (*heldVote, error) {
	if h, ok := t.votes[code]; ok {
		return h, nil
	}
	id, v, err := scanVote(t.queryRow(selectVote+"WHERE v.code = ?", code))
	if err != nil {
		if errors.Is(err, vote.ErrNoVote) {
			err = vote.ErrNoVote.Detail("there is no vote %s", code)
		}
		return nil, err
	}
	h := &heldVote{v, id}
	t.votes[code] = h
	return h, nil
}

// tallyVote has the held vote written, and its event appended, before the commit.
func (t *tx) tallyVote(h *heldVote) {
	t.once("vote:"+h.Code, func(t *tx) error {
		to, err := t.tail(channel.Vote(h.Code))
		if err != nil {
			return err
		}
		h.Version = to.end.Seq + 1
		if _, err := t.append(tallyDraft(h.Vote)); err != nil {
			return err
		}
		_, counts, closes := voteColumns(h.Vote)
		_, err = t.exec(`UPDATE votes SET counts = ?, voters = ?, open = ?, results = ?, closes = ?, version = ? WHERE id = ?`,
			counts, h.Voters, h.Open, string(h.Results), closes, int64(h.Version), h.id)
		return err
	})
}

func tallyDraft(v vote.Vote) channel.Draft {
	return channel.Draft{Channel: channel.Vote(v.Code), Type: vote.TallyType, From: channel.System, Data: vote.Event(v)}
}

// CreateVote implements vote.Store.
func (e *Engine) CreateVote(ctx context.Context, v vote.Vote, drafts ...channel.Draft) (vote.Vote, error) {
	v.Version, v.Voters = 1, 0
	v.Options = slices.Clone(v.Options)
	for i := range v.Options {
		v.Options[i] = vote.Option{ID: i + 1, Text: v.Options[i].Text}
	}
	err := e.write(ctx, func(t *tx) error {
		// A code whose channel has a past is taken too: the version counts from 1.
		to, err := t.tail(channel.Vote(v.Code))
		if err != nil {
			return err
		}
		if to.id != 0 {
			return vote.ErrCodeTaken.Detail("the code %s is taken", v.Code)
		}
		if _, err := t.appendAll(append(slices.Clip(drafts), tallyDraft(v))); err != nil {
			return err
		}
		texts, counts, closes := voteColumns(v)
		_, err = t.exec(`INSERT INTO votes (code, question, options, counts, voters, min, max, room, owner, owner_name, change, named, results, open, closes, created, version)
			VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
			v.Code, v.Question, texts, counts, v.Min, v.Max, v.Room, v.Owner.ID, v.Owner.Name, v.Change, v.Named, string(v.Results), v.Open, closes, v.Created.UnixMilli())
		return err
	})
	if err != nil {
		return vote.Vote{}, err
	}
	return v, nil
}

// Vote implements vote.Store.
func (e *Engine) Vote(ctx context.Context, code string) (vote.Vote, error) {
	_, v, err := scanVote(e.readRow(ctx, selectVote+"WHERE v.code = ?", code))
	if errors.Is(err, vote.ErrNoVote) {
		err = vote.ErrNoVote.Detail("there is no vote %s", code)
	}
	return v, err
}

// Update implements vote.Store.
func (e *Engine) Update(ctx context.Context, code string, change func(vote.Vote) (vote.Vote, error)) (vote.Vote, error) {
	var h *heldVote
	err := e.write(ctx, func(t *tx) (err error) {
		if h, err = t.holdVote(code); err != nil {
			return err
		}
		next, err := change(h.Vote.Clone())
		if err != nil || next.Same(h.Vote) {
			return err
		}
		h.Vote = h.Vote.Changed(next)
		if h.Voters == 0 { // before the first ballot anything may have changed
			texts, counts, _ := voteColumns(h.Vote)
			_, err := t.exec(`UPDATE votes SET question = ?, options = ?, counts = ?, min = ?, max = ?, change = ?, named = ? WHERE id = ?`,
				h.Question, texts, counts, h.Min, h.Max, h.Change, h.Named, h.id)
			if err != nil {
				return err
			}
		}
		t.tallyVote(h)
		return nil
	})
	if err != nil {
		return vote.Vote{}, err
	}
	return h.Vote.Clone(), nil
}

// Votes implements vote.Store.
func (e *Engine) Votes(ctx context.Context, user string, limit int) ([]vote.Vote, error) {
	rows, err := e.readRows(ctx, selectVote+`WHERE v.id IN (
			SELECT id FROM votes WHERE owner = ?1
			UNION SELECT vote FROM ballots WHERE voter = ?1
			UNION SELECT id FROM votes WHERE room <> '' AND room IN (SELECT room FROM members WHERE user = ?1)
		) ORDER BY v.id DESC LIMIT ?2`, user, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var votes []vote.Vote
	for rows.Next() {
		_, v, err := scanVote(rows)
		if err != nil {
			return nil, err
		}
		votes = append(votes, v)
	}
	return votes, rows.Err()
}

// NextDeadline implements vote.Store.
func (e *Engine) NextDeadline(ctx context.Context) (string, time.Time, error) {
	var code string
	var at int64
	err := e.readRow(ctx, `SELECT code, closes FROM votes WHERE open AND closes IS NOT NULL ORDER BY closes LIMIT 1`).Scan(&code, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, err
	}
	return code, time.UnixMilli(at).UTC(), nil
}
