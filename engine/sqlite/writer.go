package sqlite

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"parley/engine/sqlite/raw"
	"parley/problem"
)

// opBytes is what an operation counts for in the queue beside its data.
const opBytes = 512

// write has fn run by the writer, in one transaction with whatever else is queued, and returns after the commit.
//
// fn may be run again when the transaction had to be rolled back, so it must reset what it captured. It returns its
// domain errors (not found, refused…) before its first write; any error after that rolls back, with the rest of the group
// being run again without it. fn runs on the writer's goroutine: it must not block, and must not call write.
//
// If ctx ends while the operation is queued, write returns ctx.Err() and fn never runs. Once taken, it is waited for:
// so whatever fn captured may be read after write returned, and its error is the operation's real outcome.
func (e *Engine) write(ctx context.Context, fn func(*tx) error) error {
	return e.writeBytes(ctx, 0, fn)
}

// writeBytes is write with the size of the data that the operation holds in the queue.
func (e *Engine) writeBytes(ctx context.Context, bytes int, fn func(*tx) error) error {
	if err := e.stopped(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	o := e.writer.queue.newOp(ctx, fn, opBytes+bytes)
	if err := e.writer.queue.put(o); err != nil {
		return err
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		if o.state.CompareAndSwap(queued, abandoned) {
			return ctx.Err()
		}
		<-o.done
	}
	return e.writer.queue.outcome(o)
}

// writer is the one goroutine that writes.
type writer struct {
	e     *Engine
	conn  *raw.Conn
	queue *queue
	done  chan struct{} // closed when the goroutine has ended; nil: never started
	tx    tx
	wrote bool // whether the transaction has something to write
	full  bool // whether there was no room for the last that had; of the goroutine
}

func newWriter(e *Engine) (*writer, error) {
	conn, err := openWriter(e.path, e.o)
	if err != nil {
		return nil, err
	}
	w := &writer{e: e, conn: conn, queue: newQueue(e.o.QueueOps, e.o.QueueBytes)}
	if err := prepare(conn); err != nil {
		_ = w.close()
		return nil, err
	}
	if err := conn.TuneWAL(); err != nil {
		_ = w.close()
		return nil, err
	}
	w.tx.init(w)
	return w, nil
}

func (w *writer) start() {
	w.done = make(chan struct{})
	go func() {
		defer close(w.done)
		var spare []*op
		for {
			ops := w.queue.take(spare)
			if len(ops) == 0 {
				return
			}
			w.group(ops)
			clear(ops)
			spare = ops
		}
	}()
}

// stop lets the writer finish what is queued and waits for it.
func (w *writer) stop() {
	w.queue.close()
	<-w.done
}

func (w *writer) close() error { return w.conn.Close() }

// group commits ops together; if that fails for a reason that one of them may have, each alone.
func (w *writer) group(ops []*op) {
	live := ops[:0]
	for _, o := range ops {
		if o.take() {
			live = append(live, o)
		}
	}
	if len(live) == 0 {
		return
	}
	err := w.transaction(live)
	if err != nil && len(live) > 1 && !busy(err) && !full(err) && !fatal(err) {
		for i := range live {
			w.settle(live[i:i+1], w.transaction(live[i:i+1]))
		}
		return
	}
	w.settle(live, err)
}

// settle tells the sink and answers the callers: with their own outcome if the transaction was committed, with err if not.
func (w *writer) settle(ops []*op, err error) {
	switch {
	case err == nil:
		w.room()
		w.tx.publish()
	case fatal(err):
		w.e.fail(err)
		err = w.e.stopped()
	case full(err):
		w.noRoom(err)
		err = errFull.Because(err)
	case busy(err):
		err = problem.Unavailable.Detail("Another process is writing to the database for longer than %s", w.e.o.BusyTimeout).After(time.Second).Because(err)
	}
	for _, o := range ops {
		if err != nil {
			o.err = err
		}
		o.finish(o.err)
	}
}

// noRoom and room note that the disk is full, and that it is so no more.
func (w *writer) noRoom(err error) {
	if !w.full {
		w.full = true
		w.e.o.Logger.Error("the disk is full: writes are refused until there is room", "path", w.e.path, "error", err)
	}
}

func (w *writer) room() {
	if w.full && w.wrote {
		w.full = false
		w.e.o.Logger.Info("there is room on the disk again", "path", w.e.path)
	}
}

// transaction runs ops in one transaction. If it returns an error nothing was committed, unless the error is fatal.
func (w *writer) transaction(ops []*op) (err error) {
	if err := w.e.stopped(); err != nil {
		return err
	}
	t := &w.tx
	w.wrote = false
	if err := t.begin(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
			w.e.o.Logger.Error("a write panicked", "panic", p)
		}
		if err != nil {
			err = t.rollback(err)
		}
	}()
	for _, o := range ops {
		if o.err = nil; w.e.stopped() != nil {
			return w.e.stopped()
		}
		if o.err = t.run(o.fn); o.err != nil && (t.written || full(o.err) || fatal(o.err)) {
			return o.err
		}
		w.wrote = w.wrote || t.written
	}
	if err := t.runOnces(); err != nil {
		return err
	}
	return t.commit()
}
