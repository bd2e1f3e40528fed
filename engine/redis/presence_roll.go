package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/channel"
	"parley/problem"
)

var hereScript = newScript(readsIt, "presence_here")

// errUntold says that Redis does not know who is on this node.
var errUntold = errors.New("redis: who is here could not be told")

// Here implements channel.Presences.
func (e *Engine) Here(ctx context.Context, name channel.Name, limit int) ([]channel.Sender, int, error) {
	if err := e.here.settled(ctx, partitionOf(name)); err != nil {
		return nil, 0, err
	}
	return e.here.rolls.call(ctx, name, limit)
}

// rolls are the lists of who is where that were asked for lately, so that many who come together do not all ask Redis. A list is dropped
// as soon as somebody is heard to come or leave; in a crowd, where nobody is, it is good for rollAge.
type rolls struct {
	e  *Engine
	mu sync.Mutex
	of map[channel.Name]*roll
}

// roll is one list.
type roll struct {
	limit  int
	at     time.Time
	read   chan struct{} // closed when what follows is valid
	people []channel.Sender
	count  int
	err    error
}

const (
	rollAge   = time.Second
	rollLimit = 1000 // lists that are kept
)

// call returns the list of a channel.
func (r *rolls) call(ctx context.Context, name channel.Name, limit int) ([]channel.Sender, int, error) {
	r.mu.Lock()
	known := r.of[name]
	if known == nil || known.limit != limit || time.Since(known.at) > rollAge {
		finished, err := r.e.admit(0) // so that Close waits for it
		if err != nil {
			r.mu.Unlock()
			return nil, 0, err
		}
		known = &roll{limit: limit, at: time.Now(), read: make(chan struct{})}
		if len(r.of) >= rollLimit {
			clear(r.of)
		}
		r.of[name] = known
		r.e.work.Go(func() {
			defer finished()
			r.ask(name, known)
		})
	}
	r.mu.Unlock()
	select {
	case <-known.read:
		return slices.Clone(known.people), known.count, known.err
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}

// ask reads a list from Redis. One that could not be read is not kept.
func (r *rolls) ask(name channel.Name, l *roll) {
	ctx, cancel := context.WithTimeout(r.e.ctx, rollAge)
	defer cancel()
	defer close(l.read)
	if l.people, l.count, l.err = r.e.readRoll(ctx, name, l.limit); l.err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.of[name] == l {
			delete(r.of, name)
		}
	}
}

func (e *Engine) readRoll(ctx context.Context, name channel.Name, limit int) ([]channel.Sender, int, error) {
	c := e.newCall(hereScript, partitionOf(name))
	c.key(e.keys.people(name))
	c.int(int64(limit))
	result, err := c.run(ctx)
	if err != nil {
		return nil, 0, err
	}
	both, err := result.ToArray()
	if err != nil || len(both) != 2 {
		return nil, 0, problem.Internal.Because(errors.Join(errRecord, err))
	}
	count, err1 := both[0].AsInt64()
	some, err2 := both[1].AsStrSlice()
	if err := errors.Join(err1, err2); err != nil || len(some)%2 != 0 {
		return nil, 0, problem.Internal.Because(errors.Join(errRecord, err))
	}
	people := make([]channel.Sender, 0, len(some)/2)
	for person := range slices.Chunk(some, 2) {
		people = append(people, channel.Sender{ID: person[0], Name: person[1]})
	}
	return people, int(count), nil
}

// forget drops the list of a channel. Who asks from now on gets one that was read later.
func (r *rolls) forget(name channel.Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, name)
}

// heard takes the hint that somebody came or left anywhere: words are channel, type and length of the person's id, the payload that id and
// the name.
func (a *attendance) heard(words []string, payload string) {
	if len(words) != 3 {
		return
	}
	name := channel.Name(words[0])
	a.rolls.forget(name)
	sink := a.e.sink.Load()
	n, err := strconv.Atoi(words[2])
	if sink == nil || err != nil || n > len(payload) || !watches(*sink, name) {
		return
	}
	s := channel.Signal{Channel: name, Type: words[1], From: channel.Sender{ID: payload[:n], Name: payload[n:]}, Data: []byte("{}")}
	if s.Type == channel.SignalHere {
		s.From = channel.System
	}
	s.From.ID, s.From.Name = strings.Clone(s.From.ID), strings.Clone(s.From.Name)
	(*sink).Signalled(s)
}

// missed has the streams of a partition's channels get the lists anew, where hints may have been missed and come again.
func (a *attendance) missed(partition int) {
	sink := a.e.sink.Load()
	if l := a.e.path.of[partition]; sink == nil || l == nil || !l.up.Load() {
		return
	}
	watcher, ok := (*sink).(channel.Watcher)
	if !ok {
		return
	}
	for _, tail := range watcher.Tails() {
		if partitionOf(tail.Channel) == partition {
			a.rolls.forget(tail.Channel)
			(*sink).Signalled(channel.Signal{Channel: tail.Channel, Type: channel.SignalHere, From: channel.System})
		}
	}
}
