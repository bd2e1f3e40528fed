package vote_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/channel"
	"parley/vote"
)

// model is what a vote is supposed to be, said as simply as possible.
type model struct {
	options      int
	min, max     int
	change       bool
	open         bool
	results      vote.Results
	deadline     time.Time
	ballots      map[string][]int
	tallies      [][]int // counts by version, from 1
	named        bool
	optionPrefix string
}

func (m *model) counts() []int {
	n := make([]int, m.options)
	for _, b := range m.ballots {
		for _, id := range b {
			n[id-1]++
		}
	}
	return n
}

func (m *model) event() { m.tallies = append(m.tallies, m.counts()) }

// tick closes the vote if its deadline is over.
func (m *model) tick(now time.Time) {
	if m.open && m.past(now) {
		m.open = false
		m.event()
	}
}

func (m *model) past(now time.Time) bool { return !m.deadline.IsZero() && !now.Before(m.deadline) }

func (m *model) visible(who channel.Sender) bool {
	voted := m.ballots[who.ID] != nil
	switch {
	case who == ann, m.results == vote.Always:
		return true
	case m.results == vote.Voted:
		return voted || !m.open
	case m.results == vote.Closed:
		return !m.open
	}
	return false
}

// machine is a vote of the service beside its model, with people who watch it in every way there is.
type machine struct {
	s       *site
	m       model
	code    string
	streams map[channel.Sender]*channel.Reader // since the beginning
	lenses  map[channel.Sender]channel.Lens    // likewise
}

var people = []channel.Sender{ann, bob, cyd, nobody}

func TestModel(t *testing.T) {
	s := newSite(t, vote.Config{})
	rapid.Check(t, func(t *rapid.T) {
		x := machine{s: s, streams: map[channel.Sender]*channel.Reader{}, lenses: map[channel.Sender]channel.Lens{}}
		x.create(t)
		defer func() {
			for _, r := range x.streams {
				r.Close()
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"cast":     x.cast,
			"again":    x.castAgain,
			"open":     x.setOpen,
			"results":  x.setResults,
			"deadline": x.setDeadline,
			"rules":    x.setRules,
			"wait":     x.wait,
			"":         x.check,
		})
	})
}

var anyResults = rapid.SampledFrom([]vote.Results{vote.Always, vote.Voted, vote.Closed, vote.Owner})

func (x *machine) create(t *rapid.T) {
	x.m = model{open: true, ballots: map[string][]int{}, optionPrefix: "o"}
	x.m.options = rapid.IntRange(2, 5).Draw(t, "options")
	x.m.min = rapid.IntRange(1, x.m.options).Draw(t, "min")
	x.m.max = rapid.IntRange(x.m.min, x.m.options).Draw(t, "max")
	x.m.change = rapid.Bool().Draw(t, "change")
	x.m.named = rapid.Bool().Draw(t, "named")
	x.m.results = anyResults.Draw(t, "results")
	v, err := x.s.Create(context.Background(), ann, vote.Spec{
		Question: "?", Options: x.m.texts(), Min: x.m.min, Max: x.m.max, Change: &x.m.change, Named: x.m.named, Results: x.m.results,
	})
	if err != nil {
		t.Fatal(err)
	}
	x.code = v.Code
	x.m.event()
	for _, who := range people {
		x.lenses[who] = x.lens(t, who)
		x.streams[who] = x.reader(t, who, x.lenses[who])
	}
}

func (m *model) texts() []string {
	texts := make([]string, m.options)
	for i := range texts {
		texts[i] = fmt.Sprint(m.optionPrefix, i)
	}
	return texts
}

func (x *machine) lens(t *rapid.T, who channel.Sender) channel.Lens {
	lens, err := x.s.MayRead(context.Background(), who, x.code)
	if err != nil {
		t.Fatal(err)
	}
	return lens
}

func (x *machine) reader(t *rapid.T, who channel.Sender, lens channel.Lens) *channel.Reader {
	r := x.s.hub.NewReader(channel.ReaderOptions{Limit: 1000})
	if _, err := r.Add(context.Background(), channel.Vote(x.code), channel.Position{}, lens); err != nil {
		t.Fatal(err)
	}
	return r
}

func (x *machine) cast(t *rapid.T) {
	who := rapid.SampledFrom([]channel.Sender{ann, bob, cyd}).Draw(t, "who")
	options := rapid.SliceOfN(rapid.IntRange(0, x.m.options+1), 0, x.m.options).Draw(t, "ballot")
	x.castAs(t, who, options)
}

