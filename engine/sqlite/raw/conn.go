package raw

import (
	"fmt"
	"syscall"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Conn is an open connection.
type Conn struct {
	tls        *libc.TLS
	db         uintptr // sqlite3*
	out        uintptr // room for one pointer that a call returns
	statements map[string]*statement
	walMethods uintptr // see TuneWAL; 0 for none
}

// Error is what SQLite says.
type Error struct {
	Code  int           // extended result code, https://sqlite.org/rescode.html
	Errno syscall.Errno // of the operating system, where an error of its own is behind SQLITE_IOERR or SQLITE_CANTOPEN
	text  string
}

func (e *Error) Error() string { return e.text }

// Open opens the database that a URI names (https://sqlite.org/uri.html), and makes its file if it is absent.
func Open(uri string) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS(), statements: make(map[string]*statement)}
	c.out = c.alloc(int(unsafe.Sizeof(uintptr(0))))
	name := c.text(uri)
	defer c.free(name)
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out,
		sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE|sqlite3.SQLITE_OPEN_NOMUTEX|sqlite3.SQLITE_OPEN_URI, 0)
	c.db = c.returned() // of a failed call too, which has its message there
	if rc != sqlite3.SQLITE_OK {
		err := c.error(rc)
		_ = c.Close()
		return nil, err
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	return c, nil
}

// Close ends the connection; what is not committed is rolled back.
func (c *Conn) Close() error {
	for _, s := range c.statements {
		s.finalize()
	}
	clear(c.statements)
	var err error
	if rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db); rc != sqlite3.SQLITE_OK {
		err = c.error(rc)
	}
	c.free(c.walMethods)
	c.free(c.out)
	c.tls.Close()
	return err
}

// Script runs statements without arguments, one after the other, and passes over the rows they return.
func (c *Conn) Script(statements string) error {
	text := c.text(statements)
	defer c.free(text)
	if rc := sqlite3.Xsqlite3_exec(c.tls, c.db, text, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	return nil
}

// InTransaction reports whether BEGIN was run, and neither COMMIT nor ROLLBACK since, by the caller or, after some errors, by SQLite.
func (c *Conn) InTransaction() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// error describes the last call's failure.
func (c *Conn) error(rc int32) error {
	text := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 {
		if said := libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db)); said != text {
			text += ": " + said
		}
	}
	e := &Error{Code: int(rc)}
	if primary := rc & 0xff; c.db != 0 && (primary == sqlite3.SQLITE_IOERR || primary == sqlite3.SQLITE_CANTOPEN) {
		if e.Errno = syscall.Errno(sqlite3.Xsqlite3_system_errno(c.tls, c.db)); e.Errno != 0 {
			text += ": " + e.Errno.Error()
		}
	}
	e.text = fmt.Sprintf("%s (%d)", text, rc)
	return e
}

// alloc returns C memory. Like most of what calls malloc, it does not go on without.
func (c *Conn) alloc(n int) uintptr {
	p := sqlite3.Xsqlite3_malloc64(c.tls, uint64(n))
	if p == 0 {
		panic(fmt.Sprintf("raw: no memory for %d bytes", n))
	}
	return p
}

func (c *Conn) free(p uintptr) { sqlite3.Xsqlite3_free(c.tls, p) }

// text returns a copy of s as C has it.
func (c *Conn) text(s string) uintptr {
	p := c.alloc(len(s) + 1)
	b := memory(p, len(s)+1)
	copy(b, s)
	b[len(s)] = 0
	return p
}

func (c *Conn) returned() uintptr { return **(**uintptr)(unsafe.Pointer(&c.out)) }

// memory is n bytes of C's memory.
func memory(p uintptr, n int) []byte {
	if n == 0 {
		return nil
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n)
}
