package redis

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/problem"
)

var leaseScript = newScript(frees, "presence_lease")

// keepLease renews the node's lease four times in its length, and every time looks for people of nodes that have none. So who was on a node
// that died is gone after at most five quarters of Options.Lease; a little later if no other node has been there so long.
func (a *attendance) keepLease() {
	every := a.e.o.Lease / 4
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(a.e.ctx, a.e.o.Lease)
		if err := a.renew(ctx); err != nil && a.e.ctx.Err() == nil {
			a.e.o.Logger.Debug("the lease of this node could not be renewed; trying again", "error", err)
		}
		cancel()
		select {
		case <-a.e.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renew keeps the lease, or takes a new one, and sweeps.
func (a *attendance) renew(ctx context.Context) error {
	// First who told of somebody, then who lives: who has told by then has a lease by then.
	a.mu.Lock()
	lease, before := a.lease, a.pages
	a.mu.Unlock()
	telling, told, err := a.tellers(ctx, lease)
	if err != nil {
		return err
	}
	kept, alive, err := a.hold(ctx, lease, false)
	if err != nil {
		return err
	}
	if kept {
		a.compare(ctx, lease, before, told)
	} else {
		lease = channel.DrawID()
		if _, alive, err = a.hold(ctx, lease, true); err != nil {
			return err
		}
		a.begin(lease)
	}
	if !a.steady(kept) {
		return nil
	}
	var swept sync.WaitGroup
	var errs [Partitions]error
	for p := range Partitions {
		swept.Go(func() {
			for _, node := range telling[p] {
				if !slices.Contains(alive, node) {
					errs[p] = cmp.Or(errs[p], a.sweep(ctx, p, node))
				}
			}
		})
	}
	swept.Wait()
	return cmp.Or(errs[:]...)
}

// steady notes that the lease was renewed, or not kept, and reports whether this node has renewed it for so long without a pause that others which
// live have renewed theirs. After a pause of Redis, in which all leases ended, nobody is taken for dead who had no chance.
func (a *attendance) steady(kept bool) bool {
	now := time.Now()
	if !kept || now.Sub(a.renewed) > a.e.o.Lease/2 {
		a.since = now
	}
	a.renewed = now
	return now.Sub(a.since) >= a.e.o.Lease
}

// tellers returns for each partition which nodes have told of somebody, and of how many a lease has.
func (a *attendance) tellers(ctx context.Context, lease string) (telling [Partitions][]string, told [Partitions]int64, err error) {
	var reads []rueidis.Completed
	for p := range Partitions {
		reads = append(reads, a.e.client.B().Smembers().Key(a.e.keys.telling(p)).Build(), a.e.client.B().Scard().Key(a.e.keys.toldBy(p, lease)).Build())
	}
	results, err := a.e.askAll(ctx, reads...)
	for p := 0; p < Partitions && err == nil; p++ {
		var err1, err2 error
		telling[p], err1 = results[2*p].AsStrSlice()
		told[p], err2 = results[2*p+1].AsInt64()
		err = explain(cmp.Or(err1, err2))
	}
	return telling, told, err
}

// hold renews a lease, or takes it if it is new, and returns whether it is held, and the leases of all nodes.
func (a *attendance) hold(ctx context.Context, lease string, isNew bool) (held bool, alive []string, err error) {
	c := a.e.newCall(leaseScript, facts)
	c.key(a.e.keys.leases())
	c.arg(lease, strconv.FormatInt(a.e.o.Lease.Milliseconds(), 10), flag(isNew))
	result, err := c.run(ctx)
	if err != nil {
		return false, nil, err
	}
	both, err := result.ToArray()
	if err != nil || len(both) != 2 {
		return false, nil, problem.Internal.Because(errors.Join(errRecord, err))
	}
	kept, err1 := both[0].AsInt64()
	alive, err2 := both[1].AsStrSlice()
	if err := cmp.Or(err1, err2); err != nil {
		return false, nil, problem.Internal.Because(err)
	}
	return kept == 1, alive, nil
}

// begin has everybody told anew, under a new lease.
func (a *attendance) begin(lease string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lease = lease
	for name, people := range a.here {
		for id := range people {
			a.tell(visit{name, id})
		}
	}
}

// compare finds partitions in which Redis knows of another number of people than this node has told, since it lost its newest writes, and
// corrects them. Those in which somebody came or left meanwhile are left to the next time.
func (a *attendance) compare(ctx context.Context, lease string, before [Partitions]page, told [Partitions]int64) {
	var here [Partitions]int64
	a.mu.Lock()
	for name, people := range a.here {
		here[partitionOf(name)] += int64(len(people))
	}
	now := a.pages
	a.mu.Unlock()
	for p := range Partitions {
		if quiet := before[p].told == before[p].changes && before[p] == now[p]; quiet && told[p] != here[p] {
			a.correct(ctx, p, lease)
		}
	}
}

// correct has told again whoever Redis does not know, or knows wrongly.
func (a *attendance) correct(ctx context.Context, partition int, lease string) {
	told, err := a.e.ask(ctx, a.e.client.B().Smembers().Key(a.e.keys.toldBy(partition, lease)).Build()).AsStrSlice()
	if err != nil {
		return // the next time
	}
	known := make(map[visit]bool, len(told))
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, text := range told {
		v := parseVisit(text)
		known[v] = true
		if _, here := a.here[v.name][v.person]; !here {
			a.tell(v)
		}
	}
	for name, people := range a.here {
		if partitionOf(name) != partition {
			continue
		}
		for id := range people {
			if v := (visit{name, id}); !known[v] {
				a.tell(v)
			}
		}
	}
}

// sweep takes the people of a node that has no lease out of a partition, in its name.
func (a *attendance) sweep(ctx context.Context, partition int, lease string) error {
	for {
		some, err := a.e.ask(ctx, a.e.client.B().Srandmember().Key(a.e.keys.toldBy(partition, lease)).Count(tellVisits).Build()).AsStrSlice()
		if err != nil {
			return explain(err)
		}
		visits := make([]visit, len(some))
		for i, text := range some {
			visits[i] = parseVisit(text)
		}
		if err := a.tellIn(ctx, partition, lease, visits, func(visit) (string, bool) { return "", false }); err != nil || len(some) < tellVisits {
			return err
		}
	}
}