// castAgain repeats somebody's ballot, in another order.
func (x *machine) castAgain(t *rapid.T) {
	if len(x.m.ballots) == 0 {
		t.Skip("no ballots")
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(x.m.ballots))).Draw(t, "who")
	options := rapid.Permutation(x.m.ballots[id]).Draw(t, "ballot")
	who := people[slices.IndexFunc(people, func(p channel.Sender) bool { return p.ID == id })]
	x.castAs(t, who, options)
}

func (x *machine) castAs(t *rapid.T, who channel.Sender, options []int) {
	sorted := slices.Sorted(slices.Values(options))
	m := &x.m
	earlier := m.ballots[who.ID]
	same := earlier != nil && slices.Equal(earlier, sorted)
	var want error
	switch {
	case same:
	case !m.open || m.past(x.s.clock.now()):
		want = vote.ErrVoteClosed
	case earlier != nil && !m.change:
		want = vote.ErrAlreadyVoted
	case len(sorted) < m.min || len(sorted) > m.max || len(slices.Compact(slices.Clone(sorted))) < len(sorted) ||
		sorted[0] < 1 || sorted[len(sorted)-1] > m.options:
		want = vote.ErrBadOptions
	}
	v, err := x.s.Cast(context.Background(), who, x.code, options)
	if !errors.Is(err, want) {
		t.Fatalf("%s casting %v: %v, want %v", who.Name, options, err, want)
	}
	if want == nil && !same {
		m.ballots[who.ID] = sorted
		m.event()
	}
	if want == nil && v.Version != uint64(len(m.tallies)) {
		t.Fatalf("casting made version %d, want %d", v.Version, len(m.tallies))
	}
}

// update changes the vote, and returns whether that was allowed.
func (x *machine) update(t *rapid.T, c vote.Change, want error) bool {
	_, err := x.s.Update(context.Background(), ann, false, x.code, c)
	if !errors.Is(err, want) {
		t.Fatalf("updating with %+v: %v, want %v", c, err, want)
	}
	return want == nil
}

func (x *machine) setOpen(t *rapid.T) {
	open := rapid.Bool().Draw(t, "open")
	x.update(t, vote.Change{Open: &open}, nil)
	m, now := &x.m, x.s.clock.now()
	was, wasDeadline := m.open, m.deadline
	if m.open = open; open && m.past(now) {
		m.deadline = time.Time{}
	}
	if m.open != was || !m.deadline.Equal(wasDeadline) {
		m.event()
	}
}

func (x *machine) setResults(t *rapid.T) {
	results := anyResults.Draw(t, "results")
	x.update(t, vote.Change{Results: &results}, nil)
	if x.m.tick(x.s.clock.now()); x.m.results != results {
		x.m.results = results
		x.m.event()
	}
}

func (x *machine) setDeadline(t *rapid.T) {
	var at time.Time
	if rapid.Bool().Draw(t, "deadline") {
		at = x.s.clock.now().Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "seconds")) * time.Second)
	}
	x.m.tick(x.s.clock.now())
	x.update(t, vote.Change{Closes: &at}, nil)
	if !x.m.deadline.Equal(at) {
		x.m.deadline = at
		x.m.event()
	}
}

// setRules changes what the first ballot locks.
func (x *machine) setRules(t *rapid.T) {
	next := x.m
	next.options = rapid.IntRange(2, 5).Draw(t, "options")
	next.min, next.max = 1, next.options
	next.change = rapid.Bool().Draw(t, "change")
	next.optionPrefix = rapid.SampledFrom([]string{"o", "选"}).Draw(t, "text")
	same := next.options == x.m.options && next.min == x.m.min && next.max == x.m.max && next.change == x.m.change && next.optionPrefix == x.m.optionPrefix
	var want error
	if len(x.m.ballots) > 0 && !same {
		want = vote.ErrVoteLocked
	}
	if x.update(t, vote.Change{Options: next.texts(), Min: &next.min, Max: &next.max, Change: &next.change}, want) && !same {
		x.m = next
		x.m.event()
	}
}

func (x *machine) wait(t *rapid.T) {
	x.s.clock.move(time.Duration(rapid.IntRange(1, 15).Draw(t, "seconds")) * time.Second)
	if rapid.Bool().Draw(t, "and vote before anybody looks") {
		x.cast(t)
	}
}

