package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"parley/channel"
	"parley/problem"
	"parley/transport"
)

var (
	errForeign = problem.New(http.StatusForbidden, "foreign_origin", "A page of another site may not")
	errSession = problem.New(http.StatusUnauthorized, "no_session", "There is no session")
)

// site is a Site in which everybody is who their token says, and may do everything but what a test forbids.
type site struct {
	hub        *channel.Hub
	generation atomic.Uint64
	held       atomic.Int64
	publishes  atomic.Int64 // calls of Publish
	regulars   atomic.Int64 // requests that were served without the handlers

	mu        sync.Mutex
	forbidden map[channel.Name]error
	lenses    map[channel.Name]channel.Lens
	ended     map[string]bool // tokens whose sessions have ended
	limited   bool
	full      bool
	over      bool          // of the limits before the handlers
	gate      chan struct{} // if set, publishes wait for it to be closed
	committed chan struct{} // if set, publishes wait for it after they are committed
}

// forbid takes the right to a channel from everybody.
func (s *site) forbid(name channel.Name, why error) {
	s.mu.Lock()
	s.forbidden[name] = why
	s.mu.Unlock()
	s.generation.Add(1)
}

func (s *site) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *site) Person(r *http.Request) (channel.Sender, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		return channel.Sender{}, nil
	case token == "stale" || s.hasEnded(token):
		return channel.Sender{}, errSession.Detail("the session has ended")
	}
	return channel.Sender{ID: token, Name: strings.ToUpper(token[:1]) + token[1:]}, nil
}

func (s *site) hasEnded(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended[token]
}

func (s *site) Enlist(w http.ResponseWriter, r *http.Request) (channel.Sender, error) {
	p, err := s.Person(r)
	if err == nil && p.ID == "" {
		p = channel.Sender{ID: "guest", Name: "Guest-K7QM"}
		w.Header().Set("Parley-Token", "guest")
	}
	return p, err
}

func (s *site) Generation() uint64 { return s.generation.Load() }

func (s *site) MayRead(_ context.Context, _ channel.Sender, name channel.Name) (channel.Lens, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lenses[name], s.forbidden[name]
}

func (s *site) Publish(ctx context.Context, p channel.Sender, drafts ...channel.Draft) ([]channel.Receipt, error) {
	s.publishes.Add(1)
	s.mu.Lock()
	gate, committed := s.gate, s.committed
	var why error
	for _, d := range drafts {
		why = errors.Join(why, s.forbidden[d.Channel])
	}
	s.mu.Unlock()
	await(ctx, gate)
	if why != nil {
		return nil, why
	}
	drafts = slices.Clone(drafts)
	for i := range drafts {
		drafts[i].From = p
	}
	receipts, err := s.hub.Append(ctx, drafts...)
	if err != nil {
		return nil, err
	}
	await(ctx, committed)
	return receipts, nil
}

// await waits for gate, if there is one, but not beyond ctx: a test that fails must end.
func await(ctx context.Context, gate chan struct{}) {
	if gate == nil {
		return
	}
	select {
	case <-gate:
	case <-ctx.Done():
	}
}

func (s *site) Signal(ctx context.Context, p channel.Sender, name channel.Name, typ string, data json.RawMessage) error {
	if _, err := s.MayRead(ctx, p, name); err != nil {
		return err
	}
	return s.hub.Signal(ctx, channel.Signal{Channel: name, Type: typ, From: p, Data: data})
}

func (s *site) Allow(channel.Sender, transport.Action, int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limited {
		return problem.RateLimited.Detail("too fast").After(3e9)
	}
	return nil
}

func (s *site) Hold(*http.Request) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return nil, problem.New(http.StatusTooManyRequests, "too_many_connections", "Too many connections")
	}
	s.held.Add(1)
	return func() { s.held.Add(-1) }, nil
}

// regular asks the site with the request that was kept.
type regular struct {
	*site
	r *http.Request
}

func (s *site) Regular(r *http.Request) transport.Regular {
	return regular{s, r.Clone(context.Background())}
}

func (r regular) Person() (channel.Sender, error) { return r.site.Person(r.r) }
func (r regular) Release()                        { r.held.Add(-1) }
func (r regular) Hold() error {
	_, err := r.site.Hold(r.r)
	return err
}

func (r regular) Count() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return problem.RateLimited
	}
	r.regulars.Add(1)
	return nil
}

func (s *site) CheckOrigin(r *http.Request) error {
	if o := r.Header.Get("Origin"); o != "" && o != "http://"+r.Host {
		return errForeign.Detail("%s is foreign", o)
	}
	return nil
}
