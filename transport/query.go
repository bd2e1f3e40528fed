package transport

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/channel"
	"parley/problem"
)

// query is what a URL asks to read.
type query struct {
	many   bool // the form of many channels, in which answers, ids and tags are lists
	starts []start
	before channel.Position // if history is set
	limit  int
	wait   time.Duration

	history, waits bool // whether before and wait were given
}

// start is a channel and where to begin in it.
type start struct {
	name  channel.Name
	after channel.Position
}

// parseOne reads the parameters of /v1/channels/{channel}/messages.
func parseOne(name channel.Name, raw string) (query, error) {
	if text, only := strings.CutPrefix(raw, "after="); only && channel.Unreserved(text) { // as most ask: nothing is to be unescaped
		after, err := channel.ParsePosition(text)
		return query{starts: []start{{name, after}}, limit: defaultLimit}, err
	}
	values, err := parameters(raw, "after", "before", "limit", "wait")
	if err != nil {
		return query{}, err
	}
	q := query{starts: []start{{name: name}}}
	if err := q.common(values); err != nil {
		return query{}, err
	}
	if text, ok := values["after"]; ok {
		if q.starts[0].after, err = channel.ParsePosition(text[0]); err != nil {
			return query{}, err
		}
	}
	if text, ok := values["before"]; ok {
		q.history = true
		if q.before, err = channel.ParsePosition(text[0]); err != nil {
			return query{}, err
		}
		if values.Has("after") || q.waits {
			return query{}, problem.BadRequest.Detail("before reads the past; it does not go together with after or wait")
		}
	}
	return q, nil
}

// parseMany reads the parameters of /v1/messages.
func parseMany(raw string) (query, error) {
	values, err := parameters(raw, "channel", "limit", "wait")
	if err != nil {
		return query{}, err
	}
	q := query{many: true}
	if err := q.common(values); err != nil {
		return query{}, err
	}
	if len(values["channel"]) == 0 {
		return query{}, problem.BadRequest.Detail("name the channels to read: ?channel=room:a@P&channel=room:b@Q")
	}
	if n := len(values["channel"]); n > MaxChannels {
		return query{}, problem.BadRequest.Detail("%d channels are named; at most %d may be read at once", n, MaxChannels)
	}
	q.starts, err = parseStarts(values["channel"])
	return q, err
}

// parseStarts reads channel@position items; without @ a channel is read from the beginning.
func parseStarts(items []string) ([]start, error) {
	starts := make([]start, 0, len(items))
	seen := make(map[channel.Name]bool, len(items))
	for _, item := range items {
		nameText, afterText, marked := strings.Cut(item, "@")
		name, err := channel.ParseName(nameText)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, problem.BadRequest.Detail("the channel %s is named twice", name)
		}
		seen[name] = true
		s := start{name: name}
		if marked {
			if s.after, err = channel.ParsePosition(afterText); err != nil {
				return nil, err
			}
		}
		starts = append(starts, s)
	}
	return starts, nil
}

func (q *query) common(values url.Values) error {
	q.limit = defaultLimit
	if text, ok := values["limit"]; ok {
		n, err := strconv.ParseUint(text[0], 10, 16)
		if err != nil || n < 1 || n > MaxLimit {
			return problem.BadRequest.Detail("limit is a number of messages from 1 to %d, not %.20q", MaxLimit, text[0])
		}
		q.limit = int(n)
	}
	if text, ok := values["wait"]; ok {
		seconds, err := strconv.ParseFloat(text[0], 64)
		if err != nil || strings.Trim(text[0], "0123456789.") != "" || seconds > MaxWait.Seconds() {
			return problem.BadRequest.Detail("wait is a number of seconds from 0 to %v, not %.20q", MaxWait.Seconds(), text[0])
		}
		q.wait, q.waits = time.Duration(seconds*float64(time.Second)), true
	}
	return nil
}

// parameters parses a URL's query, in which only the known names may occur, and only "channel" several times.
func parameters(raw string, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, problem.BadRequest.Detail("the URL's query is malformed: %v", err)
	}
next:
	for name, texts := range values {
		if len(texts) > 1 && name != "channel" {
			return nil, problem.BadRequest.Detail("the parameter %.40q is given %d times", name, len(texts))
		}
		for _, k := range known {
			if name == k {
				continue next
			}
		}
		return nil, problem.BadRequest.Detail("there is no parameter %.40q here; there are %s", name, strings.Join(known, ", "))
	}
	return values, nil
}
