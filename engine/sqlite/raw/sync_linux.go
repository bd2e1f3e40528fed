package raw

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// walMethods is how the WAL is written: as SQLite does it, but for xSync.
type walMethods struct {
	sqlite3.Tsqlite3_io_methods
	sync uintptr // SQLite's own xSync
}

// SyncData makes commits call fdatasync(2), as SQLite does where systems build it (HAVE_FDATASYNC); translated for us it calls fsync(2), which
// also waits until the file's times are in the file system's journal, and whatever else is. Everything that is needed to read the file again is on the disk
// in both cases. The WAL must be open; checkpoints go on as they were.
func (c *Conn) SyncData() error {
	name := c.text("main")
	defer c.free(name)
	if rc := sqlite3.Xsqlite3_file_control(c.tls, c.db, name, sqlite3.SQLITE_FCNTL_JOURNAL_POINTER, c.out); rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	wal := at[sqlite3.TunixFile](c.returned())
	if wal.FpMethod == 0 || c.walMethods != 0 {
		return nil
	}
	c.walMethods = c.alloc(int(unsafe.Sizeof(walMethods{})))
	m := at[walMethods](c.walMethods)
	m.Tsqlite3_io_methods = *at[sqlite3.Tsqlite3_io_methods](wal.FpMethod)
	m.sync, m.FxSync = m.FxSync, pointer(syncData)
	wal.FpMethod = c.walMethods
	return nil
}

type xSync func(tls *libc.TLS, file uintptr, flags int32) int32

// syncData is the xSync of a WAL.
func syncData(tls *libc.TLS, file uintptr, flags int32) int32 {
	const newInFolder = 0x08 // UNIXFILE_DIRSYNC: the folder is to be synced too, the first time
	wal := at[sqlite3.TunixFile](file)
	if wal.FctrlFlags&newInFolder != 0 {
		original := (*xSync)(unsafe.Pointer(&at[walMethods](wal.FpMethod).sync))
		return (*original)(tls, file, flags)
	}
	if libc.Xfdatasync(tls, wal.Fh) != 0 {
		wal.FlastErrno = *at[int32](libc.X__errno_location(tls))
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	return sqlite3.SQLITE_OK
}

// at is what C has at p.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// pointer is f as C has it: the address of what is called, which for a function of a package never changes.
func pointer(f xSync) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }
