package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// transports are the four ways to read.
var transports = []string{"poll", "longpoll", "sse", "websocket"}

// reader reads all channels, each from its own position, by one transport or by all in turn, and checks that what it is given
// is what comes next.
type reader struct {
	*person
	oracle     *oracle
	random     *rand.Rand
	name       string
	transports []string // one is chosen at random for each connection
	channels   []string

	keeps     bool   // what it is given: the last reader, where logs may go back
	transport string // of the present connection

	mu      sync.Mutex // guards what follows: the run asks how far the reader is
	cursors map[string]*cursor
	screen  *tally // the newest that was shown
}

// cursor is where a reader is in a channel.
type cursor struct {
	place
	past  []place  // some at which it was before, and to which it may go back
	floor uint64   // up to where the beginning was gone
	all   []*entry // that were delivered; only where reader.keeps
}

// place is a position with what is there.
type place struct {
	position string
	seq      uint64
	last     *entry // the message at the position, if it was delivered
}

func newReader(p *person, o *oracle, random *rand.Rand, name string, st *stage, transports ...string) *reader {
	r := &reader{person: p, oracle: o, random: random, name: name, transports: transports, channels: st.channels, cursors: map[string]*cursor{}}
	for channel, base := range st.base {
		seq, _ := seqOf(base)
		r.cursors[channel] = &cursor{place: place{position: base, seq: seq}}
	}
	return r
}

// read reads until it has reached the goals, or ctx ends. It knows the goals once they are sent: until then it reads on.
// The error is what makes the run impossible.
func (r *reader) read(ctx context.Context, goals <-chan map[string]string) error {
	var goal map[string]string
	for ctx.Err() == nil {
		select {
		case goal = <-goals:
			goals = nil
		default:
		}
		if goal != nil && len(r.behind(goal)) == 0 {
			return nil
		}
		r.transport = r.transports[r.random.IntN(len(r.transports))]
		channels := r.channels
		if goal != nil {
			channels = r.behind(goal)
		}
		if r.random.IntN(2) == 0 { // the form of one channel
			i := r.random.IntN(len(channels))
			channels = channels[i : i+1]
		}
		if goal == nil && r.random.IntN(10) == 0 {
			r.goBack()
		}
		stint, cancel := context.WithTimeout(ctx, r.stint(goal != nil))
		if goal != nil {
			go r.stopAt(stint, cancel, goal, channels)
		}
		r.counts.connections.Add(1)
		err := r.connect(stint, channels)
		over := stint.Err() != nil
		cancel()
		var why *refusal
		switch {
		case over || err == nil:
		case errors.As(err, &why) && !why.passing():
			return fmt.Errorf("reading by %s: %w", r.transport, err)
		case !r.patience(ctx, err):
			return nil
		}
	}
	return nil
}

// stint is how long the next connection lasts, if it lasts.
func (r *reader) stint(catchingUp bool) time.Duration {
	switch n := r.random.IntN(8); {
	case len(r.transports) == 1 && !catchingUp:
		return time.Second + time.Duration(r.random.IntN(4000))*time.Millisecond
	case n < 5 && !catchingUp:
		return time.Duration(5+r.random.IntN(200)) * time.Millisecond
	default:
		return time.Duration(200+r.random.IntN(1800)) * time.Millisecond
	}
}

// stopAt ends a stint as soon as the channels are where they are to be.
func (r *reader) stopAt(stint context.Context, stop context.CancelFunc, goal map[string]string, channels []string) {
	for pause(stint, 5*time.Millisecond) {
		behind := r.behind(goal)
		if !slices.ContainsFunc(channels, func(c string) bool { return slices.Contains(behind, c) }) {
			stop()
		}
	}
}

// behind are the channels in which the reader has not reached its goal. Where logs may go back, one that is past it may be in a past that
// was lost.
func (r *reader) behind(goal map[string]string) (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, channel := range r.channels {
		c := r.cursors[channel]
		if seq, _ := seqOf(goal[channel]); c.seq < seq || r.oracle.mayGoBack() && c.position != goal[channel] {
			list = append(list, channel)
		}
	}
	return list
}

// goBack takes up an earlier position in some channel, as a page does that was restored.
func (r *reader) goBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.cursors {
		if len(c.past) > 0 && r.random.IntN(2) == 0 {
			c.place = c.past[r.random.IntN(len(c.past))]
		}
	}
}

func (r *reader) who() string { return r.name + " (" + r.transport + ")" }

// where is the position in a channel.
func (r *reader) where(channel string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cursors[channel].position
}

// apply takes a batch or gap. It must begin where the reader is; if it does not, that is noted, and the reader goes on from
// there, as whatever else is wrong is worth knowing too.
func (r *reader) apply(b *batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.cursors[b.Channel]
	bad := func(rule string, seq uint64, expected, came string) {
		r.oracle.violate(Violation{Rule: rule, Channel: b.Channel, Seq: seq, Who: r.who(), Expected: expected, Came: came})
	}
	if c == nil {
		bad("protocol", 0, "batches of the channels that were asked for", "one of "+b.Channel)
		return
	}
	if b.Gap != nil {
		if b.Gap.From != c.position {
			bad("protocol", c.seq, "a gap from the reader's position "+c.position, fmt.Sprintf("%+v", *b.Gap))
		}
		last := r.oracle.told(r.who(), b.Channel, b.Gap, c.last)
		c.move(b.Gap.Resume, last)
		c.floor = c.seq
		if b.Gap.Reason == "rollback" && strings.HasPrefix(b.Channel, "vote:") {
			r.screen = nil
		}
		return
	}
	from, okFrom := seqOf(b.From)
	to, okTo := seqOf(b.To)
	switch {
	case !okFrom || !okTo || to < from:
		bad("protocol", c.seq, "a batch from a position to a later one", b.describe())
		return
	case b.From == c.position:
	case from > c.seq:
		bad("lost", c.seq+1, "a batch from the reader's position "+c.position, b.describe())
	default:
		bad("twice", from+1, "a batch from the reader's position "+c.position, b.describe())
	}
	isVote := strings.HasPrefix(b.Channel, "vote:")
	last := c.last
	if isVote {
		last = r.applyTallies(b, from, to, last, bad)
	} else {
		last = r.applyMessages(b, from, to, last, bad)
	}
	c.move(b.To, last)
	if len(b.Messages) > 0 && !isVote && r.random.IntN(4) == 0 { // tallies are not to be seen going back
		c.remember(r.random)
	}
}

// applyMessages demands that seq is dense: nothing is left out, nothing comes twice. It returns the newest message.
func (r *reader) applyMessages(b *batch, seq, to uint64, last *entry, bad func(string, uint64, string, string)) *entry {
	for i := range b.Messages {
		m := &b.Messages[i]
		switch {
		case m.Seq > seq+1:
			bad("lost", seq+1, fmt.Sprintf("seq %d behind seq %d", seq+1, seq), fmt.Sprintf("seq %d, %s", m.Seq, m.ID))
		case m.Seq <= seq:
			bad("twice", m.Seq, fmt.Sprintf("seq %d behind seq %d", seq+1, seq), fmt.Sprintf("seq %d, %s", m.Seq, m.ID))
		}
		if last != nil && last.seq+1 != m.Seq {
			last = nil
		}
		last = r.oracle.deliver(r.who(), b.Channel, m, last)
		if seq = m.Seq; r.keeps {
			r.cursors[b.Channel].all = append(r.cursors[b.Channel].all, last)
		}
	}
	if seq != to {
		bad("lost", seq+1, fmt.Sprintf("messages up to the batch's end, seq %d", to), fmt.Sprintf("none behind seq %d", seq))
	}
	return last
}

// applyTallies demands that the newest tally is there, that versions grow, and that each counts every voter once. It returns the newest.
func (r *reader) applyTallies(b *batch, seq, to uint64, last *entry, bad func(string, uint64, string, string)) *entry {
	from := seq
	for i := range b.Messages {
		m := &b.Messages[i]
		if m.Seq <= seq {
			bad("twice", m.Seq, fmt.Sprintf("a seq behind %d", seq), fmt.Sprintf("seq %d", m.Seq))
		}
		seq = m.Seq
		last = r.oracle.deliver(r.who(), b.Channel, m, nil)
		if r.keeps {
			r.cursors[b.Channel].all = []*entry{last} // the others are not to be had any more
		}
		t, err := parseTally(m)
		if err != nil {
			bad("protocol", m.Seq, "a tally", fmt.Sprintf("%s %.300s", m.Type, m.Data))
			continue
		}
		if r.screen != nil && t.Version <= r.screen.Version {
			bad("tally", m.Seq, fmt.Sprintf("a version above %d, which is on the screen", r.screen.Version), fmt.Sprintf("version %d", t.Version))
		}
		if n := sum(t.counts()); n != t.Voters {
			bad("tally", m.Seq, fmt.Sprintf("%d ballots of %d voters", t.Voters, t.Voters), fmt.Sprintf("the counts %v", t.counts()))
		}
		r.screen = t
	}
	if to > from && seq != to {
		bad("lost", to, fmt.Sprintf("the newest tally, seq %d", to), fmt.Sprintf("none behind seq %d", seq))
	}
	return last
}

func (c *cursor) move(to string, last *entry) {
	if seq, ok := seqOf(to); ok {
		c.place = place{to, seq, last}
	}
}

func (c *cursor) remember(random *rand.Rand) {
	if len(c.past) < 8 {
		c.past = append(c.past, c.place)
	} else {
		c.past[random.IntN(len(c.past))] = c.place
	}
}

func (b *batch) describe() string {
	return fmt.Sprintf("one from %s to %s with %d messages", b.From, b.To, len(b.Messages))
}
