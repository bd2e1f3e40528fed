package api

import (
	"errors"
	"net/http"
	"strings"

	"parley/identity"
)

// Person returns who makes the request; the zero User for nobody. A token that is not good (any more) is an error
// where a program sent it; a page's stale cookie is simply nobody, and the page will ask for a name again.
func (a *API) Person(r *http.Request) (identity.User, error) {
	token := identity.TokenFrom(r)
	if token == "" {
		return identity.User{}, nil
	}
	u, err := a.Identity.Authenticate(r.Context(), token)
	if errors.Is(err, identity.ErrNoSession) && r.Header.Get("Authorization") == "" {
		return identity.User{}, nil
	}
	return u, err
}

// Enlist is Person, but makes a guest where there is nobody. The guest's token goes into the header Parley-Token and
// the cookie.
func (a *API) Enlist(w http.ResponseWriter, r *http.Request) (identity.User, error) {
	u, err := a.Person(r)
	if err != nil || u.ID != "" {
		return u, err
	}
	if err := a.Gate.Guest(r); err != nil {
		return identity.User{}, err
	}
	u, token, err := a.Identity.Guest(r.Context())
	if err != nil {
		return identity.User{}, err
	}
	w.Header().Set("Parley-Token", token)
	identity.SetCookie(w, r, token, a.Gate.Secure(r))
	return u, nil
}

// someone is Person, or ErrNoSession for nobody.
func (a *API) someone(r *http.Request) (identity.User, error) {
	u, err := a.Person(r)
	if err == nil && u.ID == "" {
		err = identity.ErrNoSession.Detail(`this needs a session: POST /v1/session {"name":"…"} and send its token as Authorization: Bearer …`)
	}
	return u, err
}

type sessionAnswer struct {
	Token string         `json:"token,omitempty"`
	User  *identity.User `json:"user"`
}

// readName reads a person's name: as JSON, or as the text itself.
func readName(w http.ResponseWriter, r *http.Request) (string, error) {
	var in struct {
		Name string `json:"name"`
	}
	err := read(w, r, &in, func(s string) error { in.Name = strings.TrimSpace(s); return nil })
	return in.Name, err
}

// signIn makes a guest, or returns the one that the request is from already, renamed if need be.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) error {
	name, err := readName(w, r)
	if err != nil {
		return err
	}
	u, err := a.Person(r)
	if err != nil {
		return err
	}
	if u.ID != "" {
		if u, err = a.Identity.Rename(r.Context(), u.ID, name); err != nil {
			return err
		}
		return answer(w, http.StatusOK, sessionAnswer{identity.TokenFrom(r), &u})
	}
	if err := a.Gate.Guest(r); err != nil {
		return err
	}
	u, token, err := a.Identity.SignIn(r.Context(), name)
	if err != nil {
		return err
	}
	identity.SetCookie(w, r, token, a.Gate.Secure(r))
	return answer(w, http.StatusCreated, sessionAnswer{token, &u})
}

// session tells who the request is from: null for nobody, which is what a page asks at a first visit, and no error.
func (a *API) session(w http.ResponseWriter, r *http.Request) error {
	u, err := a.Person(r)
	if err != nil {
		return err
	}
	if u.ID == "" {
		return answer(w, http.StatusOK, sessionAnswer{})
	}
	return answer(w, http.StatusOK, sessionAnswer{User: &u})
}

func (a *API) rename(w http.ResponseWriter, r *http.Request) error {
	u, err := a.someone(r)
	if err != nil {
		return err
	}
	name, err := readName(w, r)
	if err != nil {
		return err
	}
	if u, err = a.Identity.Rename(r.Context(), u.ID, name); err != nil {
		return err
	}
	return answer(w, http.StatusOK, sessionAnswer{User: &u})
}

func (a *API) signOut(w http.ResponseWriter, r *http.Request) error {
	u, err := a.someone(r)
	if err != nil {
		return err
	}
	if err := a.Identity.Forget(r.Context(), u.ID); err != nil {
		return err
	}
	identity.ClearCookie(w, r, a.Gate.Secure(r))
	return done(w)
}

func (a *API) claimAdmin(w http.ResponseWriter, r *http.Request) error {
	u, err := a.someone(r)
	if err != nil {
		return err
	}
	if err := a.Gate.Guest(r); err != nil { // guesses are limited like new guests
		return err
	}
	var in struct {
		Token string `json:"token"`
	}
	if err := read(w, r, &in, func(s string) error { in.Token = strings.TrimSpace(s); return nil }); err != nil {
		return err
	}
	if u, err = a.Identity.ClaimAdmin(r.Context(), u.ID, in.Token); err != nil {
		return err
	}
	return answer(w, http.StatusOK, sessionAnswer{User: &u})
}

// users finds people by the beginning of their names.
func (a *API) users(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.someone(r); err != nil {
		return err
	}
	found, err := a.Identity.Search(r.Context(), r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	type person struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	people := make([]person, len(found))
	for i, u := range found {
		people[i] = person{u.ID, u.Name}
	}
	return answer(w, http.StatusOK, map[string]any{"users": people})
}
