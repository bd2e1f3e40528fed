package client

import (
	"context"
	"net/http"
	"time"
)

// Vote is a vote as we may see it. In the channel Vote.Channel each change is a message of type "tally" with the same
// object, less what depends on who asks (Ballot, Mine, Who). Show the highest Version you have.
type Vote struct {
	Code     string     `json:"code"`
	Channel  string     `json:"channel"`
	Question string     `json:"question"`
	Open     bool       `json:"open"`
	Version  uint64     `json:"version"`
	Voters   int        `json:"voters"`
	Min      int        `json:"min"`
	Max      int        `json:"max"`
	Change   bool       `json:"change"`
	Named    bool       `json:"named"`
	Results  string     `json:"results"` // "always", "voted", "closed" or "owner"
	Room     string     `json:"room"`
	Owner    Person     `json:"owner"`
	Created  time.Time  `json:"created"`
	Closes   *time.Time `json:"closes"`
	Visible  bool       `json:"visible"` // whether there are counts
	Options  []Option   `json:"options"`
	Ballot   []int      `json:"ballot"` // our own
	Mine     bool       `json:"mine"`   // we own it

	URL        string `json:"url,omitempty"`
	PresentURL string `json:"present_url,omitempty"`
}

// Option is one of a vote's.
type Option struct {
	ID    int      `json:"id"` // from 1
	Text  string   `json:"text"`
	Count int      `json:"count"` // 0 while the results are hidden
	Who   []Person `json:"who,omitempty"`
}

// NewVote is a vote to be made. Only Question and Options are needed.
type NewVote struct {
	Question string     `json:"question"`
	Options  []string   `json:"options"`           // 2 to 50
	Min      int        `json:"min,omitempty"`     // default 1
	Max      int        `json:"max,omitempty"`     // default 1
	Room     string     `json:"room,omitempty"`    // an id; the vote is announced there
	Change   *bool      `json:"change,omitempty"`  // whether a ballot may be changed; default true
	Named    bool       `json:"named,omitempty"`   // who voted what is seen
	Results  string     `json:"results,omitempty"` // default "always"
	Closes   *time.Time `json:"closes,omitempty"`  // default: open until it is closed
	ClosesIn int        `json:"closes_in,omitempty"`
}

// VoteChange is what to change of a vote; nil leaves as it is. All but Open, Results and Closes only before the first ballot.
type VoteChange struct {
	Open     *bool      `json:"open,omitempty"`
	Results  *string    `json:"results,omitempty"`
	Closes   *time.Time `json:"closes,omitempty"`
	Question *string    `json:"question,omitempty"`
	Options  []string   `json:"options,omitempty"`
	Min      *int       `json:"min,omitempty"`
	Max      *int       `json:"max,omitempty"`
	Change   *bool      `json:"change,omitempty"`
	Named    *bool      `json:"named,omitempty"`
}

// CreateVote makes a vote.
func (c *Client) CreateVote(ctx context.Context, wanted NewVote) (Vote, error) {
	return fetch[Vote](ctx, c, http.MethodPost, "/v1/votes", wanted)
}

// Vote is one vote. The case of the code does not matter.
func (c *Client) Vote(ctx context.Context, code string) (Vote, error) {
	return fetch[Vote](ctx, c, http.MethodGet, "/v1/votes/"+inPath(code), nil)
}

// UpdateVote changes a vote, as its owner or an administrator.
func (c *Client) UpdateVote(ctx context.Context, code string, change VoteChange) (Vote, error) {
	return fetch[Vote](ctx, c, http.MethodPatch, "/v1/votes/"+inPath(code), change)
}

// Cast casts our ballot, or changes it: the ids of the options. It may be repeated, one person has one ballot.
func (c *Client) Cast(ctx context.Context, code string, options ...int) (Vote, error) {
	if options == nil {
		options = []int{}
	}
	return fetch[Vote](ctx, c, http.MethodPut, "/v1/votes/"+inPath(code)+"/ballot", map[string][]int{"options": options})
}

// Votes are those we made, took part in, or that are in our rooms, newest first.
func (c *Client) Votes(ctx context.Context) ([]Vote, error) {
	var answer struct{ Votes []Vote }
	err := c.env.http.get(ctx, "/v1/votes", &answer)
	return answer.Votes, err
}

// ExportVote is a vote's result as a file, format "csv" or "json", under the same rule of visibility.
func (c *Client) ExportVote(ctx context.Context, code, format string) ([]byte, error) {
	return fetch[[]byte](ctx, c, http.MethodGet, "/v1/votes/"+inPath(code)+"."+inPath(format), nil)
}
