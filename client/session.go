package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// Session returns who we are, nil where we are nobody (yet, or any more).
func (c *Client) Session(ctx context.Context) (*User, error) {
	var answer struct{ User *User }
	err := c.env.http.get(ctx, "/v1/session", &answer)
	if e := (*Error)(nil); errors.As(err, &e) && e.Code == "no_session" {
		return nil, nil
	}
	return answer.User, err
}

// SignIn makes a new guest with this name, 1 to 32 characters; with a session already, it is the same person, renamed if
// the name differs. Fails with name_taken and bad_name. Sign in before publishing: without a session the server makes a
// guest on the spot, but if the answer to that first publish is lost, its repetition is another guest's.
func (c *Client) SignIn(ctx context.Context, name string) (User, error) {
	var answer struct {
		Token string
		User  User
	}
	status, _, err := c.env.http.do(ctx, http.MethodPost, "/v1/session", request{body: map[string]string{"name": name}}, &answer)
	if err != nil {
		return User{}, err
	}
	if answer.Token != "" {
		c.env.http.adopt(answer.Token)
	}
	if status == http.StatusCreated {
		c.sessionChanged()
	}
	return answer.User, nil
}

// Rename changes our name.
func (c *Client) Rename(ctx context.Context, name string) (User, error) {
	var answer struct{ User User }
	err := c.env.http.send(ctx, http.MethodPatch, "/v1/session", map[string]string{"name": name}, &answer)
	return answer.User, err
}

// SignOut forgets the guest: the session ends, and the name is free again.
func (c *Client) SignOut(ctx context.Context) error {
	if err := c.env.http.send(ctx, http.MethodDelete, "/v1/session", nil, nil); err != nil {
		return err
	}
	c.env.http.adopt("")
	c.sessionChanged()
	return nil
}

// Users are up to 20 people whose names start so.
func (c *Client) Users(ctx context.Context, prefix string) ([]Person, error) {
	var answer struct{ Users []Person }
	err := c.env.http.get(ctx, "/v1/users?q="+url.QueryEscape(prefix), &answer)
	return answer.Users, err
}
