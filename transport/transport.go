package transport

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"parley/channel"
	"parley/internal/loop"
	"parley/problem"
	"parley/websocket"
)

// Transport serves the channels of a hub over HTTP. Its methods may be called concurrently.
type Transport struct {
	hub         *channel.Hub
	site        Site
	o           Options
	began       time.Time
	settleAfter time.Duration // see parkedPoll
	loops       loop.Set      // where silent clients wait
	sockets     *websocket.Server

	// Of Shutdown: leaving asks everything that waits to end, cut makes it.
	mu             sync.Mutex     // orders enter before Shutdown's wait
	held           sync.WaitGroup // streams and waiting polls
	leaving, cut   context.Context
	leave, cutNow  context.CancelFunc
	parked         map[held]struct{}
	lines          sync.WaitGroup // HTTP connections on the loops
	encodedBatches sync.Pool      // of *[]byte
	rooms          sync.Pool      // of *room
	patterns       patterns       // of requests that are made again and again
	lastHead       atomic.Pointer[string]
	lastDate       atomic.Pointer[date]
	lastAnswer     sharedAnswer
	lastBatch      sharedBatch
	gatherings     sync.Map // of polls, by their loop
}

// New returns the transports of hub's channels. Shutdown ends what they hold open; end it before the hub.
func New(hub *channel.Hub, site Site, o Options) *Transport {
	t := &Transport{hub: hub, site: site, o: o.withDefaults(), began: time.Now(), settleAfter: settleAfter, parked: map[held]struct{}{}}
	t.sockets = t.newSockets()
	t.leaving, t.leave = context.WithCancel(context.Background())
	t.cut, t.cutNow = context.WithCancel(context.Background())
	t.encodedBatches.New = func() any { return new([]byte) }
	t.rooms.New = func() any { return new(room) }
	return t
}

// Register adds the routes to mux.
func (t *Transport) Register(mux *http.ServeMux) {
	mux.Handle("GET /v1/channels/{channel}/messages", t.handle(t.readOne))
	mux.Handle("POST /v1/channels/{channel}/messages", t.handle(t.publish))
	mux.Handle("GET /v1/messages", t.handle(t.readMany))
	mux.Handle("GET /v1/connect", t.handle(t.connect))
	// Over HTTP/2 a WebSocket begins with CONNECT (RFC 8441).
	mux.Handle("CONNECT /v1/channels/{channel}/messages", t.handle(t.readOne))
	mux.Handle("CONNECT /v1/messages", t.handle(t.readMany))
	mux.Handle("CONNECT /v1/connect", t.handle(t.connect))
	mux.Handle("POST /v1/channels/{channel}/signals", t.handle(t.signal))
	mux.Handle("GET /v1/channels/{channel}/presence", t.handle(t.presence))
}

// handle makes a handler of h, which returns an error only if it has not begun to answer.
func (t *Transport) handle(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := t.site.CheckOrigin(r)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			t.log(r, err)
			problem.Of(err).Write(w)
		}
	})
}

// log notes what went wrong on our side; the client's own mistakes and departures are not news.
func (t *Transport) log(r *http.Request, err error) {
	if r.Context().Err() == nil {
		t.logFailure(err, "method", r.Method, "path", r.URL.Path)
	}
}

// logFailure is log where the request is gone.
func (t *Transport) logFailure(err error, about ...any) {
	if problem.Of(err).Status() == http.StatusInternalServerError {
		t.o.Logger.Error("request failed", append(about, "error", err)...)
	}
}

// survive is deferred where a panic would end the program: it ends what it happened in alone.
func (t *Transport) survive(end func()) {
	if cause := recover(); cause != nil {
		t.o.Logger.Error("panic in a stream", "panic", cause, "stack", string(debug.Stack()))
		end()
	}
}

// now is the transport's clock, for what is to be compared.
func (t *Transport) now() time.Duration { return time.Since(t.began) }

// readOne and readMany are the one read, in its two forms.
func (t *Transport) readOne(w http.ResponseWriter, r *http.Request) error {
	name, err := channel.ParseName(r.PathValue("channel"))
	if err != nil {
		return err
	}
	q, err := parseOne(name, r.URL.RawQuery)
	if err != nil {
		return err
	}
	return t.read(w, r, q)
}

func (t *Transport) readMany(w http.ResponseWriter, r *http.Request) error {
	q, err := parseMany(r.URL.RawQuery)
	if err != nil {
		return err
	}
	return t.read(w, r, q)
}

func (t *Transport) read(w http.ResponseWriter, r *http.Request, q query) error {
	w.Header()["Vary"] = append(w.Header()["Vary"], "Accept, Authorization, Cookie")
	person, err := t.site.Person(r)
	if err != nil {
		return err
	}
	how, err := negotiate(r, q)
	if err != nil {
		return err
	}
	switch how {
	case overHistory:
		return t.history(w, r, q, person)
	case overWebSocket:
		return t.websocket(w, r, q, person)
	case overSSE:
		return t.sse(w, r, q, person)
	case overLongPoll:
		return t.longPoll(w, r, q, person)
	default:
		return t.poll(w, r, q, person)
	}
}

// connect is a WebSocket that begins without channels.
func (t *Transport) connect(w http.ResponseWriter, r *http.Request) error {
	person, err := t.site.Person(r)
	if err != nil {
		return err
	}
	if !websocket.IsUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		return problem.BadRequest.Detail("/v1/connect is a WebSocket: the Upgrade header is missing (did a proxy remove it?)")
	}
	if r.URL.RawQuery != "" {
		return problem.BadRequest.Detail("/v1/connect has no parameters; channels in the URL are for /v1/messages")
	}
	return t.websocket(w, r, query{many: true, limit: defaultLimit}, person)
}

// logStream notes why a stream ended, if it was not its time.
func (t *Transport) logStream(r *http.Request, err error) {
	if t.leaving.Err() == nil {
		t.log(r, err)
	}
}
