package vote

import (
	"context"
	"slices"
	"time"

	"parley/channel"
	"parley/identity"
	"parley/problem"
)

// Update changes a vote for its owner, or for an administrator (admin). Opening a closed vote again removes a deadline
// that has passed, unless c has a new one; a new deadline alone does not open it. Fields that are locked may be given
// if they change nothing.
//
// It returns ErrNoVote, problem.NotOwner, ErrVoteLocked, or what Create says of bad fields.
func (s *Service) Update(ctx context.Context, who channel.Sender, admin bool, code string, c Change) (Vote, error) {
	if who.ID == "" {
		return Vote{}, identity.ErrNoSession
	}
	v, err := s.find(ctx, code)
	if err != nil {
		return Vote{}, err
	}
	if !admin { // neither owner nor room ever change, so this need not be in the transaction
		if err := s.mayRead(ctx, who, v.Room); err != nil {
			return Vote{}, err
		}
		if who.ID != v.Owner.ID {
			return Vote{}, problem.NotOwner.Detail("only %s, who made the vote, may change it", v.Owner.Name)
		}
	}
	v, err = s.store.Update(ctx, v.Code, func(v Vote) (Vote, error) { return v.with(c, s.now()) })
	if err != nil {
		return Vote{}, err
	}
	s.changed(v)
	return v, nil
}

// with returns the vote as c makes it.
func (v Vote) with(c Change, now time.Time) (_ Vote, err error) {
	w := v.at(now)
	if c.Question != nil {
		if w.Question, err = checkQuestion(*c.Question); err != nil {
			return v, err
		}
	}
	if c.Options != nil {
		options, err := checkOptions(c.Options)
		if err != nil {
			return v, err
		}
		if !slices.EqualFunc(options, v.Options, func(a, b Option) bool { return a.Text == b.Text }) {
			w.Options = options
		}
	}
	set(&w.Min, c.Min)
	set(&w.Max, c.Max)
	set(&w.Change, c.Change)
	set(&w.Named, c.Named)
	set(&w.Results, c.Results)
	if err := checkRange(w.Min, w.Max, len(w.Options)); err != nil {
		return v, err
	}
	if err := checkResults(w.Results); err != nil {
		return v, err
	}
	if v.Voters > 0 && !v.asks(w) {
		return v, ErrVoteLocked.Detail("question, options, min, max, change and named cannot be changed any more: people have answered. Make a new vote.")
	}
	if c.Closes != nil {
		w.Closes = time.Time{}
		if !c.Closes.IsZero() {
			if w.Closes, err = checkDeadline(*c.Closes, now); err != nil {
				return v, err
			}
		}
	}
	if c.Open != nil {
		w.Open = *c.Open
		if w.Open && w.past(now) {
			w.Closes = time.Time{}
		}
	}
	return w, nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// asks reports whether w asks the same of people: all that the first ballot locks.
func (v Vote) asks(w Vote) bool {
	return v.Question == w.Question && v.Min == w.Min && v.Max == w.Max && v.Change == w.Change && v.Named == w.Named &&
		slices.EqualFunc(v.Options, w.Options, func(a, b Option) bool { return a.Text == b.Text })
}

// Same reports whether nothing that Update can change differs between v and w. A Store stores nothing, and appends no
// event, when an update leaves a vote the same.
func (v Vote) Same(w Vote) bool {
	return v.asks(w) && v.Open == w.Open && v.Results == w.Results && v.Closes.Equal(w.Closes)
}
