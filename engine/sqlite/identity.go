package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"parley/identity"
)

const identitySchema = `
CREATE TABLE IF NOT EXISTS users (
	id      TEXT    NOT NULL PRIMARY KEY,
	name    TEXT    NOT NULL,
	fold    TEXT    NOT NULL UNIQUE, -- the name as compared
	admin   INTEGER NOT NULL,
	created INTEGER NOT NULL, -- ms since 1970
	seen    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS users_admin ON users (admin) WHERE admin = 1;
CREATE TABLE IF NOT EXISTS secrets (
	name  TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS admin_link (
	one  INTEGER PRIMARY KEY CHECK (one = 1), -- there is at most one
	hash BLOB NOT NULL
);
`

const userColumns = "SELECT id, name, admin, created, seen FROM users "

func scanUser(r interface{ Scan(...any) error }) (u identity.User, err error) {
	var created, seen int64
	err = r.Scan(&u.ID, &u.Name, &u.Admin, &created, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return u, identity.ErrNoUser
	}
	u.Created, u.Seen = time.UnixMilli(created).UTC(), time.UnixMilli(seen).UTC()
	return u, err
}

// CreateUser adds a user; see identity.Store.
func (e *Engine) CreateUser(ctx context.Context, u identity.User, fold string) error {
	return e.write(ctx, func(t *tx) error {
		if err := t.checkFold(u.Name, fold, u.ID); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO users (id, name, fold, admin, created, seen) VALUES (?, ?, ?, ?, ?, ?)",
			u.ID, u.Name, fold, u.Admin, u.Created.UnixMilli(), u.Seen.UnixMilli())
		return err
	})
}

// checkFold returns identity.ErrNameTaken if somebody else has the name.
func (t *tx) checkFold(name, fold, id string) error {
	var other string
	switch err := t.queryRow("SELECT id FROM users WHERE fold = ?", fold).Scan(&other); {
	case errors.Is(err, sql.ErrNoRows) || err == nil && other == id:
		return nil
	case err != nil:
		return err
	}
	return identity.ErrNameTaken.Detail("Somebody has the name %.64q already: take another one", name)
}

// User returns a user by id, or identity.ErrNoUser.
func (e *Engine) User(ctx context.Context, id string) (identity.User, error) {
	u, err := scanUser(e.readRow(ctx, userColumns+"WHERE id = ?", id))
	return u, e.readError(err)
}

// UserByFold returns who has a name, or identity.ErrNoUser.
func (e *Engine) UserByFold(ctx context.Context, fold string) (identity.User, error) {
	u, err := scanUser(e.readRow(ctx, userColumns+"WHERE fold = ?", fold))
	return u, e.readError(err)
}

// UsersByPrefix returns the users whose folded names begin with fold, in the order of those names.
func (e *Engine) UsersByPrefix(ctx context.Context, fold string, limit int) ([]identity.User, error) {
	// Every name that begins with fold sorts before fold followed by the last code point, which no name can have.
	rows, err := e.readRows(ctx, userColumns+"WHERE fold >= ?1 AND fold < ?2 ORDER BY fold LIMIT ?3", fold, fold+"\U0010FFFF", limit)
	if err != nil {
		return nil, e.readError(err)
	}
	users, err := scanUsers(rows)
	return users, e.readError(err)
}

func scanUsers(rows *sql.Rows) ([]identity.User, error) {
	defer rows.Close()
	var users []identity.User
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, rows.Err()
}

// RenameUser gives a user another name, which may be the same in another spelling.
func (e *Engine) RenameUser(ctx context.Context, id, name, fold string) error {
	return e.write(ctx, func(t *tx) error {
		if err := t.checkFold(name, fold, id); err != nil {
			return err
		}
		return t.changeUser("UPDATE users SET name = ?, fold = ? WHERE id = ?", name, fold, id)
	})
}

// SetAdmin makes a user an administrator, or no more.
func (e *Engine) SetAdmin(ctx context.Context, id string, admin bool) error {
	return e.write(ctx, func(t *tx) error {
		return t.changeUser("UPDATE users SET admin = ? WHERE id = ?", admin, id)
	})
}

// DeleteUser removes a user, which frees the name.
func (e *Engine) DeleteUser(ctx context.Context, id string) error {
	return e.write(ctx, func(t *tx) error {
		return t.changeUser("DELETE FROM users WHERE id = ?", id)
	})
}

