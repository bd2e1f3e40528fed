package sqlite

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley/problem"
)

// op is one write: what the caller of write waits for. It is used again once its caller has the outcome; one that was abandoned is not, as the
// queue has it still.
type op struct {
	ctx   context.Context
	fn    func(*tx) error
	bytes int
	state atomic.Int32
	err   error         // valid once done was received from
	done  chan struct{} // has room for the one token that says that the outcome is known
}

// An op is queued until either the writer takes it or its caller abandons it.
const (
	queued int32 = iota
	taken
	abandoned
)

// take claims the op for the writer; false if nobody waits for it any more.
func (o *op) take() bool {
	if err := o.ctx.Err(); err != nil {
		if o.state.CompareAndSwap(queued, abandoned) {
			o.finish(err)
		}
		return false
	}
	return o.state.CompareAndSwap(queued, taken)
}

func (o *op) finish(err error) {
	o.err = err
	o.done <- struct{}{}
}

// queue holds the ops that wait for the writer, bounded by number and bytes.
type queue struct {
	mu       sync.Mutex
	ops      []*op
	bytes    int
	maxOps   int
	maxBytes int
	closed   bool
	spare    sync.Pool     // of *op
	wake     chan struct{} // holds a token when there is something to take, or the queue was closed
}

func newQueue(maxOps, maxBytes int) *queue {
	return &queue{maxOps: maxOps, maxBytes: maxBytes, wake: make(chan struct{}, 1)}
}

func (q *queue) newOp(ctx context.Context, fn func(*tx) error, bytes int) *op {
	o, ok := q.spare.Get().(*op)
	if !ok {
		o = &op{done: make(chan struct{}, 1)}
	}
	o.ctx, o.fn, o.bytes = ctx, fn, bytes
	o.state.Store(queued)
	return o
}

// outcome is that of an op whose token was received, and takes it back.
func (q *queue) outcome(o *op) error {
	err := o.err
	o.ctx, o.fn, o.err = nil, nil, nil
	q.spare.Put(o)
	return err
}

// put adds o at the end, or refuses it at once.
func (q *queue) put(o *op) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return problem.Unavailable.Detail("The server is stopping").Because(errClosed)
	}
	if len(q.ops) >= q.maxOps || q.bytes+o.bytes > q.maxBytes && len(q.ops) > 0 {
		return problem.Overloaded.Detail("%d writes are waiting for the disk already; try again in a second", len(q.ops)).After(time.Second)
	}
	q.ops = append(q.ops, o)
	q.bytes += o.bytes
	q.signal()
	return nil
}

// take waits for ops and returns all there are; spare is a slice to use again. It returns none when the queue is closed and empty.
//
// Whoever can run runs first, as most of those are about to put something too. Otherwise the writer, which the scheduler runs at
// once when it is woken, finds on a busy processor only the op that woke it, and each op costs a commit of its own. Twice, as
// some are woken by others; and no more, as where much goes on there is always somebody.
func (q *queue) take(spare []*op) []*op {
	for !q.ready() {
		<-q.wake
	}
	for range 2 {
		before := q.len()
		runtime.Gosched()
		if q.len() == before {
			break
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	ops := q.ops
	q.ops, q.bytes = spare[:0], 0
	return ops
}

func (q *queue) ready() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ops) > 0 || q.closed
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ops)
}

// close makes put refuse everything; what is queued can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
