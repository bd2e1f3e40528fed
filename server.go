package parley

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"parley/api"
	"parley/channel"
	"parley/chat"
	"parley/engine/redis"
	"parley/gate"
	"parley/identity"
	"parley/problem"
	"parley/transport"
	"parley/vote"
	"parley/web"
)

// Server is Parley as one http.Handler: pages, API and transports over one engine. Make it with New, end it with
// Shutdown and then Close.
type Server struct {
	handler   http.Handler
	engine    engine
	hub       *channel.Hub
	transport *transport.Transport
	identity  *identity.Service
	stop      context.CancelFunc
	work      sync.WaitGroup
}

// New opens the database in c.Data, or connects to c.Engine, makes the lobby at the first start, and begins the background work
// (deadlines of votes, guests that expire, retention). It fails when another server has the folder.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	engine, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Server{engine: engine, hub: channel.NewHub(engine, channel.Options{Policies: c.policies()})}
	if err := s.compose(ctx, c); err != nil {
		s.hub.Close()
		return nil, errors.Join(err, engine.Close())
	}
	return s, nil
}

// compose makes the parts and puts them together: the one place that knows them all.
func (s *Server) compose(ctx context.Context, c Config) error {
	people, err := identity.New(ctx, s.engine, identity.Options{GuestTTL: c.GuestTTL, Log: c.Log})
	if err != nil {
		return err
	}
	talk := chat.New(s.engine, s.hub, people, chat.Options{})
	if err := talk.EnsureLobby(ctx); err != nil {
		return err
	}
	people.OnChange(func(change identity.Change) {
		if change.Gone {
			talk.Gone(change.User.ID)
		}
	})
	if shared, many := s.engine.(*redis.Engine); many {
		shared.FollowFacts(facts{people, talk})
	}
	votes := vote.New(s.engine, vote.Config{Rooms: rooms{talk}, Log: c.Log})

	door := gate.New(gate.Options{Origins: c.Origins, Trusted: c.TrustedProxies, Rates: c.Rates, Log: c.Log})
	mux := http.NewServeMux()
	resources := api.New(api.Options{Identity: people, Chat: talk, Votes: votes, Gate: door, Channels: mux, PublicURL: c.PublicURL, Log: c.Log})
	resources.Register(mux)
	s.transport = transport.New(s.hub, &site{door, resources, people, talk, votes}, transport.Options{Node: rand.Text()[:8], Logger: c.Log})
	s.transport.Register(mux)
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) { absent(mux, w, r) })

	resource, site := door.Wrap(mux), http.NewServeMux()
	site.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	site.HandleFunc("GET /readyz", s.ready)
	site.Handle("/", web.Handler())
	s.handler, s.identity = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") { // nearly all: mux finds their way alone
			resource.ServeHTTP(w, r)
		} else {
			site.ServeHTTP(w, r)
		}
	}), people

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.work.Go(func() { people.Run(background) })
	s.work.Go(func() {
		if err := votes.Run(background); err != nil && background.Err() == nil {
			c.Log.Error("deadlines of votes are not kept any more", "error", err)
		}
	})
	return nil
}

// ServeHTTP serves everything.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// ready tells load balancers whether the engine commits.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.engine.Ready(r.Context()); err != nil {
		problem.Of(err).Write(w)
		return
	}
	fmt.Fprintln(w, "ready")
}

// Front makes silent clients cost little, where server speaks HTTP/1.1 without TLS: it is to be served with the listener that is returned.
// See transport.Transport.Front.
func (s *Server) Front(server *http.Server, l net.Listener) net.Listener {
	return s.transport.Front(server, l)
}

// Shutdown ends streams and waiting polls: their clients are told when to come back. It returns when they are gone, or
// ctx is done.
func (s *Server) Shutdown(ctx context.Context) error { return s.transport.Shutdown(ctx) }

// Close ends the background work and closes the database, after everything queued is committed. No request may be
// under way.
func (s *Server) Close() error {
	s.stop()
	s.work.Wait()
	s.hub.Close()
	return s.engine.Close()
}

// AdminLink makes a new one-time token for /admin#TOKEN while there is no administrator, and returns "" when there is one.
func (s *Server) AdminLink(ctx context.Context) (string, error) {
	has, err := s.identity.HasAdmin(ctx)
	if err != nil || has {
		return "", err
	}
	return s.identity.NewAdminLink(ctx)
}
