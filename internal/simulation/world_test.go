package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/channel"
	"parley/client"
)

// The channels, of each kind of policy.
var (
	names    = []channel.Name{"room:a", "room:b", "short:c", "brief:d", "vote:e", doomed}
	policies = channel.Policies{
		"short": {KeepCount: 20},
		"brief": {KeepAge: 5 * time.Second},
		"vote":  {KeepCount: 50, Conflate: true},
	}
)

const doomed = channel.Name("room:doomed")

// settle is how long everybody has, once all is well, to get to the tail: a client finds out that a connection is dead, waits and
// retries within less.
const settle = 5 * time.Minute

// bursts come in the end, when all is well and everybody listens: after each, silence must find everybody at the tail.
const bursts = 8

// world is one run.
type world struct {
	t      *testing.T
	plan   plan
	dir    string
	net    *network
	truth  *truth
	bad    atomic.Bool // there are faults
	random *rand.Rand  // the director's

	mu       sync.Mutex
	process  *process // nil: it is down
	path     string   // of the database
	restore  bool     // path is an older copy, not looked at yet
	copies   []string // older ones, ascending
	taken    int      // copies, ever
	lives    uint64
	deaths   int
	reviving sync.WaitGroup
	spoken   int // in bursts

	publishers []*publisher
	readers    []*reader
}

// plan is what a seed draws before it begins.
type plan struct {
	seed       uint64
	hints      bool // an engine of many nodes
	cache      int
	publishers int
	readers    int
	faults     int
	lasts      time.Duration
	padding    int // bytes in each message of a burst: with many, an answer cannot take all there is
}

func draw(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 0))
	return plan{
		seed: seed, hints: r.IntN(2) == 0, cache: []int{1, 1, 5, 256}[r.IntN(4)],
		publishers: 1 + r.IntN(3), readers: 2 + r.IntN(4), faults: r.IntN(9), lasts: time.Duration(5+r.IntN(40)) * time.Second,
		padding: []int{0, 0, 0, 15000}[r.IntN(4)],
	}
}

// source makes a source of randomness for each one who needs it.
func (w *world) source(who uint64) *rand.Rand { return rand.New(rand.NewPCG(w.plan.seed, who)) }

// upTo draws a time from nothing up to d.
func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

func (w *world) faulty() bool { return w.bad.Load() }

// run is the whole run; it returns what was wrong.
func (w *world) run() []string {
	w.random = w.source(1)
	w.net = newNetwork()
	w.truth = newTruth(policies)
	w.path = filepath.Join(w.dir, "parley.db")
	w.revive(0)
	w.net.bad = w.plan.faults > 0
	w.bad.Store(w.plan.faults > 0)

	var people, publishing sync.WaitGroup
	ctx, stop := context.WithCancel(w.t.Context())
	defer stop()
	readers := make([]*reader, w.plan.readers)
	for i := range readers {
		readers[i] = w.newReader(i)
		people.Go(func() { readers[i].read(ctx) })
	}
	publishers := make([]*publisher, w.plan.publishers)
	for i := range publishers {
		publishers[i] = w.newPublisher(i)
		publishing.Go(func() { publishers[i].publish(ctx) })
	}
	w.direct()
	w.calm()
	publishing.Wait()
	time.Sleep(settle)
	w.checkpoint(readers)
	for range bursts {
		w.burst(readers)
		time.Sleep(time.Minute)
		w.checkpoint(readers)
	}

	stop()
	people.Wait()
	w.reviving.Wait()
	w.truth.present(w.process.hub)
	leaving, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.process.leave(leaving); err != nil {
		w.truth.bad("leaving: %v", err)
	}
	w.publishers, w.readers = publishers, readers
	return w.judge(publishers, readers)
}

// burst has some messages committed so quickly that readers come, are read to, woken and answered meanwhile.
func (w *world) burst(readers []*reader) {
	hub, random, hot := w.process.hub, w.source(4000+w.lives), names[:1+w.random.IntN(len(names)-1)] // without the doomed one
	var all sync.WaitGroup
	for _, r := range readers {
		after, to := upTo(random, 100*time.Millisecond), client.Transports[random.IntN(4)]
		all.Go(func() {
			time.Sleep(after)
			_ = r.client.UseTransport(to)
		})
	}
	for range 1 + random.IntN(20) {
		if w.plan.hints && random.IntN(5) == 0 { // for caution
			w.process.engine.sink.Deleted(hot[random.IntN(len(hot))])
		}
		drafts := make([]channel.Draft, 1+random.IntN(3))
		for i := range drafts {
			w.spoken++
			drafts[i] = channel.Draft{
				Channel: hot[random.IntN(len(hot))], Key: fmt.Sprintf("burst.%d", w.spoken), Type: "text",
				From: channel.Sender{ID: "burst", Name: "burst"}, Data: fmt.Appendf(nil, `{"text":"%*s"}`, w.plan.padding, "now"),
			}
		}
		all.Go(func() {
			if _, err := hub.Append(context.Background(), drafts...); err != nil {
				w.truth.note("in a burst: %v", err)
			}
		})
		time.Sleep(upTo(random, 10*time.Millisecond))
	}
	all.Wait()
}

// checkpoint has all readers be at the tail now.
func (w *world) checkpoint(readers []*reader) {
	synctest.Wait()
	w.truth.mu.Lock()
	defer w.truth.mu.Unlock()
	for _, r := range readers {
		for name, got := range r.got {
			h := w.truth.of(name)
			got.add(event{at: time.Now(), checkpoint: true, tail: h.tail, gone: h.gone})
		}
	}
}

// newClient is a person's program.
func (w *world) newClient(who string, seat uint64, buffer int) (*client.Client, func()) {
	wire := &http.Transport{DialContext: w.net.dialer(w.source(2000 + seat))}
	random := w.source(3000 + seat)
	var mu sync.Mutex
	c, err := client.New("http://parley.test", client.Options{
		Token: who, Buffer: buffer, HTTPClient: &http.Client{Transport: wire},
		Transport: client.Transports[random.IntN(4)],
		Random:    func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() },
	})
	if err != nil {
		panic(err)
	}
	return c, func() { c.Close(); wire.CloseIdleConnections() }
}

// revive starts the server, after a while.
func (w *world) revive(after time.Duration) {
	time.Sleep(after)
	w.mu.Lock()
	path, restore := w.path, w.restore
	w.restore = false
	w.lives++
	life := w.lives
	w.mu.Unlock()
	p, err := w.boot(path, restore, life)
	if err != nil {
		panic(fmt.Sprintf("opening %s: %v", path, err))
	}
	w.mu.Lock()
	w.process = p
	w.mu.Unlock()
}

// afterDeath buries the process of an engine that has died, and starts the next.
func (w *world) afterDeath() {
	w.mu.Lock()
	p := w.process
	w.process = nil
	downtime := upTo(w.source(5000+w.lives), 5*time.Second)
	w.deaths++
	w.mu.Unlock()
	_ = p.end()
	w.revive(downtime)
	w.reviving.Done()
}
