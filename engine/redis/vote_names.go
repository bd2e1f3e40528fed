package redis

import (
	"context"

	"github.com/redis/rueidis"

	"parley/vote"
)

// namesCommand asks what people are called now.
func (e *Engine) namesCommand(ids ...string) rueidis.Completed {
	return e.client.B().Hmget().Key(e.keys.fact("users")).Field(ids...).Build()
}

// parseNames reads what namesCommand found: by id; those who are forgotten are not there.
func parseNames(result rueidis.RedisResult, ids ...string) (map[string]string, error) {
	records, err := result.ToArray()
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(ids))
	for i, id := range ids {
		if records[i].IsNil() {
			continue
		}
		record, err := records[i].ToString()
		if err != nil {
			return nil, err
		}
		names[id] = nameIn(record)
	}
	return names, nil
}

func (e *Engine) namesNow(ctx context.Context, ids []string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	names, err := parseNames(e.ask(ctx, e.namesCommand(ids...)), ids...)
	return names, explain(err)
}

// nameOwners gives the owners of votes the names they have now.
func (e *Engine) nameOwners(ctx context.Context, votes []vote.Vote) error {
	ids := make([]string, len(votes))
	for i, v := range votes {
		ids[i] = v.Owner.ID
	}
	names, err := e.namesNow(ctx, ids)
	for i := range votes {
		if name, ok := names[votes[i].Owner.ID]; ok {
			votes[i].Owner.Name = name
		}
	}
	return err
}

// nameVoters gives the voters of ballots the names they have now. Ballots may be nil.
func (e *Engine) nameVoters(ctx context.Context, ballots []*keptBallot) error {
	var ids []string
	for _, b := range ballots {
		if b != nil {
			ids = append(ids, b.Voter.ID)
		}
	}
	names, err := e.namesNow(ctx, ids)
	for _, b := range ballots {
		if b != nil {
			if name, ok := names[b.Voter.ID]; ok {
				b.Voter.Name = name
			}
		}
	}
	return err
}

// roomsOf returns the rooms that a user is in.
func (e *Engine) roomsOf(ctx context.Context, user string) ([]string, error) {
	rooms, err := e.ask(ctx, e.client.B().Hkeys().Key(e.keys.fact("rooms:"+user)).Build()).AsStrSlice()
	return rooms, explain(err)
}
