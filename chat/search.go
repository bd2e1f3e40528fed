package chat

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"parley/channel"
	"parley/problem"
)

// Finder is what searching needs of an engine.
type Finder interface {
	// Channels are the rooms and direct conversations that user is in, at most limit, in any order.
	Channels(ctx context.Context, user string, limit int) ([]channel.Name, error)

	// Ages tells when the newest message was said that each of the spots leaves to look at; zero where none is left, as in what was deleted.
	Ages(ctx context.Context, spots []Spot) ([]time.Time, error)

	// Find goes on from a spot to older messages, and returns the next that are found by words, at most limit. It looks at a few hundred
	// messages at most, and at one at least. It sees everything that was committed before it was called. Where there is no such channel nothing is left.
	Find(ctx context.Context, from Spot, words *Words, limit int) (Found, error)
}

// Spot is how far a channel was looked through, from its end.
type Spot struct {
	Channel channel.Name
	Before  uint64 // the seq from which on all was; Unsearched: nothing was
}

// Unsearched is the Spot.Before of a channel that was not looked at.
const Unsearched uint64 = 1<<63 - 1

// Left reports whether there may be something to look at.
func (s Spot) Left() bool { return s.Before > 1 }

// Found is what a step found.
type Found struct {
	Messages []channel.Message // newest first
	Before   uint64            // the spot's from now on; 0: nothing is left
	At       time.Time         // when the last message was said that was looked at; zero: not known
	Looked   int               // at so many messages
}

// Search is what somebody looks for.
type Search struct {
	Query   string
	Channel channel.Name // a room or direct conversation; "": all that they are in
	Before  string       // Results.Next of the search that is gone on with; "": begin
	Limit   int          // of messages: 1 to MaxResults; 0: 20
}

// Results are the messages that were found, newest first.
type Results struct {
	Messages []channel.Message
	Next     string    // to go on from here; "": all was looked through
	Back     time.Time // with Next: until when all was looked through
}

const (
	// MaxResults is how many messages one search returns.
	MaxResults    = 100
	usualResults  = 20
	maxLooked     = 10_000 // messages that one search looks at, about; it may be gone on with
	leastLooked   = 10     // what a look into a channel counts for at least
	searchBreadth = 8      // channels that one search looks through at once
	maxSearches   = 4      // under way at once; others wait for their turn
	maxWaiting    = 64     // searches, those under way among them
)

