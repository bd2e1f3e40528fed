package redis

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"parley/vote"
)

var listVotesScript = newScript(readsIt, "vote_list")

// BallotOf implements vote.Store.
func (e *Engine) BallotOf(ctx context.Context, code, voter string) (*vote.Ballot, error) {
	found, err := parseBallots(code, []string{voter}, e.ask(ctx, e.client.B().Hmget().Key(e.keys.ballots(code)).Field(voter).Build()))
	if err != nil || found[0] == nil {
		return nil, err
	}
	if err := e.nameVoters(ctx, found); err != nil {
		return nil, err
	}
	return &found[0].Ballot, nil
}

// Ballots implements vote.Store.
func (e *Engine) Ballots(ctx context.Context, code string, limit int) ([]vote.Ballot, error) {
	first := e.client.B().Zrange().Key(e.keys.times(code)).Min("0").Max(strconv.Itoa(limit - 1)).Build() // -1: to the last
	voters, err := e.ask(ctx, first).AsStrSlice()
	if err != nil {
		return nil, explain(err)
	}
	var ballots []vote.Ballot
	for some := range slices.Chunk(voters, readBallots) {
		found, err := parseBallots(code, some, e.ask(ctx, e.client.B().Hmget().Key(e.keys.ballots(code)).Field(some...).Build()))
		if err != nil {
			return nil, err
		}
		if err := e.nameVoters(ctx, found); err != nil {
			return nil, err
		}
		for _, b := range found {
			if b != nil {
				ballots = append(ballots, b.Ballot)
			}
		}
	}
	// A ballot that was changed between the two reads is where it was, with its new time.
	slices.SortStableFunc(ballots, func(a, b vote.Ballot) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Voter.ID, b.Voter.ID)) })
	return ballots, nil
}

// readBallots is how many ballots are read with one command.
const readBallots = 1000

// Votes implements vote.Store.
func (e *Engine) Votes(ctx context.Context, user string, limit int) ([]vote.Vote, error) {
	if user == "" || limit <= 0 {
		return nil, nil
	}
	rooms, err := e.roomsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	codes, err := e.newestVotes(ctx, user, rooms, limit)
	if err != nil || len(codes) == 0 {
		return nil, err
	}
	reads := make([]rueidis.Completed, len(codes))
	for i, code := range codes {
		reads[i] = e.client.B().Hgetall().Key(e.keys.vote(code)).Build()
	}
	results, err := e.askAll(ctx, reads...)
	if err != nil {
		return nil, err
	}
	votes := make([]vote.Vote, 0, len(codes))
	for i, code := range codes {
		fields, err := results[i].AsStrMap()
		if err != nil {
			return nil, err
		}
		kept, err := parseVote(code, fields)
		if err != nil {
			return nil, err
		}
		votes = append(votes, kept.Vote)
	}
	return votes, e.nameOwners(ctx, votes)
}

// newestVotes asks all partitions for the newest votes of a user and of rooms.
func (e *Engine) newestVotes(ctx context.Context, user string, rooms []string, limit int) ([]string, error) {
	type listed struct {
		code string
		made float64
	}
	var lists [Partitions][]listed
	var errs [Partitions]error
	var asked sync.WaitGroup
	for p := range Partitions {
		asked.Go(func() {
			c := e.newCall(listVotesScript, p)
			c.int(int64(limit))
			c.int(int64(1 + len(rooms)))
			c.key(e.keys.votesOf(p, user))
			for _, room := range rooms {
				c.key(e.keys.votesIn(p, room))
			}
			result, err := c.run(ctx)
			if err != nil {
				errs[p] = err
				return
			}
			var scores []rueidis.ZScore
			scores, errs[p] = result.AsZScores()
			for _, s := range scores {
				lists[p] = append(lists[p], listed{s.Member, s.Score})
			}
		})
	}
	asked.Wait()
	if err := cmp.Or(errs[:]...); err != nil {
		return nil, err
	}
	found := slices.Concat(lists[:]...)
	slices.SortFunc(found, func(a, b listed) int { return cmp.Or(cmp.Compare(b.made, a.made), cmp.Compare(a.code, b.code)) })
	found = slices.Compact(found) // made by user, and in a room of theirs
	codes := make([]string, 0, limit)
	for _, l := range found[:min(limit, len(found))] {
		codes = append(codes, l.code)
	}
	return codes, nil
}

// NextDeadline implements vote.Store.
func (e *Engine) NextDeadline(ctx context.Context) (code string, at time.Time, err error) {
	var reads [Partitions]rueidis.Completed
	for p := range reads {
		reads[p] = e.client.B().Zrange().Key(e.keys.deadlines(p)).Min("0").Max("0").Withscores().Build()
	}
	results, err := e.askAll(ctx, reads[:]...)
	if err != nil {
		return "", time.Time{}, err
	}
	for _, r := range results {
		first, err := r.AsZScores()
		if err != nil {
			return "", time.Time{}, explain(err)
		}
		for _, s := range first {
			if closes := time.UnixMilli(int64(s.Score)).UTC(); code == "" || closes.Before(at) {
				code, at = s.Member, closes
			}
		}
	}
	return code, at, nil
}
