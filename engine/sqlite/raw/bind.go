package raw

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	sqlite3 "modernc.org/sqlite/lib"
)

// bind gives the statement its arguments.
func (s *statement) bind(args []any) error {
	if len(args) != s.params {
		return fmt.Errorf("%d arguments for the %d parameters of %q", len(args), s.params, s.query)
	}
	size, cloned := 0, false
	for i := range args {
		n, ok := length(args[i])
		if !ok {
			plain, err := plainOf(args[i])
			if err != nil {
				return fmt.Errorf("parameter %d of %q: %w", i+1, s.query, err)
			}
			if !cloned {
				args, cloned = slices.Clone(args), true
			}
			args[i] = plain
			n, _ = length(plain)
		}
		size += n
	}
	if size > s.size {
		s.c.free(s.bytes)
		s.size = size + size/2
		s.bytes = s.c.alloc(s.size)
	}
	at := s.bytes
	for i, arg := range args {
		if rc := s.bindPlain(int32(i+1), arg, &at); rc != sqlite3.SQLITE_OK {
			return fmt.Errorf("parameter %d of %q: %w", i+1, s.query, s.c.error(rc))
		}
	}
	return nil
}

// length is how many bytes an argument takes beside what SQLite copies by itself; false: it is none of the plain types.
func length(arg any) (int, bool) {
	switch v := arg.(type) {
	case nil, int, int64, uint64, bool:
		return 0, true
	case string:
		return len(v), true
	case Text:
		return len(v), true
	case []byte:
		return len(v), true
	}
	return 0, false
}

// plainOf is what a value of another type stands for.
func plainOf(arg any) (any, error) {
	if v, ok := arg.(driver.Valuer); ok {
		return v.Value()
	}
	switch v := reflect.ValueOf(arg); v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint64, reflect.Uint32:
		return v.Uint(), nil
	}
	return nil, fmt.Errorf("a %T cannot be bound", arg)
}

// bindPlain puts texts and blobs to at, and moves that on.
func (s *statement) bindPlain(i int32, arg any, at *uintptr) int32 {
	tls := s.c.tls
	switch v := arg.(type) {
	case int64:
		return sqlite3.Xsqlite3_bind_int64(tls, s.handle, i, v)
	case int:
		return sqlite3.Xsqlite3_bind_int64(tls, s.handle, i, int64(v))
	case uint64:
		return sqlite3.Xsqlite3_bind_int64(tls, s.handle, i, int64(v))
	case bool:
		if v {
			return sqlite3.Xsqlite3_bind_int64(tls, s.handle, i, 1)
		}
		return sqlite3.Xsqlite3_bind_int64(tls, s.handle, i, 0)
	case string:
		p := put(at, v)
		return sqlite3.Xsqlite3_bind_text(tls, s.handle, i, p, int32(len(v)), sqlite3.SQLITE_STATIC)
	case Text:
		p := put(at, v)
		return sqlite3.Xsqlite3_bind_text(tls, s.handle, i, p, int32(len(v)), sqlite3.SQLITE_STATIC)
	case []byte:
		if v != nil {
			p := put(at, v)
			return sqlite3.Xsqlite3_bind_blob(tls, s.handle, i, p, int32(len(v)), sqlite3.SQLITE_STATIC)
		}
	}
	return sqlite3.Xsqlite3_bind_null(tls, s.handle, i)
}

func put[B string | Text | []byte](at *uintptr, v B) uintptr {
	p := *at
	copy(memory(p, len(v)), v)
	*at += uintptr(len(v))
	return p
}
