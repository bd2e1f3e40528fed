package parley

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parley/engine/sqlite"
	"parley/identity"
	"parley/vote"
)

// NewAdminLink makes a one-time token for /admin#TOKEN in the data of a server, beside it if it is running.
func NewAdminLink(ctx context.Context, c Config) (_ string, err error) {
	engine, err := tool(ctx, c)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	people, err := identity.New(ctx, engine, identity.Options{})
	if err != nil {
		return "", err
	}
	return people.NewAdminLink(ctx)
}

// Recounted is a vote's tally beside what its ballots say.
type Recounted struct {
	Code                string
	Tally, Ballots      []int // per option
	Voters, BallotCount int
	Right               bool // they are equal
}

// Recount counts the ballots of votes anew (all votes, if no codes are given) in the data of a server, beside it if it is running.
func Recount(ctx context.Context, c Config, codes ...string) (_ []Recounted, err error) {
	engine, err := tool(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	if len(codes) == 0 {
		if codes, err = engine.VoteCodes(ctx); err != nil {
			return nil, err
		}
	}
	var all []Recounted
	for _, code := range codes {
		if code, err = vote.NormalizeCode(code); err != nil {
			return nil, err
		}
		r, err := recount(ctx, engine, code)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// recountTries is how often a vote is counted again because ballots came in meanwhile.
const recountTries = 100

func recount(ctx context.Context, store vote.Store, code string) (Recounted, error) {
	for range recountTries {
		kept, err := store.Vote(ctx, code)
		if err != nil {
			return Recounted{}, err
		}
		counted, err := store.Recount(ctx, code)
		if err != nil {
			return Recounted{}, err
		}
		if kept.Version == counted.Version {
			return compare(kept, counted), nil
		}
	}
	return Recounted{}, fmt.Errorf("vote %s changes faster than it can be counted: close it first", code)
}

// tool opens the data beside the servers that may be using it.
func tool(ctx context.Context, c Config) (engine, error) {
	if c.Engine != "" {
		return open(ctx, c)
	}
	file := filepath.Join(c.Data, fileName)
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("there is no database in %s (--data says where it is): %w", c.Data, err)
	}
	return sqlite.Open(file, sqlite.Options{Tool: true})
}

func compare(kept, counted vote.Vote) Recounted {
	r := Recounted{Code: kept.Code, Voters: kept.Voters, BallotCount: counted.Voters, Right: kept.Voters == counted.Voters}
	for i, o := range kept.Options {
		r.Tally = append(r.Tally, o.Count)
		r.Ballots = append(r.Ballots, counted.Options[i].Count)
		r.Right = r.Right && o.Count == counted.Options[i].Count
	}
	return r
}
