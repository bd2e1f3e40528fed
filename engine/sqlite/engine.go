package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/channel"
	"parley/problem"
)

// Options are the engine's settings. The zero Options are good.
type Options struct {
	// Policies says how long each kind of channel keeps its messages, and which kinds are conflated.
	Policies channel.Policies

	// QueueOps and QueueBytes bound what waits for the writer: defaults 4,096 operations and 16 MiB of data.
	QueueOps   int
	QueueBytes int

	// Readers is how many reads run at once; more wait. Default 4. Each costs up to about 1 MB.
	Readers int

	// SweepEvery is how often retention walks all channels. Default 10 minutes; negative: never by itself.
	SweepEvery time.Duration

	// BusyTimeout is how long to wait for another process that is writing (see Tool). Default 5 s.
	BusyTimeout time.Duration

	// Tool opens the data beside a running server, for a short write. Appending to channels is refused, because the
	// server would not hear of it.
	Tool bool

	unsearched bool // no index of texts is kept: nobody searches while something is copied
	restless   bool // the index is made as fast as can be: tests wait for it

	Clock  func() time.Time // default time.Now
	Logger *slog.Logger     // default: silent
}

func (o Options) withDefaults() Options {
	if o.QueueOps <= 0 {
		o.QueueOps = 4096
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 16 << 20
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = 10 * time.Minute
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 5 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Engine is an open database. All methods may be called concurrently, Follow excepted.
type Engine struct {
	o        Options
	path     string
	lock     *lock
	writer   *writer
	keeper   *keeper
	follower *follower
	read     *sql.DB  // read-only connections
	reads    sync.Map // query text → *sql.Stmt of read
	sink     channel.Sink
	failure  atomic.Pointer[problem.Problem]
	closing  sync.Once
}

// Open opens the database file at path, and makes it, with its folder, if it is absent. Errors: ErrInUse, ErrForeign,
// ErrDamaged, ErrNewer, ErrOldSQLite, or the operating system's.
func Open(path string, o Options) (_ *Engine, err error) {
	e := &Engine{o: o.withDefaults(), path: path}
	defer func() {
		if err != nil {
			e.release()
			err = fmt.Errorf("opening %s: %w", path, err)
		}
	}()
	if err := createFile(path); err != nil {
		return nil, err
	}
	if !o.Tool {
		if e.lock, err = acquire(path + ".lock"); err != nil {
			return nil, err
		}
	}
	if e.writer, err = newWriter(e); err != nil {
		return nil, err
	}
	if e.read, err = openReaders(path, e.o); err != nil {
		return nil, err
	}
	e.writer.start()
	e.keeper, e.follower = newKeeper(e), newFollower(e)
	if !o.Tool {
		e.keeper.start()
	}
	if !o.Tool && !o.unsearched {
		e.follower.start()
	}
	return e, nil
}

// Close commits what is queued, refuses everything after, and closes the file.
func (e *Engine) Close() error {
	var err error
	e.closing.Do(func() {
		e.keeper.stop()
		e.follower.stop()
		e.writer.stop()
		err = e.release()
	})
	return err
}

func (e *Engine) release() error {
	var errs []error
	if e.read != nil {
		errs = append(errs, e.read.Close())
	}
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.release())
	}
	return errors.Join(errs...)
}

// Ready reports whether the engine commits: nil, or why it does not. Where the disk was full it tries.
func (e *Engine) Ready(ctx context.Context) error {
	return e.write(ctx, func(t *tx) error {
		if !t.w.full {
			return nil
		}
		_, err := t.exec(fmt.Sprintf("PRAGMA user_version = %d", schemaVersion)) // what it is already
		return err
	})
}

// Follow makes sink hear of everything committed from now on. It is called once, before the engine is used.
func (e *Engine) Follow(sink channel.Sink) { e.sink = sink }

// fail stops the engine: see "Failing" in the package's documentation.
func (e *Engine) fail(cause error) {
	p := problem.Unavailable.Detail("The database cannot be written any more: %s. Restart the server when that is repaired.", reason(cause)).Because(cause)
	if e.failure.CompareAndSwap(nil, p) {
		e.o.Logger.Error("the engine stopped", "path", e.path, "error", cause)
	}
}

// stopped returns why the engine accepts nothing any more, or nil.
func (e *Engine) stopped() error {
	if p := e.failure.Load(); p != nil {
		return p
	}
	return nil
}

// readRow runs a query for one row on a read-only connection. The statement is prepared once for each query text.
func (e *Engine) readRow(ctx context.Context, query string, args ...any) row {
	s, err := e.readStmt(query)
	if err != nil {
		return row{err: err}
	}
	return row{row: s.QueryRowContext(ctx, args...)}
}

// readRows is readRow for many rows.
func (e *Engine) readRows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := e.readStmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (e *Engine) readStmt(query string) (*sql.Stmt, error) {
	if s, ok := e.reads.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := e.read.Prepare(query)
	if err != nil {
		return nil, err
	}
	if other, loaded := e.reads.LoadOrStore(query, s); loaded {
		_ = s.Close()
		return other.(*sql.Stmt), nil
	}
	return s, nil
}

// row is a *sql.Row, or the error that prevented it.
type row struct {
	row *sql.Row
	err error
}

// Scan is that of *sql.Row: sql.ErrNoRows when there is none.
func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dest...)
}
