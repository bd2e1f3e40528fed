package redis

import (
	"context"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/vote"
)

// namesNow returns what people are called now, by id; those who are forgotten are not there.
func (e *Engine) namesNow(ctx context.Context, ids []string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	records, err := e.ask(ctx, e.client.B().Hmget().Key(e.keys.fact("users")).Field(ids...).Build()).ToArray()
	if err != nil {
		return nil, explain(err)
	}
	names := make(map[string]string, len(ids))
	for i, id := range ids {
		if record, err := records[i].ToString(); err == nil {
			names[id] = nameIn(record)
		} else if !rueidis.IsRedisNil(err) {
			return nil, explain(err)
		}
	}
	return names, nil
}

// nameNow is what somebody is called now; who is forgotten, as they were.
func (e *Engine) nameNow(ctx context.Context, who channel.Sender) (string, error) {
	names, err := e.namesNow(ctx, []string{who.ID})
	if name, ok := names[who.ID]; ok {
		return name, err
	}
	return who.Name, err
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
