package simulation

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"parley/channel"
	"parley/problem"
	"parley/transport"
)

// site lets everybody be who their token says, and do everything.
type site struct{ hub *channel.Hub }

func (s *site) Person(r *http.Request) (channel.Sender, error) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return channel.Sender{ID: token, Name: token}, nil
}

func (s *site) Enlist(_ http.ResponseWriter, r *http.Request) (channel.Sender, error) {
	p, err := s.Person(r)
	if p.ID == "" {
		return p, problem.Forbidden.Detail("nobody publishes here without a token")
	}
	return p, err
}

func (s *site) Generation() uint64 { return 0 }

func (s *site) MayRead(context.Context, channel.Sender, channel.Name) (channel.Lens, error) {
	return nil, nil
}

func (s *site) Publish(ctx context.Context, p channel.Sender, drafts ...channel.Draft) ([]channel.Receipt, error) {
	for i := range drafts {
		drafts[i].From = p
	}
	return s.hub.Append(ctx, drafts...)
}

func (s *site) Signal(ctx context.Context, p channel.Sender, name channel.Name, typ string, data json.RawMessage) error {
	return s.hub.Signal(ctx, channel.Signal{Channel: name, Type: typ, From: p, Data: data})
}

func (s *site) Allow(channel.Sender, transport.Action, int) error { return nil }
func (s *site) Hold(*http.Request) (func(), error)                { return func() {}, nil }
func (s *site) Regular(*http.Request) transport.Regular           { return nil }
func (s *site) CheckOrigin(*http.Request) error                   { return nil }
