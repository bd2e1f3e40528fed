package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/channel"
	"parley/internal/plain"
	"parley/problem"
	"parley/vote"
)

// voteAnswer is a vote with its addresses, as its maker gets it.
type voteAnswer struct {
	vote.View
	URL     string `json:"url"`
	Present string `json:"present_url"`
}

func (a *API) createVote(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Question string       `json:"question"`
		Options  []string     `json:"options"`
		Min      int          `json:"min"`
		Max      int          `json:"max"`
		Room     string       `json:"room"`
		Change   *bool        `json:"change"`
		Named    bool         `json:"named"`
		Results  vote.Results `json:"results"`
		Closes   time.Time    `json:"closes"`
		ClosesIn *float64     `json:"closes_in"`
	}
	err := read(w, r, &in, func(s string) error { // Question | A | B
		parts := strings.Split(s, "|")
		in.Question, in.Options = parts[0], parts[1:]
		return nil
	})
	if err != nil {
		return err
	}
	spec := vote.Spec{
		Question: in.Question, Options: in.Options, Min: in.Min, Max: in.Max, Room: in.Room,
		Change: in.Change, Named: in.Named, Results: in.Results, Closes: in.Closes,
	}
	if in.ClosesIn != nil {
		if spec.ClosesIn, err = seconds(*in.ClosesIn); err != nil {
			return err
		}
	}
	who, err := a.Enlist(w, r)
	if err != nil {
		return err
	}
	if err := a.Gate.Publish(who.ID); err != nil {
		return err
	}
	v, err := a.Votes.Create(r.Context(), who.Sender(), spec)
	if err != nil {
		return err
	}
	view, err := a.Votes.Show(r.Context(), who.Sender(), v)
	if err != nil {
		return err
	}
	page := a.url(r, "/v/"+v.Code)
	w.Header().Set("Location", "/v1/votes/"+v.Code)
	return answer(w, http.StatusCreated, voteAnswer{view, page, page + "/present"})
}

// seconds is a time from now; 0, which says nothing to vote.Spec, is refused here.
func seconds(s float64) (time.Duration, error) {
	if !(s >= 1 && s <= 366*24*60*60) {
		return 0, problem.BadRequest.Detail("closes_in is a number of seconds, 1 to a year")
	}
	return time.Duration(s * float64(time.Second)), nil
}

// vote answers a vote as the asker may see it, or exports it when the code has .csv or .json behind it.
func (a *API) vote(w http.ResponseWriter, r *http.Request) error {
	who, err := a.Person(r)
	if err != nil {
		return err
	}
	code, format, _ := strings.Cut(r.PathValue("code"), ".")
	if format != "" {
		return a.export(w, r, sender(who), code, format)
	}
	v, err := a.Votes.Get(r.Context(), sender(who), code)
	if err != nil {
		return err
	}
	return a.show(w, r, sender(who), v)
}

func (a *API) show(w http.ResponseWriter, r *http.Request, who channel.Sender, v vote.Vote) error {
	view, err := a.Votes.Show(r.Context(), who, v)
	if err != nil {
		return err
	}
	send(w, http.StatusOK, append(view.AppendJSON(make([]byte, 0, 768)), '\n'))
	return nil
}

func (a *API) votes(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	list, err := a.Votes.List(r.Context(), who.Sender())
	if err != nil {
		return err
	}
	views := make([]vote.View, len(list))
	for i, v := range list {
		if views[i], err = a.Votes.Show(r.Context(), who.Sender(), v); err != nil {
			return err
		}
	}
	return answer(w, http.StatusOK, map[string]any{"votes": views})
}

func (a *API) updateVote(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	var in struct {
		Open     *bool         `json:"open"`
		Results  *vote.Results `json:"results"`
		Closes   *string       `json:"closes"` // a time, or "" for no deadline
		ClosesIn *float64      `json:"closes_in"`
		Question *string       `json:"question"`
		Options  []string      `json:"options"`
		Min      *int          `json:"min"`
		Max      *int          `json:"max"`
		Change   *bool         `json:"change"`
		Named    *bool         `json:"named"`
	}
	if err := read(w, r, &in, nil); err != nil {
		return err
	}
	c := vote.Change{
		Open: in.Open, Results: in.Results, Question: in.Question, Options: in.Options,
		Min: in.Min, Max: in.Max, Change: in.Change, Named: in.Named,
	}
	switch {
	case in.Closes != nil && in.ClosesIn != nil:
		return problem.BadRequest.Detail("closes and closes_in are two ways to say one thing: give one of them")
	case in.ClosesIn != nil:
		d, err := seconds(*in.ClosesIn)
		if err != nil {
			return err
		}
		at := time.Now().Add(d)
		c.Closes = &at
	case in.Closes != nil:
		var at time.Time
		if *in.Closes != "" {
			if at, err = time.Parse(time.RFC3339, *in.Closes); err != nil {
				return problem.BadRequest.Detail("closes is a time like 2026-01-31T09:30:00Z, or empty for no deadline")
			}
		}
		c.Closes = &at
	}
	if err := a.Gate.Publish(who.ID); err != nil {
		return err
	}
	v, err := a.Votes.Update(r.Context(), who.Sender(), who.Admin, r.PathValue("code"), c)
	if err != nil {
		return err
	}
	return a.show(w, r, who.Sender(), v)
}

// cast takes a ballot: {"options":[2]}, or as text the option's number, or several.
func (a *API) cast(w http.ResponseWriter, r *http.Request) error {
	who, err := a.someone(r)
	if err != nil {
		return err
	}
	var in ballot
	err = read(w, r, &in, func(s string) error {
		for field := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t' }) {
			id, err := strconv.Atoi(field)
			if err != nil {
				return vote.ErrBadOptions.Detail("%.40q is not the number of an option", field)
			}
			in.Options = append(in.Options, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := a.Gate.Ballot(who.ID); err != nil {
		return err
	}
	view, err := a.Votes.CastAndShow(r.Context(), who.Sender(), r.PathValue("code"), in.Options)
	if err != nil {
		return err
	}
	send(w, http.StatusOK, append(view.AppendJSON(make([]byte, 0, 768)), '\n'))
	return nil
}

// ballot is what a person casts.
type ballot struct {
	Options []int `json:"options"`
}

func (b *ballot) field(name, value []byte) bool {
	if string(name) != "options" {
		return false
	}
	b.Options = nil
	return plain.Array(value, func(id []byte) bool {
		n, ok := plain.Int(id)
		b.Options = append(b.Options, n)
		return ok
	})
}
