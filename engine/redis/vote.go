package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/problem"
	"parley/vote"
)

// Everything about a vote is in the partition of its channel: see lua/vote.lua.
func (k keys) vote(code string) string    { return k.ofVote(code, "v:"+code) }
func (k keys) ballots(code string) string { return k.ofVote(code, "vb:"+code) }
func (k keys) times(code string) string   { return k.ofVote(code, "vt:"+code) }

func (k keys) ofVote(code, what string) string { return k.in(votePartition(code), what) }

func (k keys) votesOf(partition int, user string) string { return k.in(partition, "vu:"+user) }
func (k keys) votesIn(partition int, room string) string { return k.in(partition, "vr:"+room) }
func (k keys) deadlines(partition int) string            { return k.in(partition, "vd") }

func votePartition(code string) int { return partitionOf(channel.Vote(code)) }

var (
	createVoteScript = newScript(writes, "vote_create", "channel", "vote")
	updateVoteScript = newScript(writes, "vote_update", "channel", "vote")
	recountScript    = newScript(readsIt, "vote_recount")
)

// keptVote is a vote as it was read.
type keptVote struct {
	vote.Vote        // the owner by the name they have now
	rev       string // of its definition
	owner     string // the owner's name when the vote was made
}

// definition is what Update may change of a vote, and what never changes: all but the tally.
type definition struct {
	Question string       `json:"question"`
	Options  []string     `json:"options"`
	Min      int          `json:"min"`
	Max      int          `json:"max"`
	Room     string       `json:"room,omitempty"`
	Owner    string       `json:"owner"`
	Name     string       `json:"name"` // of the owner when the vote was made; shown when the owner is forgotten
	Change   bool         `json:"change"`
	Named    bool         `json:"named"`
	Results  vote.Results `json:"results"`
	Open     bool         `json:"open"`
	Closes   int64        `json:"closes,omitempty"` // milliseconds; 0: no deadline
	Created  int64        `json:"created"`          // milliseconds
}

// define is the definition of v, whose owner had a name when it was made.
func define(v vote.Vote, owner string) string {
	d := definition{
		Question: v.Question, Options: make([]string, len(v.Options)), Min: v.Min, Max: v.Max, Room: v.Room, Owner: v.Owner.ID, Name: owner,
		Change: v.Change, Named: v.Named, Results: v.Results, Open: v.Open, Created: v.Created.UnixMilli(),
	}
	for i, o := range v.Options {
		d.Options[i] = o.Text
	}
	if !v.Closes.IsZero() {
		d.Closes = v.Closes.UnixMilli()
	}
	text, _ := json.Marshal(d) // of strings, numbers and booleans: cannot fail
	return string(text)
}

// due is the deadline as it is indexed: "" if the vote is not to be closed.
func due(v vote.Vote) string {
	if !v.Open || v.Closes.IsZero() {
		return ""
	}
	return strconv.FormatInt(v.Closes.UnixMilli(), 10)
}

func parseDefinition(code, text string) (d definition, err error) {
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, problem.Internal.Because(fmt.Errorf("%w: the vote %s: %w", errRecord, code, err))
	}
	return d, nil
}

func noVote(code string) error { return vote.ErrNoVote.Detail("there is no vote %s", code) }

// parseVote makes the vote of its hash. ErrNoVote if that is empty.
func parseVote(code string, fields map[string]string) (*keptVote, error) {
	if len(fields) == 0 {
		return nil, noVote(code)
	}
	d, err := parseDefinition(code, fields["def"])
	if err != nil {
		return nil, err
	}
	v := vote.Vote{
		Code: code, Question: d.Question, Options: make([]vote.Option, len(d.Options)), Min: d.Min, Max: d.Max, Room: d.Room,
		Owner: channel.Sender{ID: d.Owner, Name: d.Name}, Change: d.Change, Named: d.Named, Results: d.Results, Open: d.Open, Created: time.UnixMilli(d.Created).UTC(),
	}
	if d.Closes != 0 {
		v.Closes = time.UnixMilli(d.Closes).UTC()
	}
	for i, text := range d.Options {
		v.Options[i] = vote.Option{ID: i + 1, Text: text}
	}
	names := []string{"version", "voters"}
	for i := range v.Options {
		names = append(names, strconv.Itoa(i+1))
	}
	tally := make([]int64, len(names))
	for i, name := range names {
		if n, ok := fields[name]; ok { // what nobody chose is not there
			var err error
			if tally[i], err = strconv.ParseInt(n, 10, 64); err != nil {
				return nil, problem.Internal.Because(fmt.Errorf("%w: the vote %s: %w", errRecord, code, err))
			}
		}
	}
	if err := setTally(&v, tally); err != nil {
		return nil, err
	}
	return &keptVote{v, fields["rev"], d.Name}, nil
}

// setTally puts the numbers of a tally, as scripts return them, into a vote.
func setTally(v *vote.Vote, numbers []int64) error {
	if len(numbers) != 2+len(v.Options) {
		return problem.Internal.Because(fmt.Errorf("%w: the vote %s has %d options and %d counts", errRecord, v.Code, len(v.Options), len(numbers)-2))
	}
	v.Version, v.Voters = uint64(numbers[0]), int(numbers[1])
	v.Options = slices.Clone(v.Options)
	for i, n := range numbers[2:] {
		v.Options[i].Count = int(n)
	}
	return nil
}

// tally gives a script what it makes the event of v with, which is the first that it opens: what tally in lua/vote.lua takes.
func (c *call) tally(v vote.Vote) {
	d := draw(channel.Draft{Channel: channel.Vote(v.Code), Type: vote.TallyType, From: channel.System})
	c.arg(strconv.FormatUint(uint64(d.mark), 10), string(appendMeta(nil, &d)))
	c.int(int64(len(v.Options)))
	c.arg(vote.EventParts(v)...)
}

// CreateVote implements vote.Store.
func (e *Engine) CreateVote(ctx context.Context, v vote.Vote, drafts ...channel.Draft) (vote.Vote, error) {
	v.Version, v.Voters = 1, 0
	v.Options = slices.Clone(v.Options)
	for i := range v.Options {
		v.Options[i] = vote.Option{ID: i + 1, Text: v.Options[i].Text}
	}
	p := votePartition(v.Code)
	if err := e.checkElsewhere(ctx, p, drafts); err != nil {
		return vote.Vote{}, err
	}
	c := e.newCall(createVoteScript, p)
	channels := c.channels(append([]channel.Draft{{Channel: channel.Vote(v.Code)}}, drafts...)...)
	c.key(e.keys.vote(v.Code), e.keys.deadlines(p))
	c.arg(v.Code, define(v, v.Owner.Name), channel.DrawID(), due(v))
	lists := []string{e.keys.votesOf(p, v.Owner.ID)}
	if v.Room != "" {
		lists = append(lists, e.keys.votesIn(p, v.Room))
	}
	c.int(int64(len(lists)))
	c.key(lists...)
	announced := c.drafts(channels, drafts...)
	c.tally(v)
	result, err := c.run(ctx)
	if err != nil {
		return vote.Vote{}, err
	}
	if code, err := result.ToString(); err == nil && code == "taken" {
		return vote.Vote{}, vote.ErrCodeTaken.Detail("the code %s is taken", v.Code)
	}
	if each, err := result.ToArray(); err == nil {
		return vote.Vote{}, refusedDraft(announced, each)
	}
	if _, err := e.deliver(ctx, p, c.outgoing); err != nil {
		// The vote is made. That its room went meanwhile, or hears of it later, does not unmake it.
		e.o.Logger.Warn("a vote was made, and could not be announced", "vote", v.Code, "error", err)
	}
	return v, nil
}

// Vote implements vote.Store.
func (e *Engine) Vote(ctx context.Context, code string) (vote.Vote, error) {
	kept, _, err := e.readVote(ctx, code)
	if err != nil {
		return vote.Vote{}, err
	}
	return kept.Vote, nil
}

// ownersKept is of how many votes the engine knows who owns them, so that their names are read together with them.
const ownersKept = 10_000

// owner is who owns a vote, by id: it never changes.
func (e *Engine) owner(ctx context.Context, code string) (string, error) {
	return e.owners.Load(code, func() (string, error) {
		text, err := e.ask(ctx, e.client.B().Hget().Key(e.keys.vote(code)).Field("def").Build()).ToString()
		switch {
		case rueidis.IsRedisNil(err):
			return "", noVote(code)
		case err != nil:
			return "", explain(err)
		}
		d, err := parseDefinition(code, text)
		return d.Owner, err
	})
}

