package sqlite

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	sqlite3 "modernc.org/sqlite"

	"parley/engine/sqlite/raw"
	"parley/problem"
)

// What Open may return.
var (
	ErrInUse     = errors.New("the data is in use by another server")
	ErrForeign   = errors.New("the file is not one of Parley's")
	ErrDamaged   = errors.New("the database is damaged")
	ErrNewer     = errors.New("the database was made by a newer version of Parley")
	ErrOldSQLite = errors.New("this SQLite is too old")
)

// errClosed is returned by writes after Close.
var errClosed = errors.New("the engine is closed")

// errFull is the answer to writes while there is no room for them.
var errFull = problem.Unavailable.Detail("The disk is full: nothing can be written until there is room again. Reading goes on; try again later.").After(5 * time.Second)

// errTool is returned where a tool (see Options) would change what the server holds in memory.
var errTool = problem.Unavailable.Detail("A tool beside the server cannot append to channels or delete them: the server would not hear of it")

// SQLite's primary result codes, https://sqlite.org/rescode.html.
const (
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeNoMem    = 7
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeProtocol = 15
	codeNotADB   = 26

	codeIOErrWrite = codeIOErr | 3<<8 // the extended code of a failed write(2)
)

// primaryCode is SQLite's primary result code in err's chain; 0 if there is none.
func primaryCode(err error) int {
	if e, ok := errors.AsType[*raw.Error](err); ok {
		return e.Code & 0xff
	}
	if e, ok := errors.AsType[*sqlite3.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// fatal reports whether err says that the file cannot be relied on any more.
func fatal(err error) bool {
	if errors.Is(err, errUnsettled) {
		return true
	}
	switch primaryCode(err) {
	case codePerm, codeNoMem, codeReadOnly, codeCorrupt, codeCantOpen, codeProtocol, codeNotADB:
		return true
	case codeIOErr:
		return !full(err)
	}
	return false
}

// full reports whether err says that there is no room for what was to be written: on the disk, in the quota, or in a file of the size
// that is allowed. Unlike after a failed fsync everything is known then: it was not written.
func full(err error) bool {
	e, ok := errors.AsType[*raw.Error](err)
	return ok && (e.Code&0xff == codeFull || e.Code == codeIOErrWrite && (e.Errno == syscall.EDQUOT || e.Errno == syscall.EFBIG))
}

// errUnsettled marks a COMMIT or ROLLBACK that failed: nobody knows what the file holds.
var errUnsettled = errors.New("the transaction was neither committed nor rolled back")

// busy reports whether err says that another process was writing all the time.
func busy(err error) bool {
	code := primaryCode(err)
	return code == codeBusy || code == codeLocked
}

// reason is the sentence for the administrator.
func reason(err error) string {
	switch primaryCode(err) {
	case codeIOErr, codeFull:
		return "the disk returned an error"
	case codeCorrupt, codeNotADB:
		return "the file is damaged"
	case codePerm, codeReadOnly, codeCantOpen:
		return "the file may not be written"
	case codeNoMem:
		return "there is not enough memory"
	}
	return "a commit failed"
}

// explain gives errors at opening their name.
func explain(err error) error {
	switch primaryCode(err) {
	case codeNotADB:
		return fmt.Errorf("%w (it is no SQLite database): choose another data folder: %v", ErrForeign, err)
	case codeCorrupt:
		return fmt.Errorf("%w: restore a backup, or salvage it with sqlite3's .recover: %v", ErrDamaged, err)
	}
	return err
}
