// Package sqlite is the embedded engine: every channel, vote, room and person in one SQLite file, by a driver in pure Go.
//
// # Writing
//
// One goroutine writes. It takes everything that was queued while it committed the last time, runs it in one
// transaction, commits (WAL, synchronous=FULL: the commit is fsynced), tells the sink, and answers the callers. So a
// lone write waits for one fsync and nothing else, and many at once share one. An operation that fails in an unexpected
// way has the transaction rolled back and every operation run again in a transaction of its own, so that it harms nobody
// else.
//
// The queue is bounded by operations and bytes (Options); when it is full, writes are refused at once with
// problem.Overloaded. A caller whose context ends while it is queued is answered at once and its operation never runs; one
// that is being carried out is waited for, which takes as long as a commit.
//
// # Failing
//
// While the disk is full (or a quota is used up) writes return problem.Unavailable with the advice to try again: nothing of them was
// written. Reading goes on, and when there is room again so does writing, by itself.
//
// After any other error of the disk (a failed fsync, a damaged file) nothing is known about what the file
// holds, so the engine stops: nothing is acknowledged any more, all writes return problem.Unavailable, and Ready says why.
// Reading goes on as far as it can. Opening the engine anew, once the cause is gone, starts from what is really there.
//
// # Sharing
//
// A file "<path>.lock", locked as long as the engine is open, keeps a second server off the same data; Open then returns
// ErrInUse. Short writes of another process (a one-time administrator link) use Options.Tool, which does without that
// lock and may do everything but append to channels and delete them.
package sqlite
