package redis

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/vote"
)

// keptBallot is a ballot as it was read, and as it is kept.
type keptBallot struct {
	vote.Ballot
	text string // "options at name": of the options the bits, n-1 for option n; a vote has at most 50
}

func ballotText(b vote.Ballot) string {
	return strconv.FormatUint(vote.OptionBits(b.Options), 10) + " " + strconv.FormatInt(b.At.UnixMilli(), 10) + " " + b.Voter.Name
}

func parseBallot(code, voter, text string) (*keptBallot, error) {
	set, rest, _ := strings.Cut(text, " ")
	at, name, ok := strings.Cut(rest, " ")
	options, err1 := strconv.ParseUint(set, 10, 64)
	ms, err2 := strconv.ParseInt(at, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return nil, fmt.Errorf("%w: the ballot of %s in the vote %s", errRecord, voter, code)
	}
	return &keptBallot{vote.Ballot{Code: code, Voter: channel.Sender{ID: voter, Name: name}, Options: vote.OptionsOf(options), At: time.UnixMilli(ms).UTC()}, text}, nil
}

// parseBallots reads what HMGET returned for voters: nil for those who have none.
func parseBallots(code string, voters []string, result rueidis.RedisResult) ([]*keptBallot, error) {
	values, err := result.ToArray()
	if err != nil {
		return nil, explain(err)
	}
	ballots := make([]*keptBallot, len(voters))
	for i, voter := range voters {
		if values[i].IsNil() {
			continue
		}
		text, err := values[i].ToString()
		if err != nil {
			return nil, explain(err)
		}
		if ballots[i], err = parseBallot(code, voter, text); err != nil {
			return nil, err
		}
	}
	return ballots, nil
}

// difference is what changes in the counts: "+3-1" for one more of option 3 and one less of option 1.
func difference(before, after uint64) string {
	var b []byte
	for _, id := range vote.OptionsOf(after &^ before) {
		b = strconv.AppendInt(append(b, '+'), int64(id), 10)
	}
	for _, id := range vote.OptionsOf(before &^ after) {
		b = strconv.AppendInt(append(b, '-'), int64(id), 10)
	}
	return string(b)
}
