package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// giveCookie gives the visitor a name that nobody guesses.
func giveCookie(w http.ResponseWriter) string {
	id := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: "visitor", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return id
}

// uid reads whom the vote is for: from a form, as jQuery sends it, or from JSON, as axios does.
func uid(w http.ResponseWriter, r *http.Request) string {
	r.Body = http.MaxBytesReader(w, r.Body, 1024)
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return r.FormValue("uid")
	}
	var body struct{ UID json.RawMessage }
	json.NewDecoder(r.Body).Decode(&body) // what is no JSON has no uid, and the answer says so
	return strings.Trim(string(body.UID), `"`)
}

func isCandidate(uid string) bool {
	return slices.ContainsFunc(candidates, func(c candidate) bool { return c.UID == uid })
}

func answer(w http.ResponseWriter, status int, ok bool, data any) {
	write(w, status, map[string]any{"status": ok, "data": data})
}

func fail(w http.ResponseWriter, status int, err error) {
	write(w, status, map[string]any{"status": false, "error": err.Error()})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