// readVote reads a vote, after the ballots of some voters (of which nil means none): so it counts at least those. ErrNoVote if there is none.
func (e *Engine) readVote(ctx context.Context, code string, voters ...string) (*keptVote, []*keptBallot, error) {
	owner, err := e.owner(ctx, code)
	if err != nil {
		return nil, nil, err
	}
	reads := []rueidis.Completed{e.namesCommand(owner)}
	if len(voters) > 0 {
		reads = append(reads, e.client.B().Hmget().Key(e.keys.ballots(code)).Field(voters...).Build())
	}
	results, err := e.askAll(ctx, append(reads, e.client.B().Hgetall().Key(e.keys.vote(code)).Build())...)
	if err != nil {
		return nil, nil, err
	}
	names, err1 := parseNames(results[0], owner)
	fields, err2 := results[len(results)-1].AsStrMap()
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, explain(err)
	}
	kept, err := parseVote(code, fields)
	if err != nil {
		return nil, nil, err
	}
	if kept.Owner.ID != owner { // Redis lost the vote, and has another
		e.owners.Drop(code)
		return e.readVote(ctx, code, voters...)
	}
	if name, ok := names[owner]; ok {
		kept.Owner.Name = name
	}
	if len(voters) == 0 {
		return kept, nil, nil
	}
	ballots, err := parseBallots(code, voters, results[1])
	return kept, ballots, err
}

// Update implements vote.Store.
func (e *Engine) Update(ctx context.Context, code string, change func(vote.Vote) (vote.Vote, error)) (vote.Vote, error) {
	for range attempts {
		kept, _, err := e.readVote(ctx, code)
		if err != nil {
			return vote.Vote{}, err
		}
		next, err := change(kept.Vote.Clone())
		if err != nil || next.Same(kept.Vote) {
			return kept.Vote.Clone(), err
		}
		v := kept.Vote.Changed(next)
		p := votePartition(code)
		c := e.newCall(updateVoteScript, p)
		c.channels(channel.Draft{Channel: channel.Vote(code)})
		c.key(e.keys.vote(code), e.keys.deadlines(p))
		c.arg(code, kept.rev, flag(v.Voters > 0), define(v, kept.owner), channel.DrawID(), due(v))
		c.tally(v)
		result, err := c.run(ctx)
		if err != nil {
			return vote.Vote{}, err
		}
		counted, err := result.AsIntSlice()
		if err != nil {
			return vote.Vote{}, problem.Internal.Because(err)
		}
		if len(counted) > 0 {
			err := setTally(&v, counted)
			return v, err
		}
	}
	return vote.Vote{}, changing(code)
}

// attempts is how often an operation is begun anew because the vote was changed meanwhile. Each time somebody else's change went through.
const attempts = 100

func changing(code string) error {
	return problem.Overloaded.Detail("the vote %s is being changed all the time: try again", code).After(time.Second)
}

// Recount implements vote.Store. Redis does nothing else while it reads the ballots, some microseconds for each of them.
func (e *Engine) Recount(ctx context.Context, code string) (vote.Vote, error) {
	c := e.newCall(recountScript, votePartition(code))
	c.key(e.keys.vote(code), e.keys.ballots(code))
	result, err := c.run(ctx)
	if err != nil {
		return vote.Vote{}, err
	}
	both, err := result.ToArray()
	if err != nil || len(both) != 2 {
		return vote.Vote{}, problem.Internal.Because(errRecord)
	}
	fields, err := both[0].AsStrMap()
	if err != nil {
		return vote.Vote{}, problem.Internal.Because(err)
	}
	kept, err := parseVote(code, fields)
	if err != nil {
		return vote.Vote{}, err
	}
	named := []vote.Vote{kept.Vote}
	if err := e.nameOwners(ctx, named); err != nil {
		return vote.Vote{}, err
	}
	counted, err := both[1].AsIntSlice()
	if err != nil {
		return vote.Vote{}, problem.Internal.Because(err)
	}
	v := named[0]
	v.Voters = 0
	for i := range v.Options {
		v.Options[i].Count = 0
	}
	for i := 0; i+1 < len(counted); i += 2 {
		set, n := uint64(counted[i]), int(counted[i+1])
		v.Voters += n
		for _, id := range vote.OptionsOf(set) {
			if id > len(v.Options) {
				return vote.Vote{}, problem.Internal.Because(fmt.Errorf("%w: %d ballots in the vote %s have option %d", errRecord, n, code, id))
			}
			v.Options[id-1].Count += n
		}
	}
	return v, nil
}
