package raw

import (
	"database/sql"
	"fmt"
	"reflect"

	sqlite3 "modernc.org/sqlite/lib"
)

// Rows are what a statement returns, one after the other.
type Rows struct {
	s      *statement
	closed bool
	err    error
}

// Next goes to the next row; false: there is none, or Err.
func (r *Rows) Next() bool {
	if r.closed {
		return false
	}
	rc := sqlite3.Xsqlite3_step(r.s.c.tls, r.s.handle)
	if rc == sqlite3.SQLITE_ROW {
		return true
	}
	if rc != sqlite3.SQLITE_DONE {
		r.err = r.s.c.error(rc)
	}
	_ = r.Close()
	return false
}

// Err is the error that ended the rows; nil if they came to their end.
func (r *Rows) Err() error { return r.err }

// Close ends the statement. It may be called again.
func (r *Rows) Close() error {
	if !r.closed {
		r.closed = true
		sqlite3.Xsqlite3_reset(r.s.c.tls, r.s.handle)
	}
	return nil
}

// Scan copies the row's columns to where dest points.
func (r *Rows) Scan(dest ...any) error {
	for i, d := range dest {
		if err := r.scan(int32(i), d); err != nil {
			return fmt.Errorf("column %d of %q: %w", i, r.s.query, err)
		}
	}
	return nil
}

func (r *Rows) scan(i int32, dest any) error {
	kind := sqlite3.Xsqlite3_column_type(r.s.c.tls, r.s.handle, i)
	null := kind == sqlite3.SQLITE_NULL
	switch d := dest.(type) {
	case sql.Scanner:
		switch {
		case null:
			return d.Scan(nil)
		case kind == sqlite3.SQLITE_INTEGER:
			return d.Scan(r.int(i))
		}
		return d.Scan(string(r.bytes(i)))
	case *[]byte:
		*d = nil
		if !null {
			*d = append([]byte{}, r.bytes(i)...)
		}
		return nil
	}
	v := reflect.ValueOf(dest).Elem()
	if v.Kind() == reflect.Pointer {
		v.SetZero()
		if null {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if null {
		return fmt.Errorf("NULL does not fit a %s", v.Type())
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(string(r.bytes(i)))
	case reflect.Int, reflect.Int64:
		v.SetInt(r.int(i))
	case reflect.Uint64:
		v.SetUint(uint64(r.int(i)))
	case reflect.Bool:
		v.SetBool(r.int(i) != 0)
	default:
		return fmt.Errorf("a %s cannot be scanned", v.Type())
	}
	return nil
}

func (r *Rows) int(i int32) int64 { return sqlite3.Xsqlite3_column_int64(r.s.c.tls, r.s.handle, i) }

// bytes are valid until the next call.
func (r *Rows) bytes(i int32) []byte {
	p := sqlite3.Xsqlite3_column_blob(r.s.c.tls, r.s.handle, i)
	return memory(p, int(sqlite3.Xsqlite3_column_bytes(r.s.c.tls, r.s.handle, i)))
}
