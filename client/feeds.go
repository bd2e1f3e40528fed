package client

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"
)

// feed is all subscriptions to one channel. They share what the connection reads, each takes from it what it has not.
type feed struct {
	subs    []*Subscription
	reached uint64 // highest seq that is read or being read; a subscription behind it needs a rewind
	holes   int    // rewinds since something could be applied
	forked  bool   // a subscription's mark differs from the batch's: its past is not this log's
	rewind  *timer // a rewind that is under way
}

// active are the subscriptions that take more now.
func (f *feed) active() int {
	n := 0
	for _, s := range f.subs {
		if !s.full {
			n++
		}
	}
	return n
}

func (f *feed) unresolved() bool {
	return slices.ContainsFunc(f.subs, func(s *Subscription) bool { return s.read == end })
}

// after is the earliest position of those that take more.
func (f *feed) after() string {
	first, least := end, uint64(math.MaxUint64)
	for _, s := range f.subs {
		if s.read != end && !s.full && (first == end || seqOf(s.read) < least) {
			first, least = s.read, seqOf(s.read)
		}
	}
	return first
}

// feeds is positions and the batch rule: the part that makes it irrelevant through which connection, how often and in what
// order something arrives. Any number of links may feed it. All of it is under the lock.
type feeds struct {
	env      *env
	onChange func()       // channels or positions have changed
	onRewind func(string) // a channel has to be read again from its wanted position
	onFresh  func(string) // a channel is wanted that was not: whoever reads it, as it was wanted a moment ago, is not where it has to be
	byName   map[string]*feed
	applied  uint64 // messages taken by subscriptions, ever
}

func newFeeds(e *env) *feeds {
	return &feeds{env: e, byName: map[string]*feed{}, onChange: func() {}, onRewind: func(string) {}, onFresh: func(string) {}}
}

func (fs *feeds) add(s *Subscription) {
	f := fs.byName[s.channel]
	if f == nil {
		f = &feed{}
		fs.byName[s.channel] = f
	}
	s.full = true // until it is let in
	f.subs = append(f.subs, s)
	fs.resume(s)
}

// resume lets a subscription take more: it is new, or was full.
func (fs *feeds) resume(s *Subscription) {
	f := fs.byName[s.channel]
	alone := f.active() == 0
	for _, other := range f.subs {
		if !other.full {
			// After a rewind the others may be further than what has been read since.
			f.reached = max(f.reached, seqOf(other.read))
		}
	}
	s.full = false
	switch {
	case alone:
		f.reached = seqOf(s.read)
		fs.onFresh(s.channel)
	case s.read != end && seqOf(s.read) < f.reached:
		fs.rewind(s.channel, f)
	}
	fs.onChange()
}

// wanted are the channels that have to be read.
func (fs *feeds) wanted() []string {
	var all []string
	for _, channel := range slices.Sorted(maps.Keys(fs.byName)) {
		if fs.byName[channel].active() > 0 {
			all = append(all, channel)
		}
	}
	return all
}

func (fs *feeds) size() int {
	n := 0
	for _, f := range fs.byName {
		if f.active() > 0 {
			n++
		}
	}
	return n
}

// after is from where a channel has to be read; "end" where nobody knows better.
func (fs *feeds) after(channel string) string {
	if f := fs.byName[channel]; f != nil {
		return f.after()
	}
	return end
}

// unresolved says whether a channel has a subscription that does not know yet where `end` is.
func (fs *feeds) unresolved(channel string) bool {
	f := fs.byName[channel]
	return f != nil && f.unresolved()
}

// resolved: the server has said where `end` is.
func (fs *feeds) resolved(channel, position string) {
	f := fs.byName[channel]
	if f == nil || !f.unresolved() {
		return
	}
	for _, s := range f.subs {
		if s.read == end {
			s.moveTo(position)
		}
	}
	f.reached = max(f.reached, seqOf(position))
	// Something newer went by while it did not know where it was, or another one is further back.
	if f.active() > 0 && seqOf(f.after()) < f.reached {
		fs.rewind(channel, f)
	}
}

// resolve asks the server where `end` is. The many-channel request leaves out channels with nothing new, so a reader that
// started it at `end` would not learn where it was, and miss what comes before its next request. The lock is not held.
func (fs *feeds) resolve(ctx context.Context, channel string) error {
	var o object
	err := fs.env.http.get(ctx, "/v1/channels/"+inPath(channel)+"/messages?after=end&limit=1", &o)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fs.env.mu.Lock()
	defer fs.env.mu.Unlock()
	if err != nil {
		if e := asError(err); isRefusal(e) {
			fs.end(channel, e)
			return nil
		}
		return err
	}
	switch {
	case o.Gap != nil:
		o.Channel = channel
		fs.receive(&o)
	case o.To == "":
		return unexpected(200)
	default:
		fs.resolved(channel, o.To)
	}
	return nil
}