// changeUser changes the user whose id is the last argument; identity.ErrNoUser, before anything is written, if there is none.
func (t *tx) changeUser(query string, args ...any) error {
	var one int
	err := t.queryRow("SELECT 1 FROM users WHERE id = ?", args[len(args)-1]).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.ErrNoUser
	}
	if err == nil {
		_, err = t.exec(query, args...)
	}
	return err
}

// SeenUsers notes that users were seen; ids of nobody are passed over, and nobody is seen earlier than before.
func (e *Engine) SeenUsers(ctx context.Context, at time.Time, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return e.write(ctx, func(t *tx) error {
		for _, id := range ids {
			if _, err := t.exec("UPDATE users SET seen = ?1 WHERE id = ?2 AND seen < ?1", at.UnixMilli(), id); err != nil {
				return err
			}
		}
		return nil
	})
}

// expireStep bounds how many users one transaction removes.
const expireStep = 500

// ExpireUsers removes the users unseen since a time, except administrators, and returns them. It goes in steps; on an error
// it returns those that are removed already.
func (e *Engine) ExpireUsers(ctx context.Context, unseenSince time.Time) ([]identity.User, error) {
	var expired []identity.User
	for {
		var step []identity.User
		// They are looked for by a reader, so that the writer need not read through all users.
		rows, err := e.readRows(ctx, userColumns+"WHERE admin = 0 AND seen < ? LIMIT ?", unseenSince.UnixMilli(), expireStep)
		if err != nil {
			return expired, e.readError(err)
		}
		found, err := scanUsers(rows)
		if err != nil || len(found) == 0 {
			return expired, e.readError(err)
		}
		err = e.write(ctx, func(t *tx) error {
			step = step[:0]
			for _, u := range found {
				result, err := t.exec("DELETE FROM users WHERE id = ? AND admin = 0 AND seen < ?", u.ID, unseenSince.UnixMilli())
				if err != nil {
					return err
				}
				if result.Changed > 0 {
					step = append(step, u)
				}
			}
			return nil
		})
		if err != nil {
			return expired, err
		}
		expired = append(expired, step...)
	}
}

// HasAdmin reports whether there is an administrator.
func (e *Engine) HasAdmin(ctx context.Context) (has bool, err error) {
	err = e.readRow(ctx, "SELECT EXISTS (SELECT 1 FROM users WHERE admin = 1)").Scan(&has)
	return has, e.readError(err)
}

// Secret returns the secret of a name, 32 random bytes, made at the first call.
func (e *Engine) Secret(ctx context.Context, name string) ([]byte, error) {
	const query = "SELECT value FROM secrets WHERE name = ?"
	var secret []byte
	err := e.readRow(ctx, query, name).Scan(&secret)
	if !errors.Is(err, sql.ErrNoRows) {
		return secret, e.readError(err)
	}
	err = e.write(ctx, func(t *tx) error {
		err := t.queryRow(query, name).Scan(&secret)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		_, err = t.exec("INSERT INTO secrets (name, value) VALUES (?, ?)", name, secret)
		return err
	})
	if err != nil {
		return nil, err
	}
	return secret, nil
}

// PutAdminLink makes hash the only valid one-time link.
func (e *Engine) PutAdminLink(ctx context.Context, hash []byte) error {
	return e.write(ctx, func(t *tx) error {
		_, err := t.exec("INSERT INTO admin_link (one, hash) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET hash = excluded.hash", hash)
		return err
	})
}

// TakeAdminLink makes the user the administrator if hash is the valid link, and voids the link. For a user who does not exist
// it returns identity.ErrNoUser and the link stays valid.
func (e *Engine) TakeAdminLink(ctx context.Context, hash []byte, userID string) error {
	return e.write(ctx, func(t *tx) error {
		var one int
		err := t.queryRow("SELECT 1 FROM admin_link WHERE hash = ?", hash).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return identity.ErrBadAdminToken
		}
		if err != nil {
			return err
		}
		if err := t.changeUser("UPDATE users SET admin = 1 WHERE id = ?", userID); err != nil {
			return err
		}
		_, err = t.exec("DELETE FROM admin_link")
		return err
	})
}
