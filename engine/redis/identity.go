package redis

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/identity"
	"parley/problem"
)

var (
	userCreateScript = newFactsScript(writes, "user_create")
	userRenameScript = newFactsScript(writes, "user_rename")
	userAdminScript  = newFactsScript(writes, "user_admin")
)

// userRecord is what users holds of a user. No fold has a line break.
func userRecord(u identity.User, fold string) string {
	return strconv.FormatInt(u.Created.UnixMilli(), 10) + "\n" + fold + "\n" + u.Name
}

// nameIn is the name in a user's record.
func nameIn(record string) string {
	_, rest, _ := strings.Cut(record, "\n")
	_, name, _ := strings.Cut(rest, "\n")
	return name
}

// parseUser makes a user of the record and the score in seen.
func parseUser(id, record, seen string) (identity.User, error) {
	created, _, _ := strings.Cut(record, "\n")
	ms, err := strconv.ParseInt(created, 10, 64)
	if err != nil {
		return identity.User{}, problem.Internal.Because(err)
	}
	at, err := strconv.ParseFloat(seen, 64) // as Redis writes scores
	if err != nil {
		return identity.User{}, problem.Internal.Because(err)
	}
	return identity.User{ID: id, Name: nameIn(record), Created: time.UnixMilli(ms).UTC(), Seen: time.UnixMilli(int64(at)).UTC()}, nil
}

// CreateUser adds a user; see identity.Store.
func (e *Engine) CreateUser(ctx context.Context, u identity.User, fold string) error {
	c := e.newFactsCall(userCreateScript)
	c.arg(u.ID, fold, userRecord(u, fold))
	c.int(u.Seen.UnixMilli())
	c.arg(flag(u.Admin))
	_, err := c.runFacts(ctx)
	return err
}

// User returns a user by id, or identity.ErrNoUser.
func (e *Engine) User(ctx context.Context, id string) (identity.User, error) {
	users, err := e.usersByID(ctx, id)
	if err != nil {
		return identity.User{}, err
	}
	if len(users) == 0 {
		return identity.User{}, identity.ErrNoUser
	}
	return users[0], nil
}

// usersByID returns those users of ids who exist, in one round trip.
func (e *Engine) usersByID(ctx context.Context, ids ...string) ([]identity.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	b := e.client.B()
	commands := rueidis.Commands{
		b.Hmget().Key(e.keys.fact("users")).Field(ids...).Build(),
		b.Zmscore().Key(e.keys.fact("seen")).Member(ids...).Build(),
		b.Smismember().Key(e.keys.fact("admins")).Member(ids...).Build(),
	}
	results, err := e.askAll(ctx, commands...)
	if err != nil {
		return nil, err
	}
	var columns [3][]rueidis.RedisMessage
	for i := range columns {
		if columns[i], err = results[i].ToArray(); err != nil {
			return nil, problem.Internal.Because(err)
		}
	}
	var users []identity.User
	for i, id := range ids {
		record, err := columns[0][i].ToString()
		seen := columns[1][i]
		if err != nil || seen.IsNil() {
			continue // nobody, or forgotten just now
		}
		text, err := scoreText(seen)
		if err != nil {
			return nil, problem.Internal.Because(err)
		}
		u, err := parseUser(id, record, text)
		if err != nil {
			return nil, err
		}
		admin, _ := columns[2][i].AsInt64()
		u.Admin = admin == 1
		users = append(users, u)
	}
	return users, nil
}

// scoreText is a score as Redis writes it: a number of RESP 3, or a text.
func scoreText(m rueidis.RedisMessage) (string, error) {
	f, err := m.AsFloat64()
	return strconv.FormatFloat(f, 'f', -1, 64), err
}

// UserByFold returns who has a name, or identity.ErrNoUser.
func (e *Engine) UserByFold(ctx context.Context, fold string) (identity.User, error) {
	users, err := e.usersBetween(ctx, "["+fold+"\x00", "("+fold+"\x01", 1)
	if err != nil {
		return identity.User{}, err
	}
	if len(users) == 0 {
		return identity.User{}, identity.ErrNoUser
	}
	return users[0], nil
}

