package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

// timeFormat is RFC 3339 in milliseconds, as everywhere in the protocol.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

type searchAnswer struct {
	Results  []searchResult `json:"results"`
	Next     string         `json:"next,omitempty"`
	Searched string         `json:"searched,omitempty"`
}

type searchResult struct {
	Channel  channel.Name    `json:"channel"`
	Position string          `json:"position"`
	Message  channel.Message `json:"message"`
}

// search finds messages by their words, in one room or conversation or in all that one is in.
func (a *API) search(w http.ResponseWriter, r *http.Request) error {
	who, err := a.Person(r)
	if err != nil {
		return err
	}
	q, err := readSearch(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if err := a.Gate.Search(r, who.ID); err != nil {
		return err
	}
	found, err := a.Chat.Search(r.Context(), sender(who), q)
	if err != nil {
		return err
	}
	out := searchAnswer{Results: make([]searchResult, len(found.Messages)), Next: found.Next}
	if found.Next != "" {
		out.Searched = found.Back.UTC().Format(timeFormat)
	}
	for i, m := range found.Messages {
		out.Results[i] = searchResult{m.Channel, m.Position().String(), m}
	}
	return answer(w, http.StatusOK, out)
}

var searchParameters = []string{"q", "channel", "limit", "before"}

func readSearch(raw string) (q chat.Search, err error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, problem.BadRequest.Detail("the URL's query is malformed: %v", err)
	}
	for name, texts := range values {
		if !slices.Contains(searchParameters, name) {
			return q, problem.BadRequest.Detail("there is no parameter %.40q here; there are %s", name, strings.Join(searchParameters, ", "))
		}
		if len(texts) > 1 {
			return q, problem.BadRequest.Detail("the parameter %.40q is given %d times", name, len(texts))
		}
	}
	q.Query, q.Before = values.Get("q"), values.Get("before")
	if values.Has("channel") {
		if q.Channel, err = channel.ParseName(values.Get("channel")); err != nil {
			return q, err
		}
	}
	if values.Has("limit") {
		n, err := strconv.ParseUint(values.Get("limit"), 10, 16)
		if err != nil || n < 1 || n > chat.MaxResults {
			return q, problem.BadRequest.Detail("limit is a number of messages from 1 to %d, not %.20q", chat.MaxResults, values.Get("limit"))
		}
		q.Limit = int(n)
	}
	return q, nil
}