// check compares what people see with the model: those who watch, and one who comes and looks.
func (x *machine) check(t *rapid.T) {
	m := &x.m
	m.tick(x.s.clock.now())
	who := rapid.SampledFrom(people).Draw(t, "reader")
	v, err := x.s.Get(context.Background(), who, x.code)
	if err != nil {
		t.Fatal(err)
	}
	if v.Open != m.open || v.Results != m.results || !v.Closes.Equal(m.deadline) || v.Version != uint64(len(m.tallies)) || v.Voters != len(m.ballots) || len(v.Options) != m.options {
		t.Fatalf("the vote is %+v, the model %+v", v, *m)
	}
	view, err := x.s.Show(context.Background(), who, v)
	if err != nil {
		t.Fatal(err)
	}
	x.checkTally(t, "view", who, view.Tally)
	if !slices.Equal(view.Ballot, m.ballots[who.ID]) || view.Mine != (who == ann) {
		t.Fatalf("%s sees the ballot %v", who.Name, view.Ballot)
	}
	for _, watcher := range people {
		x.checkMessages(t, "stream", watcher, x.ready(t, x.streams[watcher]))
	}
	paths := map[string]func(*rapid.T, channel.Sender){
		"export": x.checkExport, "poll": x.checkPoll, "history": x.checkHistory, "old lens": x.checkOldLens, "recount": x.checkRecount,
	}
	paths[rapid.SampledFrom(slices.Sorted(maps.Keys(paths))).Draw(t, "path")](t, who)
}

func (x *machine) checkExport(t *rapid.T, who channel.Sender) {
	export, err := x.s.Export(context.Background(), who, x.code)
	if err != nil {
		t.Fatal(err)
	}
	x.checkTally(t, "export", who, export.Tally)
}

func (x *machine) checkPoll(t *rapid.T, who channel.Sender) {
	poll := x.reader(t, who, x.lens(t, who))
	defer poll.Close()
	messages := x.ready(t, poll)
	if len(messages) != len(x.m.tallies) {
		t.Fatalf("a poll has %d messages of %d", len(messages), len(x.m.tallies))
	}
	x.checkMessages(t, "poll", who, messages)
}

func (x *machine) checkHistory(t *rapid.T, who channel.Sender) {
	history, err := x.s.hub.Before(context.Background(), channel.Vote(x.code), channel.End, 1000, x.lens(t, who))
	if err != nil {
		t.Fatal(err)
	}
	x.checkMessages(t, "history", who, history.Messages)
}

// checkOldLens reads the past through the lens that was made with the vote.
func (x *machine) checkOldLens(t *rapid.T, who channel.Sender) {
	past, err := x.s.hub.Before(context.Background(), channel.Vote(x.code), channel.End, 1000, x.lenses[who])
	if err != nil {
		t.Fatal(err)
	}
	x.checkMessages(t, "old lens", who, past.Messages)
}

func (x *machine) checkRecount(t *rapid.T, _ channel.Sender) {
	recount, err := x.s.Recount(context.Background(), x.code)
	if err != nil || recount.Voters != len(x.m.ballots) {
		t.Fatalf("the recount is %+v, the model %+v, %v", recount, x.m, err)
	}
	for i, n := range x.m.counts() {
		if recount.Options[i].Count != n {
			t.Fatalf("the recount is %+v, the model %+v", recount, x.m)
		}
	}
}

func (x *machine) ready(t *rapid.T, r *channel.Reader) (messages []channel.Message) {
	batches, err := r.Ready(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		messages = append(messages, b.Messages...)
	}
	return messages
}

func (x *machine) checkMessages(t *rapid.T, path string, who channel.Sender, messages []channel.Message) {
	for _, m := range messages {
		x.checkTally(t, path, who, parse(t, m))
	}
}

func (x *machine) checkTally(t *rapid.T, path string, who channel.Sender, tally vote.Tally) {
	want := x.m.visible(who)
	if tally.Visible != want {
		t.Fatalf("%s: %q sees version %d: %t, want %t", path, who.Name, tally.Version, tally.Visible, want)
	}
	for i, o := range tally.Options {
		switch {
		case (o.Count != nil) != want, o.Who != nil && (!want || !x.m.named):
			t.Fatalf("%s: visible %t, and %q sees %+v", path, want, who.Name, o)
		case o.Count != nil && *o.Count != x.m.tallies[tally.Version-1][i]:
			t.Fatalf("%s: option %d of version %d has %d, want %v", path, o.ID, tally.Version, *o.Count, x.m.tallies[tally.Version-1])
		}
	}
}
