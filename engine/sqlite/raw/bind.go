package raw

import (
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// bindAny is bind for arguments of any type.
func (s *statement) bindAny(args []any) error {
	defer func() { clear(s.values) }()
	s.values = s.values[:0]
	for i, arg := range args {
		v, err := valueOf(arg)
		if err != nil {
			return fmt.Errorf("parameter %d of %q: %w", i+1, s.query, err)
		}
		s.values = append(s.values, v)
	}
	return s.bind(s.values)
}

// bind gives the statement its arguments.
func (s *statement) bind(args []Value) error {
	if len(args) != s.params {
		return fmt.Errorf("%d arguments for the %d parameters of %q", len(args), s.params, s.query)
	}
	size := 0
	for i := range args {
		size += len(args[i].bytes)
	}
	if size > s.size {
		s.c.free(s.bytes)
		s.size = size + size/2
		s.bytes = s.c.alloc(s.size)
	}
	at := s.bytes
	for i := range args {
		v := &args[i]
		copy(memory(at, len(v.bytes)), v.bytes)
		if rc := s.bindAt(int32(i+1), v, at); rc != sqlite3.SQLITE_OK {
			return fmt.Errorf("parameter %d of %q: %w", i+1, s.query, s.c.error(rc))
		}
		at += uintptr(len(v.bytes))
	}
	return nil
}

// bindAt binds a value whose bytes are at p.
func (s *statement) bindAt(i int32, v *Value, p uintptr) int32 {
	switch v.kind {
	case integer:
		return sqlite3.Xsqlite3_bind_int64(s.c.tls, s.handle, i, v.int)
	case text:
		return sqlite3.Xsqlite3_bind_text(s.c.tls, s.handle, i, p, int32(len(v.bytes)), sqlite3.SQLITE_STATIC)
	case blob:
		return sqlite3.Xsqlite3_bind_blob(s.c.tls, s.handle, i, p, int32(len(v.bytes)), sqlite3.SQLITE_STATIC)
	}
	return sqlite3.Xsqlite3_bind_null(s.c.tls, s.handle, i)
}
