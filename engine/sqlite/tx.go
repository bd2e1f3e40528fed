package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/channel"
	"parley/engine/sqlite/raw"
)

// tx is the transaction that the writer is in. It belongs to the writer's goroutine; operations use it while they run, and
// never keep it.
type tx struct {
	w       *writer
	tails   tails
	keyDays keyDays

	// Of the transaction:
	now      time.Time // the server's clock when it began
	onces    []once
	messages []channel.Message // appended; the sink hears of them after the commit
	deleted  []channel.Name    // likewise
	votes    map[string]*heldVote

	// Of the operation:
	written bool
	noting  bool         // whether changes are noted
	changes []formerTail // the tails that were changed; see together
}

// once is work that several operations of one transaction share.
type once struct {
	key string
	fn  func(*tx) error
}

func (t *tx) init(w *writer) {
	t.w = w
	t.votes = make(map[string]*heldVote)
	t.tails.init()
}

// exec runs a statement. Its text is the key under which it stays prepared: it has placeholders, never values.
func (t *tx) exec(query string, args ...any) (raw.Result, error) {
	t.written = true
	return t.w.conn.Exec(query, args...)
}

// execValues is exec for what runs with every message or ballot.
func (t *tx) execValues(query string, args ...raw.Value) (raw.Result, error) {
	t.written = true
	return t.w.conn.ExecValues(query, args...)
}

// query reads rows, of what the transaction itself wrote too. They are closed before the operation returns.
func (t *tx) query(query string, args ...any) (*raw.Rows, error) {
	t.written = t.written || !strings.HasPrefix(query, "SELECT")
	return t.w.conn.Query(query, args...)
}

// queryRow is query for one row.
func (t *tx) queryRow(query string, args ...any) raw.Row {
	t.written = t.written || !strings.HasPrefix(query, "SELECT")
	return t.w.conn.QueryRow(query, args...)
}

// once has fn run before the commit, after all operations of the transaction, and only once however many of them ask
// for it by the same key. It may write and append. The operations' calls of write return after it ran.
func (t *tx) once(key string, fn func(*tx) error) {
	for i := range t.onces {
		if t.onces[i].key == key {
			return
		}
	}
	t.onces = append(t.onces, once{key, fn})
}

func (t *tx) begin() error {
	t.now = t.w.e.o.Clock().UTC().Truncate(time.Millisecond)
	t.onces, t.messages, t.deleted = t.onces[:0], nil, nil
	clear(t.votes)
	t.tails.age()
	_, err := t.exec("BEGIN IMMEDIATE")
	return err
}

// run runs one operation. What it asked to be done once is forgotten if it fails.
func (t *tx) run(fn func(*tx) error) error {
	t.written, t.noting = false, false // a panic may have left them
	before := len(t.onces)
	err := fn(t)
	if err != nil {
		t.onces = t.onces[:before]
	}
	return err
}

func (t *tx) runOnces() error {
	for i := 0; i < len(t.onces); i++ { // one may ask for another
		if err := t.onces[i].fn(t); err != nil {
			return err
		}
	}
	clear(t.onces)
	return nil
}

func (t *tx) commit() error {
	_, err := t.exec("COMMIT")
	if err != nil && !(full(err) && !t.w.conn.InTransaction()) { // a full disk has SQLite roll back by itself
		return fmt.Errorf("%w: %w", errUnsettled, err)
	}
	return err
}

// rollback undoes the transaction because of err, which it returns.
func (t *tx) rollback(err error) error {
	t.tails.reset()
	if !t.w.conn.InTransaction() {
		return err // after some errors SQLite does it
	}
	if _, failed := t.exec("ROLLBACK"); failed != nil {
		return errors.Join(errUnsettled, err, failed)
	}
	return err
}

// publish tells the sink what was committed.
func (t *tx) publish() {
	if len(t.messages) == 0 && len(t.deleted) == 0 {
		return // the keeper's own writes, which begin before Follow is called
	}
	t.w.e.follower.committed(t.messages, t.deleted)
	sink := t.w.e.sink
	if sink == nil {
		return
	}
	if len(t.messages) > 0 {
		sink.Committed(t.messages)
	}
	for _, name := range t.deleted {
		sink.Deleted(name)
	}
	if len(t.deleted) > 0 {
		t.w.e.keeper.nudge("")
	}
}
