package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/problem"
)

// What Open may return, beside what the connection says.
var (
	ErrBadURL = errors.New("the address of Redis is malformed")
	ErrOld    = errors.New("this Redis is too old: 7.0 is the oldest that works")
)

// refusal is what a script said no with: refuse(code, detail) in Lua. Each part of the engine turns its own into problems.
type refusal struct{ code, detail string }

func (r *refusal) Error() string { return "refused by a script: " + r.code + " " + r.detail }

// unreplicated says that a write has fewer replicas than the address asks for.
type unreplicated struct{ want, have int }

func (u *unreplicated) Error() string { return fmt.Sprintf("%d of %d replicas", u.have, u.want) }

// passing reports whether err may go away by itself within moments: the connection was lost, or the other side is being replaced.
func passing(err error) bool {
	var r *rueidis.RedisError
	var u *unreplicated
	if !errors.As(err, &r) {
		return !errors.As(err, &u)
	}
	switch errorCode(r) {
	case "LOADING", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "MOVED", "ASK", "BUSY", "UNBLOCKED":
		return true
	}
	return strings.Contains(r.Error(), "non local key") || strings.Contains(r.Error(), "cluster is down")
}

// errorCode is the first word of an error of Redis.
func errorCode(r *rueidis.RedisError) string {
	code, _, _ := strings.Cut(r.Error(), " ")
	return code
}

// explain turns an error of Redis, or of the way to it, into a problem; and what a script refused into a *refusal.
func explain(err error) error {
	var r *rueidis.RedisError
	var u *unreplicated
	switch {
	case errors.As(err, &u):
		return unavailable(fmt.Sprintf("It was written, but %d of %d replicas had it in time: it is not confirmed. Repeat it with the same key", u.have, u.want), err)
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case !errors.As(err, &r):
		return unavailable("Redis cannot be reached: try again in a few seconds. If this was a publish, repeat it with the same key: it may have been committed", err)
	}
	code := errorCode(r)
	switch code {
	case "PARLEY":
		_, rest, _ := strings.Cut(r.Error(), " ")
		code, detail, _ := strings.Cut(rest, " ")
		if code == "stale" {
			return unavailable("Redis was too slow: repeat it with the same key", err)
		}
		return &refusal{code, detail}
	case "OOM":
		return unavailable("Redis is full (maxmemory): nothing can be written until there is room; reading goes on", err)
	case "NOREPLICAS":
		return unavailable("Redis has too few replicas (min-replicas-to-write): nothing is written that could be lost", err)
	case "READONLY", "MASTERDOWN", "LOADING", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK":
		return unavailable("Redis is changing its primary, starting, or moving data: try again in a few seconds", err)
	case "MISCONF":
		return unavailable("Redis cannot save to its disk and refuses writes", err)
	case "NOAUTH", "WRONGPASS", "NOPERM":
		return unavailable("Redis refuses the user or password it was given, or what that user does", err)
	case "BUSY":
		return problem.Overloaded.Detail("Redis is busy with a script").After(time.Second).Because(err)
	}
	return problem.Internal.Because(err)
}

func unavailable(detail string, cause error) error {
	return problem.Unavailable.Detail("%s", detail).After(2 * time.Second).Because(cause)
}

// isNil reports whether Redis answered that there is nothing.
func isNil(err error) bool { return rueidis.IsRedisNil(err) }