// UsersByPrefix returns the users whose folded names begin with fold, in the order of those names.
func (e *Engine) UsersByPrefix(ctx context.Context, fold string, limit int) ([]identity.User, error) {
	return e.usersBetween(ctx, "["+fold, "("+fold+"\xff", limit) // 0xff is in no name
}

func (e *Engine) usersBetween(ctx context.Context, first, last string, limit int) ([]identity.User, error) {
	members, err := e.ask(ctx, e.client.B().Zrange().Key(e.keys.fact("folds")).Min(first).Max(last).Bylex().Limit(0, int64(limit)).Build()).AsStrSlice()
	if err != nil {
		return nil, explain(err)
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m[strings.LastIndexByte(m, 0)+1:]
	}
	return e.usersByID(ctx, ids...)
}

// RenameUser gives a user another name, which may be the same in another spelling.
func (e *Engine) RenameUser(ctx context.Context, id, name, fold string) error {
	c := e.newFactsCall(userRenameScript)
	c.arg(id, fold, name)
	_, err := c.runFacts(ctx)
	return err
}

// SetAdmin makes a user an administrator, or no more.
func (e *Engine) SetAdmin(ctx context.Context, id string, admin bool) error {
	c := e.newFactsCall(userAdminScript)
	c.arg(id, flag(admin), "")
	_, err := c.runFacts(ctx)
	return err
}

// SeenUsers notes that users were seen; ids of nobody are passed over, and nobody is seen earlier than before.
func (e *Engine) SeenUsers(ctx context.Context, at time.Time, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	add := e.client.B().Zadd().Key(e.keys.fact("seen")).Xx().Gt().ScoreMember()
	for _, id := range ids {
		add = add.ScoreMember(float64(at.UnixMilli()), id)
	}
	return e.ask(ctx, add.Build()).Error() // to repeat it does no harm
}

// HasAdmin reports whether there is an administrator.
func (e *Engine) HasAdmin(ctx context.Context) (bool, error) {
	n, err := e.ask(ctx, e.client.B().Scard().Key(e.keys.fact("admins")).Build()).AsInt64()
	return n > 0, err
}

// Secret returns the secret of a name, 32 random bytes, made at the first call.
func (e *Engine) Secret(ctx context.Context, name string) ([]byte, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	kept, err := e.keepSecret(ctx, name, string(secret))
	if err == nil {
		e.facts.secrets.Store(name, kept)
	}
	return []byte(kept), err
}

// keepSecret makes a secret the one of a name, unless there is one, and returns the one there is. To repeat it does no harm.
func (e *Engine) keepSecret(ctx context.Context, name, secret string) (string, error) {
	results, err := e.askAll(ctx,
		e.client.B().Hsetnx().Key(e.keys.fact("secrets")).Field(name).Value(secret).Build(),
		e.client.B().Hget().Key(e.keys.fact("secrets")).Field(name).Build())
	if err != nil {
		return "", err
	}
	return results[1].ToString()
}

// keepSecrets gives a Redis that came back without its data the secrets that this node goes on using, so that nodes that
// come later have the same.
func (e *Engine) keepSecrets(ctx context.Context) {
	e.facts.secrets.Range(func(name, secret any) bool {
		kept, err := e.keepSecret(ctx, name.(string), secret.(string))
		if err == nil && kept != secret {
			e.o.Logger.Error("another node has another secret, as Redis lost its data: what this node signs is refused there; restart this one", "secret", name)
		}
		return true
	})
}

// PutAdminLink makes hash the only valid one-time link.
func (e *Engine) PutAdminLink(ctx context.Context, hash []byte) error {
	return e.ask(ctx, e.client.B().Set().Key(e.keys.fact("link")).Value(string(hash)).Build()).Error()
}

// TakeAdminLink makes the user the administrator if hash is the valid link, and voids the link. For a user who does not exist
// it returns identity.ErrNoUser and the link stays valid.
func (e *Engine) TakeAdminLink(ctx context.Context, hash []byte, userID string) error {
	if len(hash) == 0 {
		return identity.ErrBadAdminToken
	}
	c := e.newFactsCall(userAdminScript)
	c.arg(userID, flag(true), string(hash))
	_, err := c.runFacts(ctx)
	return err
}
