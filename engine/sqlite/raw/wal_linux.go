package raw

import (
	"unsafe"

	"golang.org/x/sys/unix"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// walMethods is how the WAL is written: as SQLite does it, but for what TuneWAL says.
type walMethods struct {
	sqlite3.Tsqlite3_io_methods
	original uintptr // SQLite's own
	size     int64   // of the file, as far as is known
}

// walStep is by how much the WAL grows at once, in bytes.
const walStep = 1 << 20

// TuneWAL makes commits cheaper. Nothing changes in what is on the disk when one is done. The WAL must be open; checkpoints go on as they were.
//
// A commit calls fdatasync(2), as SQLite does it where systems build it (HAVE_FDATASYNC); translated for us it calls fsync(2), which also waits until
// the file's times are in the file system's journal, and whatever else is.
//
// The file grows by zeros, many commits ahead. Where each commit makes the file longer, each waits until the file system has noted that too, on the disk;
// one that writes over what is there waits for its own bytes alone. To SQLite zeros are what it finds behind its last commit after each
// checkpoint: frames of another time, as their salt does not fit (https://sqlite.org/fileformat2.html#the_write_ahead_log).
func (c *Conn) TuneWAL() error {
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
	*m = walMethods{Tsqlite3_io_methods: *at[sqlite3.Tsqlite3_io_methods](wal.FpMethod), original: wal.FpMethod}
	m.FxSync, m.FxWrite, m.FxTruncate = pointer(syncWAL), pointer(writeWAL), pointer(truncateWAL)
	wal.FpMethod = c.walMethods
	return nil
}

type (
	xSync     func(tls *libc.TLS, file uintptr, flags int32) int32
	xWrite    func(tls *libc.TLS, file, p uintptr, n int32, offset int64) int32
	xTruncate func(tls *libc.TLS, file uintptr, size int64) int32
)

// syncWAL is the xSync of a WAL.
func syncWAL(tls *libc.TLS, file uintptr, flags int32) int32 {
	const newInFolder = 0x08 // UNIXFILE_DIRSYNC: the folder is to be synced too, the first time
	wal, _, original := ofWAL(file)
	if wal.FctrlFlags&newInFolder != 0 {
		return (*call[xSync](&original.FxSync))(tls, file, flags)
	}
	if libc.Xfdatasync(tls, wal.Fh) != 0 {
		wal.FlastErrno = *at[int32](libc.X__errno_location(tls))
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	return sqlite3.SQLITE_OK
}

// writeWAL is the xWrite of a WAL.
func writeWAL(tls *libc.TLS, file, p uintptr, n int32, offset int64) int32 {
	wal, m, original := ofWAL(file)
	if end := offset + int64(n); end > m.size {
		m.size = lengthen(int(wal.Fh), end)
	}
	return (*call[xWrite](&original.FxWrite))(tls, file, p, n, offset)
}

// lengthen makes the file longer than end, and returns its size. Where that fails, as on a full disk, the write itself will tell what matters.
func lengthen(fd int, end int64) int64 {
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil {
		return 0
	}
	size := s.Size
	if size >= end {
		return size
	}
	for full := (end/walStep + 1) * walStep; size < full; {
		n, err := unix.Pwrite(fd, zeros[:min(full-size, int64(len(zeros)))], size)
		if err != nil {
			break
		}
		size += int64(n)
	}
	return size
}

var zeros [64 << 10]byte

// truncateWAL is the xTruncate of a WAL.
func truncateWAL(tls *libc.TLS, file uintptr, size int64) int32 {
	_, m, original := ofWAL(file)
	m.size = 0
	return (*call[xTruncate](&original.FxTruncate))(tls, file, size)
}

func ofWAL(file uintptr) (*sqlite3.TunixFile, *walMethods, *sqlite3.Tsqlite3_io_methods) {
	wal := at[sqlite3.TunixFile](file)
	m := at[walMethods](wal.FpMethod)
	return wal, m, at[sqlite3.Tsqlite3_io_methods](m.original)
}

// at is what C has at p.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// pointer is f as C has it: the address of what is called, which for a function of a package never changes. call is the way back.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }
func call[F any](p *uintptr) *F  { return (*F)(unsafe.Pointer(p)) }
