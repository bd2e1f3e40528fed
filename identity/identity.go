package identity

import (
	"context"
	"net/http"
	"time"

	"parley/channel"
	"parley/problem"
)

// User is a person: a guest, durable per browser, who may be the administrator.
type User struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Admin   bool      `json:"admin"`
	Created time.Time `json:"-"`
	Seen    time.Time `json:"-"` // last use of a session, to about an hour
}

// Sender is the person as the author of a message.
func (u User) Sender() channel.Sender { return channel.Sender{ID: u.ID, Name: u.Name} }

// Store is what the package needs of an engine. Fold is the name as compared (RFC 8266 Nickname comparison); at most one
// user has it at a time.
type Store interface {
	CreateUser(ctx context.Context, u User, fold string) error // ErrNameTaken
	User(ctx context.Context, id string) (User, error)         // ErrNoUser
	UserByFold(ctx context.Context, fold string) (User, error) // ErrNoUser
	UsersByPrefix(ctx context.Context, fold string, limit int) ([]User, error)
	RenameUser(ctx context.Context, id, name, fold string) error      // ErrNameTaken, ErrNoUser
	SetAdmin(ctx context.Context, id string, admin bool) error        // ErrNoUser
	DeleteUser(ctx context.Context, id string) error                  // frees the name; ErrNoUser
	SeenUsers(ctx context.Context, at time.Time, ids ...string) error // passes over who is gone; never back in time
	// ExpireUsers removes those unseen since then and returns them; never administrators. With an error it returns those
	// that it removed before.
	ExpireUsers(ctx context.Context, unseenSince time.Time) ([]User, error)
	HasAdmin(ctx context.Context) (bool, error)

	// Secret returns a random secret of 32 bytes by name, made at the first call and the same ever after.
	Secret(ctx context.Context, name string) ([]byte, error)
	// PutAdminLink makes hash the only valid one-time link; TakeAdminLink makes user the administrator if hash is the
	// valid one, and voids it, in one transaction (ErrBadAdminToken).
	PutAdminLink(ctx context.Context, hash []byte) error
	TakeAdminLink(ctx context.Context, hash []byte, userID string) error
}

var (
	ErrNoSession     = problem.New(http.StatusUnauthorized, "no_session", "There is no session")
	ErrNoUser        = problem.New(http.StatusNotFound, "no_user", "There is no such person")
	ErrNameTaken     = problem.New(http.StatusConflict, "name_taken", "The name is taken")
	ErrBadName       = problem.New(http.StatusUnprocessableEntity, "bad_name", "The name cannot be used")
	ErrBadAdminToken = problem.New(http.StatusForbidden, "bad_admin_token", "The administrator link is not valid any more")
)
