package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/internal/cache"
	"parley/problem"
)

// Options are the engine's settings. The zero Options are good.
type Options struct {
	// Policies says how long each kind of channel keeps its messages, and which kinds are conflated. All nodes must have the same.
	Policies channel.Policies

	// Patience is how long an operation is tried again while Redis does not answer, restarts or changes its primary. Default 5 s.
	Patience time.Duration

	// QueueOps and QueueBytes bound the writes that are under way or wait: defaults 10,000 operations and 64 MiB of data.
	QueueOps   int
	QueueBytes int

	// SweepEvery is how often retention walks all channels. The nodes take turns. Default 10 minutes; negative: never by itself.
	SweepEvery time.Duration

	// Lease is how long a node that is not heard of is taken to live: five quarters of it after it died, the people who were on it are gone.
	// All nodes should have the same. Default 10 s.
	Lease time.Duration

	Clock  func() time.Time // default time.Now
	Logger *slog.Logger     // default: silent
}

func (o Options) withDefaults() Options {
	if o.Patience <= 0 {
		o.Patience = 5 * time.Second
	}
	if o.QueueOps <= 0 {
		o.QueueOps = 10_000
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 64 << 20
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = 10 * time.Minute
	}
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Engine is a connection to the data in Redis. Many nodes share the data, each with an Engine of its own. All methods may be called
// concurrently.
type Engine struct {
	o       Options
	address address
	node    string // this node's name: random, new at every start
	keys    keys
	client  rueidis.Client
	path    *path
	lanes   [Partitions]*lane
	keeper  *keeper
	boxes   ballotBoxes
	owners  *cache.Cache[string, string] // of votes, by code
	here    *attendance
	sink    atomic.Pointer[channel.Sink]
	facts   news
	level   atomic.Pointer[channel.Durability]

	ctx    context.Context // ends when Close has let go what was under way
	cancel context.CancelFunc
	work   sync.WaitGroup // every goroutine

	under      sync.Mutex
	ops, bytes int // under way or waiting
	closed     bool
	empty      chan struct{} // closed when nothing is under way after Close
}

// Open connects to Redis at an address (see the package's documentation) and begins to listen to what other nodes commit. Errors: ErrBadURL, ErrOld, or
// the connection's.
func Open(ctx context.Context, addr string, o Options) (*Engine, error) {
	e, err := connected(addr, o)
	if err != nil {
		return nil, err
	}
	e.empty = make(chan struct{})
	for i := range e.lanes {
		e.lanes[i] = newLane(e, i)
	}
	level := channel.Memory
	e.level.Store(&level)
	e.keeper = &keeper{e}
	e.facts.doubts = make(chan struct{}, 1)
	e.path = newPath(e)
	e.owners = cache.New[string, string](ownersKept)
	e.boxes = ballotBoxes{e: e, waiting: map[string][]*casting{}}
	e.here = newAttendance(e)
	e.path.kinds["f"], e.path.kinds["p"] = e.heardFact, e.here.heard
	e.path.doubtful = func(partition int) {
		e.missedFacts(partition)
		e.here.missed(partition)
	}
	if err := e.start(ctx); err != nil {
		_ = e.Close()
		return nil, err
	}
	return e, nil
}

// connected is an engine that can ask and write, in which nothing runs yet.
func connected(addr string, o Options) (_ *Engine, err error) {
	e := &Engine{o: o.withDefaults(), node: channel.DrawID()}
	if e.address, err = parseAddress(addr); err != nil {
		return nil, err
	}
	e.keys = keys{prefix: e.address.prefix, db: e.address.option.SelectDB}
	if e.client, err = connect(e.address); err != nil {
		return nil, err
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// start begins everything that runs by itself.
func (e *Engine) start(ctx context.Context) error {
	if err := errors.Join(e.checkVersion(ctx), e.checkCopying(ctx)); err != nil {
		return err
	}
	e.path.start()
	e.work.Go(e.keeper.run)
	e.work.Go(e.doubtFacts)
	said := e.checkSettings(ctx, nil)
	e.work.Go(func() { e.watchSettings(said) })
	return e.path.awaitUp(ctx)
}

// checkVersion refuses a Redis without sharded publish/subscribe.
func (e *Engine) checkVersion(ctx context.Context) error {
	hello, err := e.client.Do(ctx, e.client.B().Info().Section("server").Build()).ToString()
	if err != nil {
		return explain(err)
	}
	version := infoField(hello, "redis_version")
	if major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0]); err == nil && major < 7 {
		return fmt.Errorf("%w: it is %s", ErrOld, version)
	}
	return nil
}

// Follow makes sink hear of everything committed from now on, on any node.
func (e *Engine) Follow(sink channel.Sink) { e.sink.Store(&sink) }

// Close waits for what is under way, refuses everything after, and disconnects. The data stays.
func (e *Engine) Close() error {
	e.under.Lock()
	was := e.closed
	e.closed = true
	if !was && e.ops == 0 {
		close(e.empty)
	}
	e.under.Unlock()
	if was {
		return nil
	}
	e.idle()
	e.cancel()
	e.work.Wait()
	e.client.Close()
	return nil
}

// idle waits until nothing is under way, at most as long as an operation may take.
func (e *Engine) idle() {
	timer := time.NewTimer(e.o.Patience + answerTimeout)
	defer timer.Stop()
	select {
	case <-e.empty:
	case <-timer.C:
	}
}

var errClosed = errors.New("the engine is closed")

// admit counts a write in, or refuses it at once. The function it returns counts it out.
func (e *Engine) admit(bytes int) (done func(), err error) {
	e.under.Lock()
	defer e.under.Unlock()
	if e.closed {
		return nil, problem.Unavailable.Detail("The server is stopping").Because(errClosed)
	}
	if e.ops >= e.o.QueueOps || e.bytes+bytes > e.o.QueueBytes && e.ops > 0 {
		return nil, problem.Overloaded.Detail("%d writes are waiting for Redis already; try again in a second", e.ops).After(time.Second)
	}
	e.ops, e.bytes = e.ops+1, e.bytes+bytes
	return func() {
		e.under.Lock()
		defer e.under.Unlock()
		e.ops, e.bytes = e.ops-1, e.bytes-bytes
		if e.closed && e.ops == 0 {
			close(e.empty)
		}
	}, nil
}

// now is the node's clock, as Redis keeps it.
func (e *Engine) now() time.Time { return e.o.Clock().UTC().Truncate(time.Millisecond) }

func (e *Engine) durability() channel.Durability { return *e.level.Load() }
