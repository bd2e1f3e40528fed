package client

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

const (
	fastest = 100 * time.Millisecond // no cadence of polls is faster, whatever is advised
	tooSoon = 250 * time.Millisecond // an empty answer that comes sooner was not held, whatever was asked
)

// readHeld is long poll: the server holds each request until there is something, or the time is up.
func readHeld(ctx context.Context, l *groupedLink, channels []string) error {
	var p polls
	// Not held, so that it is soon known whether anything comes back at all.
	if err := p.ask(ctx, l, channels, 0); err != nil {
		return err
	}
	for {
		wait := l.env.timeouts.Wait
		if p.more {
			wait = 0
		}
		begun := time.Now()
		if err := p.ask(ctx, l, channels, wait); err != nil {
			return err
		}
		if !p.more && !p.news && time.Since(begun) < tooSoon {
			if err := pause(ctx, l.env.timeouts.Poll); err != nil {
				return err
			}
		}
	}
}

// readNowAndThen is poll: a request now and then, answered at once. It gets through where nothing else does.
func readNowAndThen(ctx context.Context, l *groupedLink, channels []string) error {
	var p polls
	for {
		if err := p.ask(ctx, l, channels, 0); err != nil {
			return err
		}
		if !p.more {
			if err := pause(ctx, max(fastest, p.cadence)); err != nil {
				return err
			}
		}
	}
}

// polls is what one request learns for the next.
type polls struct {
	etag, query string        // the tag stands for the positions after that answer, and says nothing about any others: it goes out with the query for just these
	more        bool          // there is more to read at once
	news        bool          // something new came
	cadence     time.Duration // as the server advises
}

// ask makes one request for these channels. The answer is applied before it returns.
func (p *polls) ask(ctx context.Context, l *groupedLink, channels []string, wait time.Duration) error {
	l.env.mu.Lock()
	asked := map[string]string{}
	for _, channel := range channels {
		asked[channel] = l.env.feeds.after(channel)
	}
	query, before := l.query(channels), l.env.feeds.applied
	l.env.mu.Unlock()
	in := request{header: http.Header{}, wait: wait}
	if p.etag != "" && p.query == query {
		in.header.Set("If-None-Match", p.etag)
	}
	path := "/v1/messages?" + query
	if wait > 0 {
		path += "&wait=" + strconv.Itoa(max(1, int(wait/time.Second)))
	}
	var answer struct{ Batches []*object }
	status, header, err := l.env.http.do(ctx, http.MethodGet, path, in, &answer)
	if err != nil {
		return err
	}
	if answer.Batches == nil && status != http.StatusNotModified {
		return unexpected(status)
	}
	l.env.mu.Lock()
	defer l.env.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.prove(hello{})
	p.more = false
	reached := map[string]string{} // where the answer ends
	for _, b := range answer.Batches {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		reached[b.Channel] = b.To
		if b.Gap != nil {
			reached[b.Channel] = b.Gap.Resume
		}
		l.env.feeds.receive(b)
		p.more = p.more || b.More || b.Gap != nil
	}
	p.news = l.env.feeds.applied != before
	p.etag = header.Get("ETag")
	p.query = queryFrom(channels, func(channel string) string {
		if to, is := reached[channel]; is {
			return to
		}
		return asked[channel]
	})
	var said bool
	if p.cadence, said = retryAfter(header); !said {
		p.cadence = l.env.timeouts.Poll
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
