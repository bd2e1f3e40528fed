package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/vote"
)

// A ballot is a row. Its options are the bits of one integer: a vote has at most 50.
const ballotSchema = `
CREATE TABLE IF NOT EXISTS ballots (
	vote    INTEGER NOT NULL,
	voter   TEXT NOT NULL,
	name    TEXT NOT NULL, -- when it was cast; shown when the voter is forgotten
	options INTEGER NOT NULL, -- bit n-1: option n
	at      INTEGER NOT NULL, -- milliseconds
	PRIMARY KEY (voter, vote)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ballots_by_vote ON ballots (vote, at);
`

// Cast implements vote.Store.
func (e *Engine) Cast(ctx context.Context, b vote.Ballot, check func(vote.Vote, *vote.Ballot) error) (vote.Vote, error) {
	var h *heldVote
	err := e.write(ctx, func(t *tx) (err error) {
		if h, err = t.holdVote(b.Code); err != nil {
			return err
		}
		earlier, err := t.earlierBallot(h.id, b)
		if err != nil {
			return err
		}
		if err := check(h.Vote.Clone(), earlier); err != nil {
			return err
		}
		next := vote.OptionBits(b.Options)
		var before uint64
		if earlier != nil {
			if before = vote.OptionBits(earlier.Options); before == next {
				return nil
			}
		}
		_, err = t.exec(`INSERT INTO ballots (vote, voter, name, options, at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, options = excluded.options, at = excluded.at`,
			h.id, b.Voter.ID, b.Voter.Name, int64(next), b.At.UnixMilli())
		if err != nil {
			return err
		}
		if earlier == nil {
			h.Voters++
		}
		for i := range h.Options {
			h.Options[i].Count += int(next>>i&1) - int(before>>i&1)
		}
		t.tallyVote(h)
		return nil
	})
	if err != nil {
		return vote.Vote{}, err
	}
	return h.Vote.Clone(), nil
}

// earlierBallot is the one that b's voter cast before b, nil if there is none.
func (t *tx) earlierBallot(id int64, b vote.Ballot) (*vote.Ballot, error) {
	var set, at int64
	err := t.queryRow("SELECT options, at FROM ballots WHERE vote = ? AND voter = ?", id, b.Voter.ID).Scan(&set, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b.Options, b.At = vote.OptionsOf(uint64(set)), time.UnixMilli(at).UTC()
	return &b, nil
}

const selectBallot = `SELECT b.voter, coalesce(u.name, b.name), b.options, b.at FROM ballots b LEFT JOIN users u ON u.id = b.voter `

func scanBallot(r scanner, code string) (vote.Ballot, error) {
	b := vote.Ballot{Code: code}
	var set, at int64
	err := r.Scan(&b.Voter.ID, &b.Voter.Name, &set, &at)
	b.Options, b.At = vote.OptionsOf(uint64(set)), time.UnixMilli(at).UTC()
	return b, err
}

func ballotOf(r scanner, code string) (*vote.Ballot, error) {
	b, err := scanBallot(r, code)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// BallotOf implements vote.Store.
func (e *Engine) BallotOf(ctx context.Context, code, voter string) (*vote.Ballot, error) {
	return ballotOf(e.readRow(ctx, selectBallot+"WHERE b.vote = (SELECT id FROM votes WHERE code = ?) AND b.voter = ?", code, voter), code)
}

// Ballots implements vote.Store.
func (e *Engine) Ballots(ctx context.Context, code string, limit int) ([]vote.Ballot, error) {
	if limit == 0 {
		limit = -1
	}
	rows, err := e.readRows(ctx, selectBallot+"WHERE b.vote = (SELECT id FROM votes WHERE code = ?) ORDER BY b.at, b.voter LIMIT ?", code, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ballots []vote.Ballot
	for rows.Next() {
		b, err := scanBallot(rows, code)
		if err != nil {
			return nil, err
		}
		ballots = append(ballots, b)
	}
	return ballots, rows.Err()
}

// Recount implements vote.Store.
func (e *Engine) Recount(ctx context.Context, code string) (vote.Vote, error) {
	// One transaction, so that vote and ballots are of one moment.
	snapshot, err := e.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return vote.Vote{}, err
	}
	defer func() { _ = snapshot.Rollback() }()
	id, v, err := scanVote(snapshot.QueryRowContext(ctx, selectVote+"WHERE v.code = ?", code))
	if err != nil {
		return vote.Vote{}, err
	}
	v.Voters = 0
	for i := range v.Options {
		v.Options[i].Count = 0
	}
	rows, err := snapshot.QueryContext(ctx, "SELECT options, count(*) FROM ballots WHERE vote = ? GROUP BY options", id)
	if err != nil {
		return vote.Vote{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var set int64
		var n int
		if err := rows.Scan(&set, &n); err != nil {
			return vote.Vote{}, err
		}
		v.Voters += n
		for _, id := range vote.OptionsOf(uint64(set)) {
			if id > len(v.Options) {
				return vote.Vote{}, fmt.Errorf("the vote %s is damaged: %d ballots have option %d", code, n, id)
			}
			v.Options[id-1].Count += n
		}
	}
	return v, rows.Err()
}
