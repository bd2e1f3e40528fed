package parley

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"

	"parley/api"
	"parley/channel"
	"parley/chat"
	"parley/gate"
	"parley/identity"
	"parley/problem"
	"parley/transport"
	"parley/vote"
)

// site answers what the transports ask about people and rights, by the kind of the channel.
type site struct {
	*gate.Gate
	api      *api.API
	identity *identity.Service
	chat     *chat.Service
	votes    *vote.Service
}

func (s *site) Person(r *http.Request) (channel.Sender, error) {
	u, err := s.api.Person(r)
	if err != nil || u.ID == "" {
		return channel.Sender{}, err
	}
	return u.Sender(), nil
}

func (s *site) Enlist(w http.ResponseWriter, r *http.Request) (channel.Sender, error) {
	u, err := s.api.Enlist(w, r)
	if err != nil {
		return channel.Sender{}, err
	}
	return u.Sender(), nil
}

func (s *site) Regular(r *http.Request) transport.Regular {
	u, err := s.api.Person(r)
	if err != nil || u.ID == "" && identity.TokenFrom(r) != "" {
		return nil
	}
	return &regular{s, s.Key(r), u.ID}
}

// regular is somebody, or nobody, by their address.
type regular struct {
	site *site
	key  netip.Addr
	id   string
}

var errNotKnown = errors.New("not in memory")

func (r *regular) Person() (channel.Sender, error) {
	if r.id == "" {
		return channel.Sender{}, nil
	}
	u, ok := r.site.identity.Known(r.id)
	if !ok {
		return channel.Sender{}, errNotKnown
	}
	return u.Sender(), nil
}

func (r *regular) Hold() error  { return r.site.HoldBy(r.key) }
func (r *regular) Release()     { r.site.ReleaseBy(r.key) }
func (r *regular) Count() error { return r.site.ReadingBy(r.key) }

func (s *site) Generation() uint64 { return s.chat.Generation() }

func (s *site) MayRead(ctx context.Context, who channel.Sender, name channel.Name) (channel.Lens, error) {
	if name.Kind() == channel.KindVote {
		return s.votes.MayRead(ctx, who, name.ID())
	}
	return nil, s.chat.MayRead(ctx, who, name)
}

func (s *site) Publish(ctx context.Context, who channel.Sender, drafts ...channel.Draft) ([]channel.Receipt, error) {
	for _, d := range drafts {
		if d.Channel.Kind() == channel.KindVote {
			return nil, problem.Forbidden.Detail("only the server writes into a vote's channel: cast a ballot with PUT /v1/votes/%s/ballot", d.Channel.ID())
		}
	}
	u, err := s.identity.User(ctx, who.ID) // as they are called now, on a stream that is older than their name
	if err != nil {
		return nil, ended(err)
	}
	return s.chat.PublishAll(ctx, u.Sender(), u.Admin, drafts...)
}

func (s *site) Signal(ctx context.Context, who channel.Sender, name channel.Name, typ string, data json.RawMessage) error {
	if name.Kind() == channel.KindVote {
		return problem.Forbidden.Detail("only the server speaks in a vote's channel")
	}
	u, err := s.identity.User(ctx, who.ID)
	if err != nil {
		return ended(err)
	}
	return s.chat.Signal(ctx, u.Sender(), name, typ, data)
}

// ended turns a person who is gone into a session that has ended.
func ended(err error) error {
	if problem.Of(err).Is(identity.ErrNoUser) {
		return identity.ErrNoSession.Detail("the session has ended: sign in again")
	}
	return err
}

func (s *site) Allow(who channel.Sender, _ transport.Action, n int) error {
	return s.Gate.PublishMany(who.ID, n)
}

// rooms lets votes ask about the rooms they are in.
type rooms struct{ chat *chat.Service }

func (r rooms) MayPost(ctx context.Context, who channel.Sender, room string) error {
	return r.chat.MayPost(ctx, who, channel.Room(room))
}

func (r rooms) MayRead(ctx context.Context, who channel.Sender, room string) error {
	return r.chat.MayRead(ctx, who, channel.Room(room))
}
