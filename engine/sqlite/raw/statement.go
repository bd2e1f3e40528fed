package raw

import (
	"database/sql"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// Result is what a statement did.
type Result struct {
	ID      int64 // rowid of the last row that was inserted
	Changed int64 // rows
}

// statement is prepared. Its bytes are where texts and blobs are while it runs: SQLite does not copy them.
type statement struct {
	c      *Conn
	query  string
	handle uintptr // sqlite3_stmt*
	params int
	bytes  uintptr
	size   int
	values []Value // room for bindAny
}

const leastBytes = 256

func (c *Conn) prepare(query string) (*statement, error) {
	if s, ok := c.statements[query]; ok {
		return s, nil
	}
	text := c.text(query)
	defer c.free(text)
	if rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, c.out, 0); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("%w (in %q)", c.error(rc), query)
	}
	s := &statement{c: c, query: query, handle: c.returned(), bytes: c.alloc(leastBytes), size: leastBytes}
	s.params = int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, s.handle))
	c.statements[query] = s
	return s, nil
}

func (s *statement) finalize() {
	sqlite3.Xsqlite3_finalize(s.c.tls, s.handle)
	s.c.free(s.bytes)
}

// Exec runs one statement to its end. The query's text has placeholders, never values: it is prepared once.
func (c *Conn) Exec(query string, args ...any) (Result, error) {
	s, err := c.prepare(query)
	if err != nil {
		return Result{}, err
	}
	if err := s.bindAny(args); err != nil {
		return Result{}, err
	}
	return s.run()
}

// ExecValues is Exec for what runs with every message.
func (c *Conn) ExecValues(query string, args ...Value) (Result, error) {
	s, err := c.prepare(query)
	if err != nil {
		return Result{}, err
	}
	if err := s.bind(args); err != nil {
		return Result{}, err
	}
	return s.run()
}

func (s *statement) run() (_ Result, err error) {
	c, rc := s.c, int32(sqlite3.SQLITE_ROW)
	for rc == sqlite3.SQLITE_ROW {
		rc = sqlite3.Xsqlite3_step(c.tls, s.handle)
	}
	if rc != sqlite3.SQLITE_DONE {
		err = c.error(rc)
	}
	sqlite3.Xsqlite3_reset(c.tls, s.handle) // says again what step said
	if err != nil {
		return Result{}, err
	}
	return Result{sqlite3.Xsqlite3_last_insert_rowid(c.tls, c.db), sqlite3.Xsqlite3_changes64(c.tls, c.db)}, nil
}

// Query runs one statement for its rows.
func (c *Conn) Query(query string, args ...any) (*Rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	if err := s.bindAny(args); err != nil {
		return nil, err
	}
	return &Rows{s: s}, nil
}

// QueryRow is Query for one row, of which Scan tells the error; sql.ErrNoRows if there is none.
func (c *Conn) QueryRow(query string, args ...any) Row {
	rows, err := c.Query(query, args...)
	return Row{rows, err}
}

// Row is the one row of QueryRow.
type Row struct {
	rows *Rows
	err  error
}

// Scan scans the row, and ends the statement.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	return r.rows.Scan(dest...)
}
