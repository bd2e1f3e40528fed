package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/problem"
)

// line is one connection that listens to the hints of some partitions: of all of them where one server has them all, of one each in a cluster.
//
// That it is connected says little: a proxy may swallow what is sent, a primary may have been demoted. So a canary is published when a line
// has been silent for a second, by the way that writes take. A line that stays silent is deaf: it is made anew, and until that
// succeeds the heads are asked every second, so that delivery goes on, slower.
type line struct {
	p          *path
	partitions []int
	up         atomic.Bool  // subscribed, and not deaf
	heardAt    atomic.Int64 // when something last came, in ns since path.began
	ticks      int
	owed       bool          // the last resync failed; of watch
	woken      chan struct{} // asks for a resync
	first      sync.Once
	ready      chan struct{} // closed when it was up for the first time
}

const (
	canaryAfter = time.Second     // of silence
	deafAfter   = 3 * time.Second // of silence
	redialMin   = 50 * time.Millisecond
	redialMax   = time.Second
	asideEvery  = 15 // ticks of canaryAfter: see mayBeAside
)

func (p *path) start() {
	all := make([]int, Partitions)
	for i := range all {
		all[i] = i
	}
	groups := [][]int{all}
	if p.e.client.Mode() == rueidis.ClientModeCluster {
		groups = nil
		for i := range all {
			groups = append(groups, all[i:i+1])
		}
	}
	for _, g := range groups {
		l := &line{p: p, partitions: g, woken: make(chan struct{}, 1), ready: make(chan struct{})}
		p.lines = append(p.lines, l)
		for _, partition := range g {
			p.of[partition] = l
		}
	}
	for _, l := range p.lines {
		p.e.work.Go(l.listen)
		p.e.work.Go(l.watch)
	}
}

// awaitUp returns when every line was subscribed once.
func (p *path) awaitUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.e.o.Patience+answerTimeout)
	defer cancel()
	for _, l := range p.lines {
		select {
		case <-l.ready:
		case <-ctx.Done():
			return unavailable("Redis does not let this server listen (SSUBSCRIBE)", ctx.Err())
		}
	}
	return nil
}

// listen keeps the subscription until the engine closes.
func (l *line) listen() {
	ctx := l.p.e.ctx
	wait := redialMin
	for ctx.Err() == nil {
		began := time.Now()
		err := l.subscribe(ctx)
		if was := l.up.Swap(false); was && ctx.Err() == nil {
			l.p.e.o.Logger.Warn("the hints of other nodes are cut off; readers are served from the log until they are back", "error", err)
			l.doubt()
		}
		if time.Since(began) > redialMax {
			wait = redialMin
		}
		sleep(ctx, wait)
		wait = min(2*wait, redialMax)
	}
}

// errDeaf ends a subscription from which nothing comes.
var errDeaf = errors.New("nothing was heard for too long")

// subscribe listens on a connection of its own until that breaks, and returns why.
func (l *line) subscribe(ctx context.Context) error {
	client, release := l.p.e.client.Dedicate()
	defer release()
	channels := make([]string, len(l.partitions))
	partition := make(map[string]int, len(channels))
	for i, n := range l.partitions {
		channels[i] = l.p.e.keys.hints(n)
		partition[channels[i]] = n
	}
	moved := make(chan struct{}, 1)
	ended := client.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) {
			l.heard()
			l.p.receive(partition[m.Channel], m.Message)
		},
		OnSubscription: func(s rueidis.PubSubSubscription) {
			if s.Kind == "sunsubscribe" { // the slot went to another server
				select {
				case moved <- struct{}{}:
				default:
				}
			}
		},
	})
	limited, cancel := context.WithTimeout(ctx, answerTimeout)
	err := client.Do(limited, client.B().Ssubscribe().Channel(channels...).Build()).Error()
	cancel()
	if err != nil {
		client.Close()
		return err
	}
	l.heard()
	l.up.Store(true)
	l.first.Do(func() { close(l.ready) })
	l.recheck()
	l.doubt()
	defer client.Close()
	tick := time.NewTicker(canaryAfter)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-moved:
			return errors.New("its slot was moved")
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if l.silence() > deafAfter {
				return errDeaf
			}
		}
	}
}

