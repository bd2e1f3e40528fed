package api

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"parley/body"
	"parley/channel"
	"parley/chat"
	"parley/identity"
	"parley/internal/plain"
	"parley/problem"
	"parley/vote"
)

// BodyLimit is the most bytes of a request's body.
const BodyLimit = 64 << 10

// Gate is what the package asks before it lets somebody do something. The errors are rate limits, mostly.
type Gate interface {
	Guest(r *http.Request) error                 // a new guest, from this address
	Ballot(person string) error                  // a ballot
	Publish(person string) error                 // a message, or what makes one
	Search(r *http.Request, person string) error // a search; "": nobody, from this address
	Secure(r *http.Request) bool                 // whether the browser speaks TLS
}

// Options are what the API is made of. All fields but Log and PublicURL are needed.
type Options struct {
	Identity  *identity.Service
	Chat      *chat.Service
	Votes     *vote.Service
	Gate      Gate
	Channels  http.Handler // of POST /v1/channels/{channel}/messages
	PublicURL string       // for links; empty: the one that the request came to
	Log       *slog.Logger
}

// API serves the resources. It may be used concurrently.
type API struct{ Options }

// New makes an API.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &API{o}
}

// Register adds the routes to mux.
func (a *API) Register(mux *http.ServeMux) {
	for pattern, h := range map[string]handler{
		"POST /v1/session":       a.signIn,
		"GET /v1/session":        a.session,
		"PATCH /v1/session":      a.rename,
		"DELETE /v1/session":     a.signOut,
		"POST /v1/session/admin": a.claimAdmin,
		"GET /v1/users":          a.users,

		"GET /v1/rooms":                    a.rooms,
		"POST /v1/rooms":                   a.createRoom,
		"GET /v1/rooms/{id}":               a.room,
		"PATCH /v1/rooms/{id}":             a.updateRoom,
		"DELETE /v1/rooms/{id}":            a.deleteRoom,
		"PUT /v1/rooms/{id}/membership":    a.join,
		"DELETE /v1/rooms/{id}/membership": a.leave,
		"GET /v1/rooms/{id}/members":       a.members,
		"POST /v1/rooms/{id}/invite":       a.invite,
		"DELETE /v1/rooms/{id}/invite":     a.revokeInvite,

		"GET /v1/direct/{user}":           a.direct,
		"POST /v1/direct/{user}/messages": a.sendDirect,
		"GET /v1/conversations":           a.conversations,
		"PUT /v1/channels/{channel}/read": a.markRead,
		"GET /v1/search":                  a.search,

		"POST /v1/votes":              a.createVote,
		"GET /v1/votes":               a.votes,
		"GET /v1/votes/{code}":        a.vote, // also {code}.csv and {code}.json
		"PATCH /v1/votes/{code}":      a.updateVote,
		"PUT /v1/votes/{code}/ballot": a.cast,
		"GET /v1/votes/{code}/qr.svg": a.voteQR,
	} {
		mux.Handle(pattern, a.handle(h))
	}
}

// handler answers, or returns the error to answer with.
type handler func(w http.ResponseWriter, r *http.Request) error

func (a *API) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Cache-Control"] = noStore
		err := h(w, r)
		if err == nil {
			return
		}
		p := problem.Of(err)
		if p.Status() == http.StatusInternalServerError && r.Context().Err() == nil {
			a.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		p.Write(w)
	})
}

// answer writes v as JSON, on a line of its own.
func answer(w http.ResponseWriter, status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	send(w, status, append(data, '\n'))
	return nil
}

var (
	noStore  = []string{"no-store"}
	jsonType = []string{"application/json"}
)

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever left does not need it
}

func done(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// read reads the body into v: JSON, whatever curl calls it, or the text that a person typed, if text takes one.
func read(w http.ResponseWriter, r *http.Request, v any, text func(string) error) error {
	if !body.IsText(r) {
		data, err := body.Raw(w, r, BodyLimit)
		if p, ok := v.(plainly); err != nil || ok && plain.Object(data, p.field) {
			return err
		}
		return body.Decode(data, v)
	}
	typed, err := body.Text(w, r, BodyLimit)
	if err != nil {
		return err
	}
	if text == nil || len(typed) > 0 && typed[0] == '{' {
		return body.Decode([]byte(typed), v)
	}
	return text(typed)
}

// plainly is what plain.Object can read, mostly.
type plainly interface {
	field(name, value []byte) bool
}

// url is the address of a path as people should use it.
func (a *API) url(r *http.Request, path string) string {
	if a.PublicURL != "" {
		return a.PublicURL + path
	}
	scheme := "http://"
	if a.Gate.Secure(r) {
		scheme = "https://"
	}
	return scheme + r.Host + path
}

func sender(u identity.User) channel.Sender {
	if u.ID == "" {
		return channel.Sender{}
	}
	return u.Sender()
}
