package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// redis is queues in a Redis, one list each, so that several processes can serve one vote.
type redis struct{ client rueidis.Client }

const (
	countsKey   = "vote:counts"   // a hash: uid, count
	visitorsKey = "vote:visitors" // a sorted set: visitor, second in which it last asked
	queueKey    = "vote:queue:"   // a list for each visitor: the uids whose count has changed
)

// voteScript counts and tells every visitor as one step. A uid is in a list once at most, and a list that nobody asks for expires.
var voteScript = rueidis.NewLuaScript(`
	local now, free = tonumber(ARGV[2]), tonumber(ARGV[3])
	redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - free)
	for _, visitor in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
		local queue = ARGV[4] .. visitor
		redis.call('LREM', queue, 0, ARGV[1])
		redis.call('RPUSH', queue, ARGV[1])
		redis.call('EXPIRE', queue, free)
	end
	return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)`)

func newRedis(addr string) (*redis, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true})
	if err != nil {
		return nil, err
	}
	return &redis{client}, nil
}

// seeScript notes that a visitor is here; -1: there is no room for another. Of a visitor that is new though it had a cookie (it was
// freed) all counts may have changed.
var seeScript = rueidis.NewLuaScript(`
	local now, free = tonumber(ARGV[2]), tonumber(ARGV[3])
	redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - free)
	local new = not redis.call('ZSCORE', KEYS[1], ARGV[1])
	if new and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
	redis.call('ZADD', KEYS[1], now, ARGV[1])
	if new and #ARGV > 4 then
		redis.call('RPUSH', KEYS[2], unpack(ARGV, 5))
		redis.call('EXPIRE', KEYS[2], free)
	end
	return 0`)

func (q *redis) join(ctx context.Context, visitor string) error { return q.see(ctx, visitor) }

func (q *redis) see(ctx context.Context, visitor string, missed ...string) error {
	args := append([]string{visitor, now(), free, strconv.Itoa(maxVisitors)}, missed...)
	result, err := seeScript.Exec(ctx, q.client, []string{visitorsKey, queueKey + visitor}, args).AsInt64()
	if result < 0 {
		return errFull
	}
	return err
}

func now() string { return strconv.FormatInt(time.Now().Unix(), 10) }

var free = fmt.Sprint(freeAfter.Seconds())

func (q *redis) vote(ctx context.Context, uid string) (int, error) {
	count, err := voteScript.Exec(ctx, q.client, []string{countsKey, visitorsKey}, []string{uid, now(), free, queueKey}).AsInt64()
	return int(count), err
}

func (q *redis) next(ctx context.Context, visitor string, hold time.Duration) (string, int, error) {
	var all []string
	for _, c := range candidates {
		all = append(all, c.UID)
	}
	if err := q.see(ctx, visitor, all...); err != nil {
		return "", 0, err
	}
	key := queueKey + visitor
	popped, err := q.client.Do(ctx, q.client.B().Blpop().Key(key).Timeout(hold.Seconds()).Build()).AsStrSlice()
	if rueidis.IsRedisNil(err) {
		return "", 0, nil
	} else if err != nil {
		return "", 0, err
	}
	uid := popped[1]
	if ctx.Err() != nil { // nobody reads it any more: leave it for the next request
		return "", 0, q.client.Do(context.WithoutCancel(ctx), q.client.B().Lpush().Key(key).Element(uid).Build()).Error()
	}
	count, err := q.count(ctx, uid)
	return uid, count, err
}

func (q *redis) count(ctx context.Context, uid string) (int, error) {
	count, err := q.client.Do(ctx, q.client.B().Hget().Key(countsKey).Field(uid).Build()).AsInt64()
	if rueidis.IsRedisNil(err) {
		err = nil
	}
	return int(count), err
}