func (l *line) heard() { l.heardAt.Store(int64(time.Since(l.p.began))) }

func (l *line) silence() time.Duration {
	return time.Since(l.p.began) - time.Duration(l.heardAt.Load())
}

// recheck asks for a resync. It does not block.
func (l *line) recheck() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

func (l *line) doubt() {
	if l.p.doubtful == nil {
		return
	}
	for _, partition := range l.partitions {
		l.p.doubtful(partition)
	}
}

// watch sends canaries, and asks the heads where hints may have been missed.
func (l *line) watch() {
	ctx := l.p.e.ctx
	tick := time.NewTicker(canaryAfter)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.woken:
			l.owed = !l.resync(ctx)
		case <-tick.C:
			l.ticks++
			if l.silence() > canaryAfter/2 { // what the last tick's canary brought is a whole one ago
				l.canary(ctx)
			}
			deaf := !l.up.Load() || l.silence() > deafAfter-canaryAfter
			if deaf {
				l.doubt()
			}
			if deaf || l.owed || l.mayBeAside() && l.ticks%asideEvery == 0 {
				l.owed = !l.resync(ctx)
			}
		}
	}
}

// mayBeAside reports whether the line may listen to a replica, which is allowed in a cluster and happens while primaries change. What a
// replica publishes is passed on by the cluster's bus, which may lose some when it reconnects, and nobody would know.
func (l *line) mayBeAside() bool { return l.p.e.client.Mode() == rueidis.ClientModeCluster }

// canary publishes a hint that says nothing, in one partition after the other.
func (l *line) canary(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, canaryAfter)
	defer cancel()
	client := l.p.e.client
	partition := l.partitions[l.ticks%len(l.partitions)]
	_ = client.Do(ctx, client.B().Spublish().Channel(l.p.e.keys.hints(partition)).Message("c 0\n").Build()).Error() // silence tells
}

// resync compares what the sink knows of its channels with their heads, and tells it to ask where they differ. It reports whether it
// could.
func (l *line) resync(ctx context.Context) bool {
	sink := l.p.e.sink.Load()
	if sink == nil {
		return true
	}
	watcher, ok := (*sink).(channel.Watcher)
	if !ok {
		return true
	}
	var watched []channel.Tail
	for _, w := range watcher.Tails() {
		if l.p.of[partitionOf(w.Channel)] == l {
			watched = append(watched, w)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for len(watched) > 0 {
		some := watched[:min(len(watched), 500)]
		watched = watched[len(some):]
		heads, err := l.p.e.heads(ctx, some)
		if err != nil {
			l.p.e.o.Logger.Debug("the heads could not be asked", "error", err)
			return false
		}
		for i, w := range some {
			if !w.Known || heads[i].Deleted || heads[i].Tail != w.Position {
				(*sink).Deleted(w.Channel)
			}
		}
	}
	return true
}

// Ready reports whether writes and hints get through: nil, or why not.
func (e *Engine) Ready(ctx context.Context) error {
	deaf := 0
	for _, l := range e.path.lines {
		if !l.up.Load() || l.silence() > deafAfter {
			deaf += len(l.partitions)
		}
	}
	if deaf > 0 {
		return problem.Unavailable.Detail("this server does not hear what others commit in %d of %d partitions: its readers are served late", deaf, Partitions)
	}
	return e.probe(ctx)
}

// probe writes a key of this node's own by the way that appends take.
func (e *Engine) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deafAfter)
	defer cancel()
	partitions := 1
	if e.client.Mode() == rueidis.ClientModeCluster {
		partitions = Partitions
	}
	var commands rueidis.Commands
	for i := range partitions {
		commands = append(commands, e.client.B().Set().Key(e.keys.lease(i, "ready:"+e.node)).Value("1").Px(10*time.Second).Build())
	}
	for i, result := range e.client.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			return explain(fmt.Errorf("writing in partition %d: %w", i, err))
		}
	}
	return nil
}
