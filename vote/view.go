package vote

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"parley/channel"
)

// VisibleTo is the rule of who sees the counts: viewer is a person's id ("" for nobody), hasVoted whether there is a
// ballot of theirs.
func (v Vote) VisibleTo(viewer string, hasVoted bool) bool {
	return stateOf(v).visibleTo(viewer, func() bool { return hasVoted })
}

// state is what decides about visibility, as of one version of a vote.
type state struct {
	code    string
	version uint64
	results Results
	open    bool
	owner   string
}

func stateOf(v Vote) state { return state{v.Code, v.Version, v.Results, v.Open, v.Owner.ID} }

// visibleTo calls hasVoted only if that decides.
func (s state) visibleTo(viewer string, hasVoted func() bool) bool {
	if viewer != "" && viewer == s.owner {
		return true
	}
	switch s.results {
	case Always:
		return true
	case Voted:
		return !s.open || viewer != "" && hasVoted()
	case Closed:
		return !s.open
	}
	return false
}

// Tally is a vote as it does not depend on who asks: the data of tally messages.
type Tally struct {
	Code     string         `json:"code"`
	Channel  channel.Name   `json:"channel"`
	Question string         `json:"question"`
	Open     bool           `json:"open"`
	Version  uint64         `json:"version"`
	Voters   int            `json:"voters"`
	Min      int            `json:"min"`
	Max      int            `json:"max"`
	Change   bool           `json:"change"`
	Named    bool           `json:"named"`
	Results  Results        `json:"results"`
	Room     string         `json:"room"`
	Owner    channel.Sender `json:"owner"`
	Created  string         `json:"created"`
	Closes   *string        `json:"closes"`
	Visible  bool           `json:"visible"`
	Options  []Counted      `json:"options"`
}

// Counted is an option with what may be seen of it.
type Counted struct {
	ID    int              `json:"id"`
	Text  string           `json:"text"`
	Count *int             `json:"count,omitempty"` // nil while the results are hidden
	Who   []channel.Sender `json:"who,omitzero"`    // nil unless the vote is named and visible
}

// View is a vote as one person may see it.
type View struct {
	Tally
	Ballot []int `json:"ballot"` // the person's own
	Mine   bool  `json:"mine"`   // whether they made the vote
}

// NewView is the vote as viewer ("" for nobody) may see it: ballot is their own, or nil; who are the ballots to show by name,
// of which at most names per option are shown (0: all). They are shown only if the vote is named and visible.
func NewView(v Vote, viewer string, ballot *Ballot, who []Ballot, names int) View {
	view := View{Tally: tally(v, v.VisibleTo(viewer, ballot != nil)), Ballot: []int{}, Mine: viewer != "" && viewer == v.Owner.ID}
	if ballot != nil {
		view.Ballot = ballot.Options
	}
	if !v.Named || !view.Visible {
		return view
	}
	for i := range view.Options {
		view.Options[i].Who = []channel.Sender{}
	}
	for _, b := range who {
		for _, id := range v.known(b.Options) {
			if o := &view.Options[id-1]; names == 0 || len(o.Who) < names {
				o.Who = append(o.Who, b.Voter)
			}
		}
	}
	return view
}

// known cuts off the options that v does not have: ballots may be read later than v, and before the first of them v may
// have got more options.
func (v Vote) known(options []int) []int {
	n, _ := slices.BinarySearch(options, len(v.Options)+1)
	return options[:n]
}

// Event is the data of the tally message for v: complete. Whoever reads it reads it through Service.Lens.
func Event(v Vote) json.RawMessage {
	t := tally(v, true)
	return t.json()
}

// EventParts is Event(v) cut where its numbers are: between the parts belong the version, how many voters there are, and
// the count of each option. With it an engine can make the event where it counts.
func EventParts(v Vote) []string {
	parts, rest := make([]string, 0, 3+len(v.Options)), string(Event(v))
	for i := range 2 + len(v.Options) {
		key := `"count":` // with its quotes: it is in no text, where they are escaped
		switch i {
		case 0:
			key = `"version":`
		case 1:
			key = `"voters":`
		}
		before, after, _ := strings.Cut(rest, key)
		parts, rest = append(parts, before+key), strings.TrimLeft(after, "0123456789")
	}
	return append(parts, rest)
}

func tally(v Vote, visible bool) Tally {
	t := Tally{
		Code: v.Code, Channel: channel.Vote(v.Code), Question: v.Question, Open: v.Open, Version: v.Version, Voters: v.Voters,
		Min: v.Min, Max: v.Max, Change: v.Change, Named: v.Named, Results: v.Results, Room: v.Room, Owner: v.Owner,
		Created: stamp(v.Created), Visible: visible, Options: make([]Counted, len(v.Options)),
	}
	if !v.Closes.IsZero() {
		closes := stamp(v.Closes)
		t.Closes = &closes
	}
	counts := make([]int, len(v.Options))
	for i, o := range v.Options {
		t.Options[i] = Counted{ID: o.ID, Text: o.Text}
		if visible {
			counts[i] = o.Count
			t.Options[i].Count = &counts[i]
		}
	}
	return t
}

// hidden returns the tally without what only some may see.
func (t Tally) hidden() Tally {
	t.Visible = false
	options := make([]Counted, len(t.Options))
	for i, o := range t.Options {
		options[i] = Counted{ID: o.ID, Text: o.Text}
	}
	t.Options = options
	return t
}

// stamp is a time as the protocol writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

const (
	viewNames  = 100   // names per option in a view
	viewBallot = 1_000 // ballots read for them at first: mostly there are not more
)

// Show is v, which viewer may read, as they may see it.
func (s *Service) Show(ctx context.Context, viewer channel.Sender, v Vote) (View, error) {
	return s.view(ctx, viewer, v, viewNames)
}

func (s *Service) view(ctx context.Context, viewer channel.Sender, v Vote, names int) (View, error) {
	var own *Ballot
	var err error
	if viewer.ID != "" {
		if own, err = s.store.BallotOf(ctx, v.Code, viewer.ID); err != nil {
			return View{}, err
		}
	}
	return s.viewWith(ctx, viewer, v, own, names)
}

// viewWith is view for those who know the viewer's ballot.
func (s *Service) viewWith(ctx context.Context, viewer channel.Sender, v Vote, own *Ballot, names int) (View, error) {
	var who []Ballot
	var err error
	if v.Named && v.VisibleTo(viewer.ID, own != nil) {
		if who, err = s.ballots(ctx, v, names); err != nil {
			return View{}, err
		}
	}
	return NewView(v, viewer.ID, own, who, names), nil
}

// ballots returns enough ballots to find so many names for each option; 0: all.
func (s *Service) ballots(ctx context.Context, v Vote, names int) ([]Ballot, error) {
	if names == 0 {
		return s.store.Ballots(ctx, v.Code, 0)
	}
	some, err := s.store.Ballots(ctx, v.Code, viewBallot)
	if err != nil || len(some) < viewBallot {
		return some, err
	}
	found := make([]int, len(v.Options))
	for _, b := range some {
		for _, id := range v.known(b.Options) {
			found[id-1]++
		}
	}
	for i, o := range v.Options {
		if found[i] < min(names, o.Count) { // a rare answer, given late
			return s.store.Ballots(ctx, v.Code, 0)
		}
	}
	return some, nil
}
