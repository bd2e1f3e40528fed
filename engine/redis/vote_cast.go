package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/channel"
	"parley/problem"
	"parley/vote"
)

var castScript = newScript(writes, "vote_cast", "channel", "vote")

// ballotBoxes count the ballots that this node takes. Those that come for a vote while others of it are being counted are counted together
// then, and make one event: without a timer, so that one alone does not wait.
type ballotBoxes struct {
	e       *Engine
	calls   atomic.Uint64
	mu      sync.Mutex
	waiting map[string][]*casting // by code; a key is there while its ballots are being counted
}

// casting is one Cast that waits to be counted.
type casting struct {
	ctx      context.Context
	ballot   vote.Ballot
	check    func(vote.Vote, *vote.Ballot) error
	since    time.Time
	earlier  *keptBallot // as it was read last
	attempts int
	done     chan struct{}
	vote     vote.Vote // valid, as err is, once done is closed
	err      error
}

func (c *casting) finish(v vote.Vote, err error) {
	c.vote, c.err = v.Clone(), err
	close(c.done)
}

// ballotCost is about what a ballot takes while it waits, in bytes, beside the voter's name.
const ballotCost = 512

// groupBallots is how many ballots one script counts: a few milliseconds of Redis' time.
const groupBallots = 512

// Cast implements vote.Store. When ctx ends, the ballot may be counted all the same.
func (e *Engine) Cast(ctx context.Context, b vote.Ballot, check func(vote.Vote, *vote.Ballot) error) (vote.Vote, error) {
	c := &casting{ctx: ctx, ballot: b, check: check, since: time.Now(), done: make(chan struct{})}
	done, err := e.admit(len(b.Voter.ID) + len(b.Voter.Name) + ballotCost)
	if err != nil {
		return vote.Vote{}, err
	}
	defer done()
	e.boxes.put(c)
	select {
	case <-c.done:
		return c.vote, c.err
	case <-ctx.Done():
		return vote.Vote{}, ctx.Err()
	}
}

func (x *ballotBoxes) put(c *casting) {
	x.mu.Lock()
	defer x.mu.Unlock()
	code := c.ballot.Code
	queue, counting := x.waiting[code]
	x.waiting[code] = append(queue, c)
	if !counting {
		x.e.work.Go(func() { x.count(code) })
	}
}

// count counts the ballots of a vote until none waits.
func (x *ballotBoxes) count(code string) {
	var again []*casting
	for {
		group := x.take(code, again)
		if len(group) == 0 {
			return
		}
		var err error
		if again, err = x.e.castGroup(code, group); errors.Is(err, problem.Unavailable) {
			x.giveUp(code, err)
		}
	}
}

// giveUp ends, while Redis is away, what has waited for long enough as well: else a long queue would wait for Options.Patience again and
// again.
func (x *ballotBoxes) giveUp(code string, err error) {
	oldest := time.Now().Add(-x.e.o.Patience)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.waiting[code] = slices.DeleteFunc(x.waiting[code], func(c *casting) bool {
		if c.since.After(oldest) {
			return false
		}
		c.finish(vote.Vote{}, err)
		return true
	})
}

// take returns the next ballots to count, of different voters: first of those that are to be tried again.
func (x *ballotBoxes) take(code string, again []*casting) (group []*casting) {
	x.mu.Lock()
	defer x.mu.Unlock()
	queue := append(again, x.waiting[code]...)
	voters := map[string]bool{}
	rest := queue[:0:0]
	for _, c := range queue {
		if len(group) < groupBallots && !voters[c.ballot.Voter.ID] {
			voters[c.ballot.Voter.ID] = true
			group = append(group, c)
		} else {
			rest = append(rest, c)
		}
	}
	if len(group) == 0 {
		delete(x.waiting, code)
	} else {
		x.waiting[code] = rest
	}
	return group
}

