package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// stage is what is made on the server for a run.
type stage struct {
	owner    *person
	name     string   // of this run, in all names
	rooms    []string // ids
	ours     bool     // the rooms were made for it
	vote     string   // code
	channels []string // the rooms', then the vote's
	base     map[string]string
	guests   []*person
	invites  []string // of the rooms; "" for public ones
}

// options is how many there are to choose among in the vote.
const options = 4

// prepare makes the rooms and the vote.
func prepare(ctx context.Context, o Options, s *site, random *rand.Rand) (*stage, error) {
	st := &stage{name: strconv.FormatUint(random.Uint64()%(36*36*36*36*36), 36), base: map[string]string{}}
	reach, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	nobody := &person{site: s}
	if err := nobody.insist(reach, "GET", "/healthz", nil, nil); err != nil {
		return nil, fmt.Errorf("no Parley server answers at %s: %w", o.URL, err)
	}
	var err error
	if o.Token != "" {
		st.owner, err = s.known(ctx, o.Token)
	} else {
		st.owner, err = st.guest(ctx, s, "owner")
	}
	if err != nil {
		return st, err
	}
	if err := st.makeRooms(ctx, o.Room); err != nil {
		return st, fmt.Errorf("making a room: %w", err)
	}
	var vote struct{ Code string }
	question := map[string]any{"question": "verify " + st.name, "options": []string{"A", "B", "C", "D"}}
	if err := st.owner.insist(ctx, "POST", "/v1/votes", question, &vote); err != nil {
		return st, fmt.Errorf("making a vote: %w", err)
	}
	st.vote = vote.Code
	st.channels = append(st.channels, "vote:"+vote.Code)
	for _, c := range st.channels {
		st.base[c] = "0"
	}
	if !st.ours { // what was said before is none of our business
		if st.base[st.channels[0]], err = st.tail(ctx, st.channels[0]); err != nil {
			return st, err
		}
	}
	return st, nil
}

// known is the person of a token.
func (s *site) known(ctx context.Context, token string) (*person, error) {
	p := &person{site: s, token: token}
	var session struct{ User *struct{ ID string } }
	if err := p.insist(ctx, "GET", "/v1/session", nil, &session); err != nil || session.User == nil {
		return nil, fmt.Errorf("the token is not good here: %w", err)
	}
	p.id = session.User.ID
	return p, nil
}

// guest makes a new person. If the answer is lost the name is taken, and the next one is tried.
func (st *stage) guest(ctx context.Context, s *site, role string) (*person, error) {
	for n := 1; ; n++ {
		name := "verify " + st.name + " " + role
		if n > 1 {
			name += " " + strconv.Itoa(n)
		}
		var session struct {
			Token string
			User  struct{ ID string }
		}
		err := (&person{site: s}).insist(ctx, "POST", "/v1/session", map[string]string{"name": name}, &session)
		var why *refusal
		if errors.As(err, &why) && why.Code == "name_taken" && n < 100 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("making a guest: %w", err)
		}
		p := &person{site: s, token: session.Token, id: session.User.ID}
		st.guests = append(st.guests, p)
		return p, nil
	}
}

func (st *stage) makeRooms(ctx context.Context, id string) error {
	if id != "" {
		st.rooms, st.channels, st.invites = []string{id}, []string{"room:" + id}, []string{""}
		return nil
	}
	st.ours = true
	for n := range 2 {
		var room struct{ ID, Channel string }
		for attempt := 1; room.ID == ""; attempt++ {
			in := map[string]any{"name": fmt.Sprintf("verify %s %d %d", st.name, n+1, attempt), "private": true}
			err := st.owner.insist(ctx, "POST", "/v1/rooms", in, &room)
			var why *refusal
			if err != nil && !(errors.As(err, &why) && why.Code == "room_exists" && attempt < 100) {
				return err
			}
		}
		st.rooms, st.channels = append(st.rooms, room.ID), append(st.channels, room.Channel)
		var invite struct{ Invite string }
		if err := st.owner.insist(ctx, "POST", "/v1/rooms/"+room.ID+"/invite", nil, &invite); err != nil {
			return err
		}
		st.invites = append(st.invites, invite.Invite)
	}
	return nil
}

// enter makes a person who is in the rooms.
func (st *stage) enter(ctx context.Context, o Options, role string) (*person, error) {
	if o.Token != "" {
		return st.owner, nil
	}
	p, err := st.guest(ctx, st.owner.site, role)
	if err != nil {
		return nil, err
	}
	for i, room := range st.rooms {
		in := map[string]string{}
		if st.invites[i] != "" {
			in["invite"] = st.invites[i]
		}
		if err := p.insist(ctx, "PUT", "/v1/rooms/"+room+"/membership", in, nil); err != nil {
			return nil, fmt.Errorf("joining the room: %w", err)
		}
	}
	return p, nil
}

// tail is the newest position of a channel.
func (st *stage) tail(ctx context.Context, channel string) (string, error) {
	var b batch
	if err := st.owner.insist(ctx, "GET", "/v1/channels/"+channel+"/messages?before=end&limit=1", nil, &b); err != nil {
		return "", err
	}
	if b.To == "" {
		return "", fmt.Errorf("%s: the newest page has no end: %+v", channel, b)
	}
	return b.To, nil
}

// strike removes what was made, as far as the server lets it.
func (st *stage) strike(ctx context.Context) {
	if st.vote != "" {
		_ = st.owner.insist(ctx, http.MethodPatch, "/v1/votes/"+st.vote, map[string]bool{"open": false}, nil)
	}
	if st.ours {
		for _, room := range st.rooms {
			_ = st.owner.insist(ctx, http.MethodDelete, "/v1/rooms/"+room, nil, nil)
		}
	}
	for _, p := range st.guests {
		_ = p.insist(ctx, http.MethodDelete, "/v1/session", nil, nil)
	}
}
