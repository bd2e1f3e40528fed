package vote

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"parley/channel"
	"parley/identity"
	"parley/problem"
)

// Spec is what a new vote shall be. The zero value of every field but Question and Options is its default.
type Spec struct {
	Question string
	Options  []string
	Min      int           // 0: 1
	Max      int           // 0: Min
	Room     string        // "": the vote stands alone
	Change   *bool         // nil: true
	Named    bool          //
	Results  Results       // "": Always
	Closes   time.Time     // zero: no deadline
	ClosesIn time.Duration // the deadline, from now; 0: none. Not together with Closes.
}

// codeAttempts is how many codes are tried. With half of all codes taken, all attempts fail once in 2^32.
const codeAttempts = 32

// Create makes a vote owned by who, and announces it in its room, for which who needs the right to post.
//
// It returns identity.ErrNoSession for nobody; problem.Empty, problem.TooLong, problem.BadRequest or ErrBadOptions for
// what is wrong with spec; or what the room says.
func (s *Service) Create(ctx context.Context, who channel.Sender, spec Spec) (Vote, error) {
	if who.ID == "" {
		return Vote{}, identity.ErrNoSession
	}
	v, err := spec.vote(s.now())
	if err != nil {
		return Vote{}, err
	}
	v.Owner = who
	if v.Room != "" {
		if s.rooms == nil {
			return Vote{}, problem.BadRequest.Detail("there are no rooms here: leave room out")
		}
		if err := s.rooms.MayPost(ctx, who, v.Room); err != nil {
			return Vote{}, err
		}
	}
	for range codeAttempts {
		if v.Code, err = newCode(s.rand); err != nil {
			return Vote{}, err
		}
		made, err := s.store.CreateVote(ctx, v, announcement(v)...)
		if errors.Is(err, ErrCodeTaken) {
			continue
		}
		if err != nil {
			return Vote{}, err
		}
		s.changed(made)
		return made, nil
	}
	return Vote{}, problem.Unavailable.Detail("no free code was found: too many votes are kept")
}

// vote checks the spec and makes an open vote of it, without code and owner.
func (spec Spec) vote(now time.Time) (v Vote, err error) {
	v = Vote{
		Min: spec.Min, Max: spec.Max, Room: spec.Room, Change: spec.Change == nil || *spec.Change, Named: spec.Named, Results: spec.Results,
		Open: true, Created: now.Truncate(time.Millisecond).UTC(),
	}
	if v.Question, err = checkQuestion(spec.Question); err != nil {
		return Vote{}, err
	}
	if v.Options, err = checkOptions(spec.Options); err != nil {
		return Vote{}, err
	}
	if v.Min == 0 {
		v.Min = 1
	}
	if v.Max == 0 {
		v.Max = v.Min
	}
	if err := checkRange(v.Min, v.Max, len(v.Options)); err != nil {
		return Vote{}, err
	}
	if v.Results == "" {
		v.Results = Always
	}
	if err := checkResults(v.Results); err != nil {
		return Vote{}, err
	}
	closes := spec.Closes
	if spec.ClosesIn != 0 {
		if !closes.IsZero() {
			return Vote{}, problem.BadRequest.Detail("closes and closes_in are two ways to say one thing: give one of them")
		}
		closes = now.Add(spec.ClosesIn)
	}
	if !closes.IsZero() {
		if v.Closes, err = checkDeadline(closes, now); err != nil {
			return Vote{}, err
		}
	}
	return v, nil
}

// announcement is what a vote's room hears: from the owner, who said it by making the vote.
func announcement(v Vote) []channel.Draft {
	if v.Room == "" {
		return nil
	}
	data, _ := json.Marshal(struct {
		Code     string `json:"code"`
		Question string `json:"question"`
	}{v.Code, v.Question})
	return []channel.Draft{{Channel: channel.Room(v.Room), Type: "vote", From: v.Owner, Data: data}}
}
