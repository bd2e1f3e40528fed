package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// readStream is Server-Sent Events: an answer that never ends.
func readStream(ctx context.Context, l *groupedLink, channels []string) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	w := newWatch(4*l.env.timeouts.Hello, cancel)
	defer w.stop()
	l.env.mu.Lock()
	query := l.query(channels)
	l.env.mu.Unlock()
	err := streamEvents(within, l, query, w)
	if w.barked() {
		return networkError("The stream fell silent.", nil)
	}
	return err
}

func streamEvents(ctx context.Context, l *groupedLink, query string, w *watch) error {
	resp, err := l.env.http.open(ctx, http.MethodGet, "/v1/messages?"+query, request{header: acceptStream})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		return refusal(resp.StatusCode, resp.Header, body)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return unexpected(resp.StatusCode)
	}
	events := newEventReader(&fed{resp.Body, w})
	for {
		data, err := events.next()
		if errors.Is(err, io.EOF) {
			return networkError("The stream ended.", nil)
		}
		if err != nil {
			return err
		}
		var o object
		if json.Unmarshal(data, &o) != nil {
			return unexpected(resp.StatusCode)
		}
		if o.Bye != nil {
			return o.Bye.err()
		}
		l.env.mu.Lock()
		switch {
		case ctx.Err() != nil:
		case o.Hello != nil:
			w.within(seconds(o.Hello.Heartbeat * 2.5))
			l.prove(*o.Hello)
		case o.Channel != "":
			l.env.feeds.receive(&o)
		}
		l.env.mu.Unlock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// watch barks when it has not been fed for so long: a dead connection looks just like a silent one.
type watch struct {
	mu    sync.Mutex
	limit time.Duration
	timer *time.Timer
	loud  bool
}

func newWatch(limit time.Duration, bark func()) *watch {
	w := &watch{limit: limit}
	w.timer = time.AfterFunc(limit, func() {
		w.mu.Lock()
		w.loud = true
		w.mu.Unlock()
		bark()
	})
	return w
}

func (w *watch) within(limit time.Duration) {
	if limit > 0 {
		w.mu.Lock()
		w.limit = limit
		w.mu.Unlock()
	}
	w.feed()
}

func (w *watch) feed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer.Stop() {
		w.timer.Reset(w.limit)
	}
}

func (w *watch) barked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loud
}

func (w *watch) stop() { w.timer.Stop() }

// fed feeds a watch with what is read.
type fed struct {
	r io.Reader
	w *watch
}

func (f *fed) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if n > 0 {
		f.w.feed()
	}
	return n, err
}