// receive takes an object of the stream: batch, gap, signal or ended.
func (fs *feeds) receive(o *object) {
	f := fs.byName[o.Channel]
	switch {
	case f == nil:
	case o.Messages != nil:
		fs.batch(f, o)
	case o.Gap != nil:
		fs.gap(f, o.Channel, o.Gap)
	case o.Signal != nil:
		o.Signal.Channel = o.Channel
		for _, s := range f.subs {
			s.signals.push(*o.Signal)
		}
	case o.Ended != nil:
		fs.end(o.Channel, &Error{Code: o.Ended.Code, Detail: o.Ended.Detail})
	}
}

// end: nobody reads this channel here any more.
func (fs *feeds) end(channel string, why *Error) {
	if f := fs.byName[channel]; f != nil {
		for _, s := range slices.Clone(f.subs) {
			s.end(why)
		}
	}
}

func (fs *feeds) close(why *Error) {
	for _, channel := range slices.Collect(maps.Keys(fs.byName)) {
		fs.end(channel, why)
	}
}

func (fs *feeds) batch(f *feed, b *object) {
	missing, filled := false, false
	f.reached = max(f.reached, seqOf(b.To))
	for _, s := range f.subs {
		if s.read == end || s.full {
			continue
		}
		switch judge(s.read, b.From, b.To) {
		case hole:
			missing = true
			f.forked = f.forked || seqOf(s.read) >= seqOf(b.From)
		case apply, part:
			fs.applied += uint64(s.take(b))
			filled = filled || s.full
		}
	}
	if missing {
		fs.rewind(b.Channel, f)
	} else {
		f.holes = 0
	}
	if filled {
		fs.onChange()
	}
}

func (fs *feeds) gap(f *feed, channel string, g *Gap) {
	g.Channel = channel
	if g.Reason == "deleted" || g.Resume == "" {
		for _, s := range f.subs { // the answer may be to an older request than what the reader has by now
			own := *g
			if s.read != end {
				own.From = s.read
			}
			s.miss(&own)
		}
		fs.end(channel, &Error{Code: "channel_deleted", Status: 410, Detail: "The channel " + channel + " has been deleted."})
		return
	}
	missing := false
	for _, s := range f.subs {
		if s.read == end || s.full {
			continue
		}
		at := seqOf(s.read)
		// A gap speaks to the reader at its `from`. One further on is past it, unless what it lacks is inside.
		if g.Reason == "retention" && at >= seqOf(g.Resume) {
			continue
		}
		if at != seqOf(g.From) && (g.Reason == "rollback" || at < seqOf(g.From)) {
			missing = true
			f.forked = f.forked || g.Reason == "rollback"
			continue
		}
		own := *g
		if at > seqOf(g.From) {
			own.From = s.read
		}
		s.miss(&own)
	}
	if g.Reason == "rollback" {
		f.reached = seqOf(g.Resume) // the log may be shorter than it was
	} else {
		f.reached = max(f.reached, seqOf(g.Resume))
	}
	if missing {
		fs.rewind(channel, f)
	} else {
		f.holes = 0
	}
}

// rewind reads the channel again. At once the first time; slower where that has not helped, so that a disagreement with
// the server can never become a storm.
func (fs *feeds) rewind(channel string, f *feed) {
	if f.rewind != nil {
		return
	}
	var delay time.Duration
	if f.holes > 0 {
		delay = min(30*time.Second, 100*time.Millisecond<<min(f.holes, 10))
	}
	f.holes++
	f.rewind = fs.env.after(delay, func() {
		f.rewind = nil
		// What came meanwhile may have filled it.
		if f.active() == 0 || !f.forked && seqOf(f.after()) >= f.reached {
			return
		}
		f.forked = false
		f.reached = seqOf(f.after())
		fs.onRewind(channel)
	})
}

func (fs *feeds) remove(s *Subscription) {
	f := fs.byName[s.channel]
	f.subs = slices.DeleteFunc(f.subs, func(other *Subscription) bool { return other == s })
	if len(f.subs) == 0 {
		f.rewind.stop()
		delete(fs.byName, s.channel)
	}
	fs.onChange()
}