// castGroup counts ballots of different voters in one vote, and returns those that are to be checked again, because the vote or the
// voter's ballot changed meanwhile; or the error that all have got.
func (e *Engine) castGroup(code string, group []*casting) (again []*casting, err error) {
	voters := make([]string, len(group))
	for i, c := range group {
		voters[i] = c.ballot.Voter.ID
	}
	kept, earlier, err := e.readVote(e.ctx, code, voters...)
	if err != nil {
		return nil, refuseAll(group, err)
	}
	var checked []*casting
	for i, c := range group {
		c.earlier = earlier[i]
		if done, err := c.checked(kept.Vote); done || err != nil {
			c.finish(kept.Vote, err)
			continue
		}
		checked = append(checked, c)
	}
	if len(checked) == 0 {
		return nil, nil
	}
	v, late, err := e.castChecked(kept, checked)
	if err != nil {
		return nil, refuseAll(checked, err)
	}
	for i, c := range checked {
		switch {
		case !late[i]:
			c.finish(v, nil)
		case c.attempts == attempts:
			c.finish(vote.Vote{}, changing(code))
		default:
			c.attempts++
			again = append(again, c)
		}
	}
	return again, nil
}

func refuseAll(group []*casting, err error) error {
	for _, c := range group {
		c.finish(vote.Vote{}, err)
	}
	return err
}

// checked asks whether the ballot may be cast, and reports whether it is there already.
func (c *casting) checked(v vote.Vote) (done bool, err error) {
	if err := c.ctx.Err(); err != nil {
		return false, err
	}
	if c.earlier == nil {
		return false, c.check(v.Clone(), nil)
	}
	if err := c.check(v.Clone(), &c.earlier.Ballot); err != nil {
		return false, err
	}
	return vote.OptionBits(c.earlier.Options) == vote.OptionBits(c.ballot.Options), nil
}

// castChecked counts ballots that were checked against kept and their earlier ones, where both are still so. It returns the vote with the
// others counted, and which are late.
func (e *Engine) castChecked(kept *keptVote, checked []*casting) (v vote.Vote, late []bool, err error) {
	code := kept.Code
	p := votePartition(code)
	c := e.newCall(castScript, p)
	c.once, c.number, c.admitted = e.keys.once(p, e.node+"."+code), e.boxes.calls.Add(1), true
	c.channels(channel.Draft{Channel: channel.Vote(code)})
	c.key(e.keys.vote(code), e.keys.ballots(code), e.keys.times(code))
	c.arg(code, kept.rev)
	c.int(int64(len(checked)))
	for _, b := range checked {
		var earlier string
		var before uint64
		if b.earlier == nil {
			c.key(e.keys.votesOf(p, b.ballot.Voter.ID))
		} else {
			earlier, before = b.earlier.text, vote.OptionBits(b.earlier.Options)
		}
		c.arg(b.ballot.Voter.ID, earlier, ballotText(b.ballot), strconv.FormatInt(b.ballot.At.UnixMilli(), 10), difference(before, vote.OptionBits(b.ballot.Options)))
	}
	c.tally(kept.Vote)
	result, err := c.run(e.ctx)
	if err != nil {
		return vote.Vote{}, nil, err
	}
	late = make([]bool, len(checked))
	both, err := result.ToArray()
	if err != nil {
		return vote.Vote{}, nil, problem.Internal.Because(err)
	}
	if len(both) != 2 { // the definition is another
		for i := range late {
			late[i] = true
		}
		return kept.Vote, late, nil
	}
	counts, err1 := both[0].AsIntSlice()
	behind, err2 := both[1].AsIntSlice()
	if err := errors.Join(err1, err2); err != nil {
		return vote.Vote{}, nil, problem.Internal.Because(err)
	}
	for _, i := range behind {
		late[i-1] = true
	}
	v = kept.Vote
	if len(counts) > 0 {
		err = setTally(&v, counts)
	}
	return v, late, err
}