// Search finds messages that have all words of a query, in a channel or in all rooms and direct conversations that who is in (up to
// MaxConversations): only what MayRead allows now. It looks at a bounded number of messages, so a page may have few of them, or none, and yet
// a Next. Messages that come meanwhile do not disturb those that go on.
//
// Errors: problem.Overloaded; those of ParseWords; of MayRead for a channel that is named; ErrNoChannel for one of another kind; problem.BadRequest,
// channel.ErrBadPosition; identity.ErrNoSession without channel and person.
func (s *Service) Search(ctx context.Context, who channel.Sender, q Search) (Results, error) {
	words, err := ParseWords(q.Query)
	if err != nil {
		return Results{}, err
	}
	if q.Limit == 0 {
		q.Limit = usualResults
	}
	if q.Limit < 1 || q.Limit > MaxResults {
		return Results{}, problem.BadRequest.Detail("limit is %d; it may be 1 to %d", q.Limit, MaxResults)
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > maxWaiting {
		return Results{}, problem.Overloaded.Detail("%d searches are under way or waiting already; try again in a second", maxWaiting).After(time.Second)
	}
	select {
	case s.searches <- struct{}{}:
		defer func() { <-s.searches }()
	case <-ctx.Done():
		return Results{}, ctx.Err()
	}
	run := &search{s: s, who: who, words: words, limit: q.Limit}
	if q.Channel != "" {
		return run.one(ctx, q)
	}
	return run.all(ctx, q)
}

// search is one search while it runs.
type search struct {
	s      *Service
	who    channel.Sender
	words  *Words
	limit  int
	places []*place
	looked int
	found  []channel.Message
}

// place is a channel in a search.
type place struct {
	Spot
	at      time.Time         // nothing newer is left in it; zero: nothing at all
	waiting []channel.Message // found, and not yet told, newest first
}

// newest is when the next was said that this place may tell; zero: it has nothing more.
func (p *place) newest() time.Time {
	if len(p.waiting) > 0 {
		return p.waiting[0].At
	}
	return p.at
}

func (r *search) one(ctx context.Context, q Search) (Results, error) {
	if kind := q.Channel.Kind(); kind != channel.KindRoom && kind != channel.KindDirect {
		return Results{}, ErrNoChannel.Detail("%.60q cannot be searched: only rooms and direct conversations can", q.Channel)
	}
	if err := r.s.MayRead(ctx, r.who, q.Channel); err != nil {
		return Results{}, err
	}
	spot, err := spotIn(q.Channel, q.Before)
	if err != nil {
		return Results{}, err
	}
	if err := r.run(ctx, []Spot{spot}); err != nil {
		return Results{}, err
	}
	return r.results(spotText), nil
}

func (r *search) all(ctx context.Context, q Search) (Results, error) {
	if err := signedIn(r.who); err != nil {
		return Results{}, err
	}
	cursor, err := parseCursor(q.Before)
	if err != nil {
		return Results{}, err
	}
	names, err := r.s.store.Channels(ctx, r.who.ID, MaxConversations)
	if err != nil {
		return Results{}, err
	}
	slices.Sort(names)
	if err := r.run(ctx, cursor.spots(names)); err != nil {
		return Results{}, err
	}
	return r.results(cursorText), nil
}

// run looks into the places, always into that which may have the newest, until there is enough.
func (r *search) run(ctx context.Context, spots []Spot) error {
	ages, err := r.s.store.Ages(ctx, spots)
	if err != nil {
		return err
	}
	for i, spot := range spots {
		r.places = append(r.places, &place{Spot: spot, at: ages[i]})
	}
	for breadth := 1; ; breadth = min(2*breadth, searchBreadth) {
		r.take()
		if len(r.found) == r.limit || r.looked >= maxLooked {
			return nil
		}
		next := r.next(breadth)
		if len(next) == 0 {
			return nil
		}
		if err := r.look(ctx, next); err != nil {
			return err
		}
	}
}

// order sorts the places: the newest first, and of equals those that have it at hand.
func (r *search) order() {
	slices.SortStableFunc(r.places, func(a, b *place) int {
		return cmp.Or(b.newest().Compare(a.newest()), cmp.Compare(min(len(b.waiting), 1), min(len(a.waiting), 1)))
	})
}

// take takes what was found as long as nothing newer may come.
func (r *search) take() {
	for len(r.found) < r.limit {
		r.order()
		if len(r.places) == 0 || len(r.places[0].waiting) == 0 {
			return
		}
		p := r.places[0]
		r.found = append(r.found, p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// next are the places to look into: up to n, whose newest may come before everything that was found.
func (r *search) next(n int) []*place {
	var next []*place
	for _, p := range r.places {
		if len(next) == n || len(p.waiting) > 0 || p.at.IsZero() {
			break
		}
		next = append(next, p)
	}
	return next
}

// look goes one step in each of the places.
func (r *search) look(ctx context.Context, next []*place) error {
	found, errs := make([]Found, len(next)), make([]error, len(next))
	var all sync.WaitGroup
	for i, p := range next {
		all.Go(func() { found[i], errs[i] = r.step(ctx, p) })
	}
	all.Wait()
	for i, p := range next {
		if errs[i] != nil {
			return errs[i]
		}
		f := found[i]
		p.Before, p.waiting = f.Before, f.Messages
		r.looked += max(f.Looked, leastLooked)
		if !p.Left() {
			p.at = time.Time{}
		} else if !f.At.IsZero() {
			p.at = f.At
		}
	}
	return nil
}

// step goes on in a place, if it may be read.
func (r *search) step(ctx context.Context, p *place) (Found, error) {
	if err := r.s.MayRead(ctx, r.who, p.Channel); err != nil {
		if problem.Of(err).Status() < 500 {
			err = nil
		}
		return Found{}, err
	}
	return r.s.store.Find(ctx, p.Spot, r.words, r.limit-len(r.found))
}

func (r *search) results(text func([]Spot) string) Results {
	results := Results{Messages: r.found}
	r.order()
	if len(r.places) == 0 || r.places[0].newest().IsZero() {
		return results
	}
	var spots []Spot
	for _, p := range r.places {
		spot := p.Spot
		if len(p.waiting) > 0 { // it is found again
			spot.Before = p.waiting[0].Seq + 1
		} else if p.at.IsZero() {
			spot.Before = 0
		}
		spots = append(spots, spot)
	}
	results.Next, results.Back = text(spots), r.places[0].newest()
	return results
}
