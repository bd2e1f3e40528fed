package redis

import (
	"context"
	"strings"
	"time"

	"parley/identity"
	"parley/problem"
)

var (
	userDeleteScript  = newFactsScript(frees, "user_delete", "forget")
	usersExpireScript = newFactsScript(frees, "users_expire", "forget")
	roomLeaveScript   = newFactsScript(frees, "room_leave", "leave_all")
)

// DeleteUser removes a user, which frees the name. Nobody is the user from the first script on; what the user was in ends with it, in further ones
// if it is much.
func (e *Engine) DeleteUser(ctx context.Context, id string) error {
	finished, err := e.forgetStep(ctx, id, true)
	if err != nil || finished {
		return err
	}
	return e.finishUser(ctx, id)
}

func (e *Engine) forgetStep(ctx context.Context, id string, begin bool) (finished bool, err error) {
	c := e.newFactsCall(userDeleteScript)
	c.arg(id, flag(begin))
	c.int(stepFacts)
	result, err := c.runFacts(ctx)
	if err != nil {
		return false, err
	}
	n, err := result.AsInt64()
	return n == 1, err
}

// finishUser ends what a forgotten user was in.
func (e *Engine) finishUser(ctx context.Context, id string) error {
	for {
		if finished, err := e.forgetStep(ctx, id, false); err != nil || finished {
			return err
		}
	}
}

// ExpireUsers removes the users unseen since a time, except administrators, and returns them. It goes in steps; on an error
// it returns those that are removed already. Where several nodes do it, each user is returned on one.
func (e *Engine) ExpireUsers(ctx context.Context, unseenSince time.Time) (expired []identity.User, err error) {
	for {
		c := e.newFactsCall(usersExpireScript)
		c.int(unseenSince.UnixMilli())
		c.int(stepUsers)
		c.int(stepFacts)
		result, err := c.runFacts(ctx)
		if err != nil {
			return expired, err
		}
		gone, err := result.ToArray()
		if err != nil || len(gone) == 0 {
			return expired, err
		}
		for _, entry := range gone {
			u, finished, err := parseExpired(entry.AsStrSlice())
			if err != nil {
				return expired, err
			}
			expired = append(expired, u)
			if !finished {
				if err := e.finishUser(ctx, u.ID); err != nil {
					return expired, err
				}
			}
		}
	}
}

// parseExpired reads what users_expire says of a user: id, record, when they were seen, whether it is finished.
func parseExpired(fields []string, err error) (u identity.User, finished bool, _ error) {
	if err != nil || len(fields) != 4 {
		return u, false, problem.Internal.Because(errRecord)
	}
	u, err = parseUser(fields[0], fields[1], fields[2])
	return u, fields[3] == "1", err
}

// finishRoom tells the members of a deleted room who are still to hear of it.
func (e *Engine) finishRoom(ctx context.Context, id string) error {
	for {
		c := e.newFactsCall(roomLeaveScript)
		c.arg(id)
		c.int(stepMembers)
		result, err := c.runFacts(ctx)
		if err != nil {
			return err
		}
		if left, err := result.AsInt64(); err != nil || left == 0 {
			return err
		}
	}
}

// finish ends what nodes began to end and did not come to, as they were stopped in between. Several nodes may do it at once.
func (e *Engine) finish(ctx context.Context) error {
	ending, err := e.ask(ctx, e.client.B().Hkeys().Key(e.keys.fact("ending")).Build()).AsStrSlice()
	if err != nil {
		return err
	}
	for _, what := range ending {
		switch kind, id, _ := strings.Cut(what, " "); kind {
		case "user":
			err = e.finishUser(ctx, id)
		case "room":
			err = e.finishRoom(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
