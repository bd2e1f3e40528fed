package simulation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"parley/channel"
	"parley/engine/sqlite"
	"parley/problem"
)

// engine is the SQLite engine with faults. It lives as long as its node.
type engine struct {
	w     *world
	seed  uint64
	hints bool // it announces as an engine of many nodes does

	mu      sync.Mutex
	file    *file
	sink    channel.Sink
	dead    bool      // no word leaves it any more
	slow    time.Time // until then
	failing time.Time
	deaf    time.Time                  // announcements are lost until then
	die     func(at moment) bool       // asked at each append
	due     map[channel.Name]time.Time // when the last announcement of a channel arrives
	drawn   map[string]uint64          // how often a fate was drawn
	errands sync.WaitGroup
}

type moment int

const (
	beforeCommit moment = iota
	afterCommit         // and before anybody is told
)

// file is an open database: the engine's, until an older copy replaces it.
type file struct {
	*sqlite.Engine
	path string
	of   *engine
}

func (w *world) openEngine(path string, life uint64) (*engine, error) {
	e := &engine{w: w, seed: w.plan.seed*1000 + life, drawn: map[string]uint64{}, hints: w.plan.hints, die: func(moment) bool { return false }, due: map[channel.Name]time.Time{}}
	var err error
	e.file, err = e.open(path)
	return e, err
}

func (e *engine) open(path string) (*file, error) {
	inner, err := sqlite.Open(path, sqlite.Options{Policies: policies, SweepEvery: 3 * time.Second})
	if err != nil {
		return nil, err
	}
	f := &file{inner, path, e}
	inner.Follow(f)
	return f, nil
}

// copyTo writes a copy of the database as it is now.
func (e *engine) copyTo(path string) error {
	db, err := sql.Open("sqlite", e.current().path)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec("VACUUM INTO ?", path)
	return err
}

// adopt tells the truth what an older copy has that was taken up: what is behind it is lost. e.mu is held, or nobody else is there.
func (f *file) adopt() {
	truth := f.of.w.truth
	for _, name := range names {
		b, err := f.Read(context.Background(), name, channel.End, 1, 1)
		gone := errors.Is(err, channel.ErrDeleted) || b.Gap != nil && b.Gap.Reason == channel.Deleted
		if err != nil && !gone {
			panic(err)
		}
		if !gone { // else it ended there, and nothing was said since
			truth.restored(name, b.To)
		}
	}
	truth.mu.Lock()
	truth.restores++
	truth.mu.Unlock()
}

// failOver puts an older copy in the place of the database, while the node runs. The hub is told a little later.
func (e *engine) failOver(path string) bool {
	f, err := e.open(path)
	if err != nil {
		panic(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		_ = f.Close()
		return false
	}
	old := e.file
	f.adopt()
	e.file = f
	for _, name := range names {
		e.tellAgain(name)
	}
	e.errands.Go(func() { _ = old.Close() })
	return true
}

func (e *engine) current() *file {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.file
}

// cut silences the engine: the machine has no power.
func (e *engine) cut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dead = true
}

func (e *engine) close() error {
	e.cut()
	err := e.current().Close()
	e.errands.Wait()
	return err
}

// heal ends the faults.
func (e *engine) heal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slow, e.failing, e.deaf = time.Time{}, time.Time{}, time.Time{}
	e.die = func(moment) bool { return false }
}

// fate is the source for one operation: of its name and how often that was, so that it does not depend on what else happens at the same
// instant. e.mu is held.
func (e *engine) fate(what string) *rand.Rand {
	e.drawn[what]++
	h := fnv.New64a()
	fmt.Fprint(h, what, " ", e.drawn[what])
	return rand.New(rand.NewPCG(e.seed, h.Sum64()))
}

// trouble is what befalls an operation before it is carried out.
func (e *engine) trouble(ctx context.Context, what string, patient bool) error {
	e.mu.Lock()
	random := e.fate(what)
	now := time.Now()
	slow, failing, dead := e.slow.After(now), e.failing.After(now), e.dead
	delay := upTo(random, 2*time.Second)
	if !slow {
		delay /= 100
	}
	overloaded := random.IntN(2) == 0
	e.mu.Unlock()
	switch {
	case dead, failing && !overloaded:
		return problem.Unavailable.Detail("the engine is away").After(time.Second)
	case failing:
		return problem.Overloaded.Detail("the engine is busy").After(time.Second)
	case !patient:
		return nil
	}
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errDead = problem.Unavailable.Detail("the node has no power")

// dies tells whether this is the end.
func (e *engine) dies(at moment) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.dead && e.die(at) {
		e.dead = true
		e.w.net.powerOff()
		e.w.reviving.Add(1)
		go e.w.afterDeath()
	}
	return e.dead
}

func (e *engine) Append(ctx context.Context, drafts ...channel.Draft) ([]channel.Receipt, error) {
	if err := e.trouble(ctx, "append "+drafts[0].Key, true); err != nil {
		return nil, err
	}
	if e.dies(beforeCommit) {
		return nil, errDead
	}
	f := e.current()
	receipts, err := f.Append(ctx, drafts...)
	e.mu.Lock()
	gone := e.dead || e.file != f
	e.mu.Unlock()
	if gone {
		return nil, errDead
	}
	if err2 := e.trouble(ctx, "answer "+drafts[0].Key, true); err2 != nil && err == nil {
		return nil, err2 // it is committed, and the publisher does not learn it
	}
	return receipts, err
}

func (e *engine) Read(ctx context.Context, name channel.Name, after channel.Position, limit, maxBytes int) (channel.Batch, error) {
	if err := e.trouble(ctx, fmt.Sprintf("read %s %d", name, after.Seq), true); err != nil {
		return channel.Batch{}, err
	}
	b, err := e.current().Read(ctx, name, after, limit, maxBytes)
	if err2 := e.trouble(ctx, fmt.Sprintf("answer %s %d", name, after.Seq), true); err2 != nil {
		return channel.Batch{}, err2
	}
	return b, err // which may be of the past by now
}

// Tail is not slow: who asks for it holds locks, under which a bubble's clock stands still.
func (e *engine) Tail(ctx context.Context, name channel.Name) (channel.Position, error) {
	if err := e.trouble(ctx, "tail "+string(name), false); err != nil {
		return channel.Position{}, err
	}
	return e.current().Tail(ctx, name)
}

func (e *engine) Before(ctx context.Context, name channel.Name, before channel.Position, limit, maxBytes int) (channel.Batch, error) {
	return e.current().Before(ctx, name, before, limit, maxBytes)
}

func (e *engine) Message(ctx context.Context, name channel.Name, seq uint64) (channel.Message, error) {
	return e.current().Message(ctx, name, seq)
}

func (e *engine) Delete(ctx context.Context, name channel.Name) error {
	e.w.truth.deletes(name)
	return e.current().Delete(ctx, name)
}

func (e *engine) Signal(ctx context.Context, s channel.Signal) error {
	return e.current().Signal(ctx, s)
}

func (e *engine) Follow(sink channel.Sink) { e.sink = sink }
