package chat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/engine/sqlite"
	"parley/identity"
)

// site is the service on a real engine, hub and identity.
type site struct {
	*testing.T
	*chat.Service
	hub    *channel.Hub
	people *identity.Service
}

var editTime = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

func newSite(t *testing.T) *site {
	t.Helper()
	e, err := sqlite.Open(filepath.Join(t.TempDir(), "parley.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hub := channel.NewHub(e, channel.Options{})
	t.Cleanup(func() {
		hub.Close()
		_ = e.Close()
	})
	people, err := identity.New(t.Context(), e, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t, chat.New(e, hub, people, chat.Options{Now: func() time.Time { return editTime }}), hub, people}
	people.OnChange(func(c identity.Change) {
		if c.Gone {
			s.Gone(c.User.ID)
		}
	})
	s.ok(s.EnsureLobby(t.Context()))
	return s
}

func (s *site) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) wants(err, want error) {
	s.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		s.Fatalf("error %v; want %v", err, want)
	}
}

func (s *site) person(name string) channel.Sender {
	s.Helper()
	u, _, err := s.people.SignIn(s.Context(), name)
	s.ok(err)
	return u.Sender()
}

// room makes a room and returns its id.
func (s *site) room(owner channel.Sender, name string, private bool) string {
	s.Helper()
	r, err := s.CreateRoom(s.Context(), owner, chat.NewRoom{Name: name, Private: private})
	s.ok(err)
	return r.ID
}

// enter makes who a member of a room, by invite.
func (s *site) enter(who channel.Sender, inviter channel.Sender, id string) {
	s.Helper()
	invite, err := s.Invite(s.Context(), inviter, id)
	s.ok(err)
	s.ok(s.Join(s.Context(), who, id, invite))
}

// publish says something as who.
func (s *site) publish(who channel.Sender, name channel.Name, typ string, data any) (channel.Receipt, error) {
	raw, ok := data.(json.RawMessage)
	if !ok {
		raw, _ = json.Marshal(data)
	}
	return s.Publish(s.Context(), who, false, name, channel.Draft{Type: typ, Data: raw})
}

func (s *site) say(who channel.Sender, name channel.Name, text string) uint64 {
	s.Helper()
	r, err := s.publish(who, name, "text", map[string]string{"text": text})
	s.ok(err)
	return r.Position.Seq
}

// log is a channel's messages as lines "type: data".
func (s *site) log(name channel.Name) []string {
	s.Helper()
	b, err := s.hub.Before(s.Context(), name, channel.End, 1000, nil)
	s.ok(err)
	lines := []string{}
	for _, m := range b.Messages {
		lines = append(lines, m.Type+": "+string(m.Data))
	}
	return lines
}

func (s *site) wantLog(name channel.Name, want ...string) {
	s.Helper()
	if got := s.log(name); !slices.Equal(got, want) {
		s.Fatalf("%s has\n%q\nwant\n%q", name, got, want)
	}
}

func (s *site) inbox(who channel.Sender) []string {
	s.Helper()
	return s.log(channel.User(who.ID))
}

func (s *site) conversations(who channel.Sender) []chat.Conversation {
	s.Helper()
	list, err := s.Conversations(s.Context(), who)
	s.ok(err)
	return list
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(b)
}
