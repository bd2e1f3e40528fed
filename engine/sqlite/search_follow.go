package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"parley/channel"
)

const (
	indexLinger = 200 * time.Millisecond // so long more may come before what was committed is indexed
	indexTurn   = 10 * time.Millisecond  // so long the follower works at least before it rests
	indexRest   = 1                      // times as long as it worked it rests
	busyRest    = 9                      // the same where something was committed meanwhile: it takes a tenth of a processor at most
	indexRetry  = 5 * time.Second        // after an error
	mostDirty   = 10_000                 // channels that are remembered; with more, all are looked at
)

// follower brings the index up to what was committed, in the background and behind everything else. It reads the log as any reader does, and the
// index knows of each channel how far it has come: so it goes on there after a restart, and an engine that had no index gets one.
type follower struct {
	e      *Engine
	index  atomic.Pointer[index] // nil: there is none
	lost   atomic.Bool           // it is of no use any more, and to be removed
	ctx    context.Context       // ends with stop, or when the index is lost
	cancel context.CancelFunc
	work   sync.WaitGroup
	wake   chan struct{} // holds a token when there is something to do
	worked time.Duration // since it rested; of the goroutine

	mu      sync.Mutex
	dirty   map[channel.Name]struct{} // something was committed in them
	last    channel.Name              // of those, the last
	all     bool                      // every channel is to be looked at
	working bool                      // what was taken is not done yet
	commits uint64                    // so often something was committed
	seen    uint64                    // of those, when the follower rested last
}

// newFollower makes a follower, which follows once it is started.
func newFollower(e *Engine) *follower {
	f := &follower{e: e, wake: make(chan struct{}, 1), dirty: map[channel.Name]struct{}{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// start opens the index and follows; nobody waits for it. Without an index searches compare every message.
func (f *follower) start() {
	f.again()
	f.work.Go(func() {
		i, err := openIndex(f.e.path+indexSuffix, f.e.o)
		if err != nil {
			f.e.o.Logger.Warn("there is no index of texts: searches compare message by message", "path", f.e.path+indexSuffix, "error", err)
			return
		}
		f.index.Store(i)
		f.run(i)
		f.index.Store(nil)
		_ = i.close()
		if f.lost.Load() {
			_ = removeIndex(i.path) // a new one is made at the next start
		}
	})
}

// stop ends the follower and closes the index.
func (f *follower) stop() {
	f.cancel()
	f.work.Wait()
}

// lose gives up an index that returned an error. What ended with ctx says nothing of the index.
func (f *follower) lose(ctx context.Context, err error) {
	if ctx.Err() != nil || f.ctx.Err() != nil || f.index.Swap(nil) == nil {
		return
	}
	f.e.o.Logger.Error("the index of texts is damaged: until the next start searches compare message by message", "path", f.e.path+indexSuffix, "error", err)
	f.lost.Store(true)
	f.cancel()
}

// committed notes where something was committed. It is called by the writer, for all that it commits.
func (f *follower) committed(ms []channel.Message, deleted []channel.Name) {
	if f.index.Load() == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits++
	for i := range ms {
		if name := ms[i].Channel; name != f.last {
			f.note(name)
		}
	}
	for _, name := range deleted {
		f.note(name)
	}
}

// changed notes that something was removed from a channel.
func (f *follower) changed(name channel.Name) { f.committed(nil, []channel.Name{name}) }

func (f *follower) note(name channel.Name) {
	if kind := name.Kind(); kind != channel.KindRoom && kind != channel.KindDirect {
		return
	}
	if f.last = name; len(f.dirty) >= mostDirty {
		f.all = true
		clear(f.dirty)
	}
	if !f.all {
		f.dirty[name] = struct{}{}
	}
	f.nudge()
}

// again has every channel looked at.
func (f *follower) again() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = true
	f.nudge()
}

func (f *follower) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take takes what there is to do.
func (f *follower) take() (dirty map[channel.Name]struct{}, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dirty, all = f.dirty, f.all
	f.dirty, f.last, f.all = map[channel.Name]struct{}{}, "", false
	f.working = true
	return dirty, all
}

// idle reports whether everything committed before is indexed.
func (f *follower) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.dirty) == 0 && !f.all && !f.working
}

func (f *follower) run(i *index) {
	for f.ctx.Err() == nil {
		select {
		case <-f.wake:
		case <-f.ctx.Done():
			return
		}
		f.rest(indexLinger)
		dirty, all := f.take()
		err := f.catchUp(i, dirty, all)
		f.mu.Lock()
		f.working = false
		f.mu.Unlock()
		if err != nil && f.ctx.Err() == nil {
			f.e.o.Logger.Warn("the index of texts is late: searches compare message by message meanwhile", "error", err)
			f.rest(indexRetry)
			f.again()
		}
	}
}

func (f *follower) rest(d time.Duration) {
	if f.e.o.restless {
		d = 0
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.ctx.Done():
	case <-timer.C:
	}
}

// due is how many times as long as it worked the follower is to rest.
func (f *follower) due() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	busy := f.commits != f.seen
	f.seen = f.commits
	if busy {
		return busyRest
	}
	return indexRest
}

// catchUp indexes what was committed in some channels, or in all.
func (f *follower) catchUp(i *index, dirty map[channel.Name]struct{}, all bool) error {
	if !all {
		for name := range dirty {
			if err := f.channel(i, name); err != nil {
				return err
			}
		}
		return nil
	}
	for _, kind := range []string{channel.KindRoom, channel.KindDirect} {
		after, end := kind+":", kind+";" // the character after the colon
		for {
			names, err := texts(f.e.readRows(f.ctx, "SELECT name FROM channels WHERE name > ? AND name < ? ORDER BY name LIMIT ?", after, end, sweepChannels))
			if err != nil {
				return err
			}
			if len(names) == 0 {
				break
			}
			for _, name := range names {
				if err := f.channel(i, channel.Name(name)); err != nil {
					return err
				}
			}
			after = names[len(names)-1]
		}
	}
	return nil
}

// channel brings the index of a channel up to its end.
func (f *follower) channel(i *index, name channel.Name) error {
	for f.ctx.Err() == nil {
		began := time.Now()
		more, err := f.step(i, name)
		if f.worked += time.Since(began); f.worked > indexTurn {
			f.rest(f.due() * f.worked)
			f.worked = 0
		}
		if err != nil || !more {
			return err
		}
	}
	return f.ctx.Err()
}
