package sqlite

import "errors"

// formerTail is what a tail was before it was changed.
type formerTail struct {
	tail *tail
	was  tail
}

// together runs fn, of which nothing remains if it fails: neither in the transaction nor in what is known of the tails. fn appends,
// and does nothing else.
func (t *tx) together(fn func() error) error {
	written, messages := t.written, len(t.messages)
	if _, err := t.exec("SAVEPOINT together"); err != nil {
		return err
	}
	t.changes, t.noting = t.changes[:0], true
	err := fn()
	t.noting = false
	if err == nil {
		_, err = t.exec("RELEASE together")
		return err
	}
	for _, query := range []string{"ROLLBACK TO together", "RELEASE together"} {
		if _, failed := t.exec(query); failed != nil {
			return errors.Join(err, failed) // the transaction is rolled back
		}
	}
	for i := len(t.changes) - 1; i >= 0; i-- {
		*t.changes[i].tail = t.changes[i].was
	}
	t.messages, t.written = t.messages[:messages], written
	return err
}

// changed notes what a tail was before it is changed, for together.
func (t *tx) changed(to *tail, was tail) {
	if t.noting {
		t.changes = append(t.changes, formerTail{to, was})
	}
}
