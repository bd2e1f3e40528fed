package redis

import (
	"context"
	"slices"

	"parley/channel"
)

// VoteCodes returns the codes of all votes, for tools that walk over them.
func (e *Engine) VoteCodes(ctx context.Context) ([]string, error) {
	var codes []string
	for partition := range Partitions {
		err := e.eachChannel(ctx, partition, channel.KindVote, func(name channel.Name) error {
			codes = append(codes, name.ID())
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(codes)
	return codes, nil
}
