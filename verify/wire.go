package verify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The wire, as docs/protocol.md has it.
type (
	message struct {
		Seq  uint64 `json:"seq"`
		ID   string `json:"id"`
		Type string `json:"type"`
		From struct {
			ID string `json:"id"`
		} `json:"from"`
		At   string          `json:"at"`
		Data json.RawMessage `json:"data"`
	}

	batch struct {
		Channel  string    `json:"channel"`
		From     string    `json:"from"`
		To       string    `json:"to"`
		Messages []message `json:"messages"`
		More     bool      `json:"more"`
		Gap      *gap      `json:"gap"`
	}

	gap struct {
		From   string `json:"from"`
		Reason string `json:"reason"`
		Resume string `json:"resume"`
		Tail   string `json:"tail"`
	}

	// object is what comes on a stream.
	object struct {
		batch
		Hello *struct{}   `json:"hello"`
		Ended *refusal    `json:"ended"`
		Bye   *farewell   `json:"bye"`
		Ref   json.Number `json:"ref"`

		Result json.RawMessage `json:"result"`
		Error  *refusal        `json:"error"`
	}

	farewell struct {
		RetryAfter float64 `json:"retry_after"`
	}

	receipt struct {
		Channel  string `json:"channel"`
		Seq      uint64 `json:"seq"`
		Position string `json:"position"`
		ID       string `json:"id"`
		At       string `json:"at"`

		Durability string `json:"durability"`
	}

	tally struct {
		Version uint64 `json:"version"`
		Voters  int    `json:"voters"`
		Ballot  []int  `json:"ballot"`
		Options []struct {
			Count int `json:"count"`
		} `json:"options"`
	}
)

// refusal is the server's problem details.
type refusal struct {
	Status     int     `json:"status"`
	Code       string  `json:"code"`
	Detail     string  `json:"detail"`
	RetryAfter float64 `json:"retry_after"`
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Detail) }

// same reports whether a repetition was answered as the first was. How durable that is may have changed.
func (r receipt) same(first receipt) bool {
	r.Durability = first.Durability
	return r == first
}

// passing reports whether the request may succeed later: limits, a request that was cut off on its way, and a server or proxy that
// is not well.
func (r *refusal) passing() bool { return r.Status == 408 || r.Status == 429 || r.Status >= 500 }

// seqOf is the seq of a position.
func seqOf(position string) (uint64, bool) {
	text, _, _ := strings.Cut(position, "-")
	seq, err := strconv.ParseUint(text, 10, 62)
	return seq, err == nil
}

func (t *tally) counts() []int {
	counts := make([]int, len(t.Options))
	for i, o := range t.Options {
		counts[i] = o.Count
	}
	return counts
}

func sum(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
