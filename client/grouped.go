package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits of the many-channel request: 100 channels; and the server's 16 KiB of header must hold the URL.
const (
	maxChannels = 100
	maxQuery    = 8000
)

// settle: so many changes of the subscriptions as come within this become one new request.
const settle = 20 * time.Millisecond

// groupedLink is what SSE, long poll and poll have in common: requests for up to 100 channels each, started again when the
// wanted channels change. read says how one group of channels is read.
type groupedLink struct {
	env       *env
	on        events
	transport Transport
	read      reader
	ctx       context.Context
	stop      context.CancelFunc

	// Under the lock.
	timer   *timer
	runs    map[string]context.CancelFunc // by the group's channels
	dirty   map[string]bool
	started bool
	closed  bool
	proven  bool
}

// reader reads a group's channels until ctx is done or something fails.
type reader func(ctx context.Context, l *groupedLink, channels []string) error

func newGroupedLink(e *env, kind Transport, on events, read reader) *groupedLink {
	l := &groupedLink{env: e, on: on, transport: kind, read: read, runs: map[string]context.CancelFunc{}, dirty: map[string]bool{}}
	l.ctx, l.stop = context.WithCancel(e.ctx)
	return l
}

func (l *groupedLink) kind() Transport { return l.transport }

func (l *groupedLink) disown() {}

func (l *groupedLink) start() {
	l.started = true
	l.regroup()
}

func (l *groupedLink) sync() {
	if !l.started || l.closed || l.timer != nil {
		return
	}
	l.timer = l.env.after(settle, l.regroup)
}

func (l *groupedLink) rewind(channel string) {
	l.dirty[channel] = true
	l.sync()
}

func (l *groupedLink) close() {
	l.closed = true
	l.timer.stop()
	l.stop()
}

// prove: a byte of the server's has arrived. The lock is held.
func (l *groupedLink) prove(h hello) {
	if l.closed || l.proven {
		return
	}
	l.proven = true
	l.on.hello(h)
}

// query is that for these channels from where they are now. The lock is held.
func (l *groupedLink) query(channels []string) string { return queryFrom(channels, l.env.feeds.after) }

func queryFrom(channels []string, after func(string) string) string {
	var q strings.Builder
	for i, channel := range channels {
		if i > 0 {
			q.WriteByte('&')
		}
		q.WriteString("channel=" + inPath(channel) + "@" + url.QueryEscape(after(channel)))
	}
	return q.String()
}

func (l *groupedLink) regroup() {
	l.timer = nil
	wanted := l.env.feeds.wanted()
	for _, channel := range wanted {
		if l.env.feeds.unresolved(channel) {
			l.dirty[channel] = true
		}
	}
	groups := split(wanted)
	for key, cancel := range l.runs {
		if channels, is := groups[key]; is && !l.anyDirty(channels) {
			continue
		}
		delete(l.runs, key)
		cancel()
	}
	clear(l.dirty)
	for key, channels := range groups {
		if l.runs[key] == nil {
			l.begin(key, channels)
		}
	}
}

func (l *groupedLink) anyDirty(channels []string) bool {
	for _, channel := range channels {
		if l.dirty[channel] {
			return true
		}
	}
	return false
}

func (l *groupedLink) begin(key string, channels []string) {
	ctx, cancel := context.WithCancel(l.ctx)
	l.runs[key] = cancel
	l.env.run(func() {
		defer cancel()
		err := l.resolve(ctx, channels)
		if err == nil {
			err = l.read(ctx, l, channels)
		}
		if ctx.Err() != nil {
			return
		}
		why := asError(err)
		// One channel that may not be read refuses the whole request: end those, and go on with the others.
		if isRefusal(why) && l.sift(ctx, key, channels) {
			return
		}
		l.env.mu.Lock()
		defer l.env.mu.Unlock()
		if ctx.Err() == nil && !l.closed {
			l.close()
			l.on.down(why)
		}
	})
}

// resolve asks where `end` is for those channels of the group that do not know.
func (l *groupedLink) resolve(ctx context.Context, channels []string) error {
	l.env.mu.Lock()
	var unresolved []string
	for _, channel := range channels {
		if l.env.feeds.unresolved(channel) {
			unresolved = append(unresolved, channel)
		}
	}
	l.env.mu.Unlock()
	return each(unresolved, func(channel string) error { return l.env.feeds.resolve(ctx, channel) })
}

// sift finds the channels that may not be read, and says whether there were any.
func (l *groupedLink) sift(ctx context.Context, key string, channels []string) bool {
	err := each(channels, func(channel string) error {
		l.env.mu.Lock()
		after, is := l.env.feeds.after(channel), l.env.feeds.byName[channel] != nil
		l.env.mu.Unlock()
		if !is {
			return nil
		}
		err := l.env.http.get(ctx, "/v1/channels/"+inPath(channel)+"/messages?limit=1&after="+url.QueryEscape(after), nil)
		if err == nil || !isRefusal(asError(err)) {
			return nil
		}
		l.env.mu.Lock()
		defer l.env.mu.Unlock()
		l.env.feeds.end(channel, asError(err))
		return err
	})
	l.env.mu.Lock()
	defer l.env.mu.Unlock()
	if ctx.Err() == nil && err != nil {
		delete(l.runs, key)
		l.sync()
	}
	return err != nil
}

// split makes groups that fit into one request each, by their channels.
func split(wanted []string) map[string][]string {
	groups := map[string][]string{}
	var group []string
	length := 0
	full := func() {
		if len(group) > 0 {
			groups[strings.Join(group, ",")] = group
		}
		group, length = nil, 0
	}
	for _, channel := range wanted {
		// `channel=`, `@`, `&`, and a position: a seq of up to 16 digits and its mark.
		size := len(inPath(channel)) + 50
		if len(group) >= maxChannels || length+size > maxQuery {
			full()
		}
		group = append(group, channel)
		length += size
	}
	full()
	return groups
}

// each calls f for all, a few at a time, and returns one of the errors.
func each(all []string, f func(string) error) error {
	const atOnce = 8
	errs := make(chan error, len(all))
	tokens := make(chan struct{}, atOnce)
	for _, one := range all {
		tokens <- struct{}{}
		go func() {
			defer func() { <-tokens }()
			errs <- f(one)
		}()
	}
	var first error
	for range all {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// acceptStream asks for events.
var acceptStream = http.Header{"Accept": {"text/event-stream"}}
