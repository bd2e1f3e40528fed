package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"parley/websocket"
)

// The wire, as a stranger to the server's code reads it in docs/protocol.md.
type (
	wireMessage struct {
		Seq  uint64
		ID   string
		Type string
		Data json.RawMessage
	}
	wireBatch struct {
		Channel  string
		From, To string
		Messages []wireMessage
		Gap      json.RawMessage
	}
)

var allTransports = []string{"poll", "longpoll", "sse", "websocket"}

// reader reads one channel from the beginning, over one transport or over all in turn, and keeps what it got. It checks
// the rule of batches as it goes: each begins where it is.
type reader struct {
	name       string
	client     client
	channel    string
	transports []string // one is chosen at random for each connection

	mu       sync.Mutex
	position string
	got      []wireMessage
	switches int
	broken   error // the rule was violated: reading is over
}

func newReader(name string, c client, channel string, transports ...string) *reader {
	return &reader{name: name, client: c, channel: channel, transports: transports, position: "0"}
}

// run reads until ctx is done, coming back whenever the connection breaks, and by itself at random moments.
func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil && r.failure() == nil {
		transport := r.transports[rand.N(len(r.transports))]
		stint := 20*time.Second + rand.N(20*time.Second)
		if len(r.transports) > 1 {
			stint = time.Duration(5+rand.N(200)) * time.Millisecond
		}
		one, cancel := context.WithTimeout(ctx, stint)
		err := r.read(one, transport)
		cancel()
		r.mu.Lock()
		r.switches++
		r.mu.Unlock()
		if err != nil && one.Err() == nil {
			time.Sleep(10 * time.Millisecond) // the server is down
		}
	}
}

func (r *reader) read(ctx context.Context, transport string) error {
	switch transport {
	case "poll", "longpoll":
		for ctx.Err() == nil {
			if err := r.ask(ctx, transport == "longpoll"); err != nil {
				return err
			}
		}
		return nil
	case "sse":
		return r.sse(ctx)
	default:
		return r.websocket(ctx)
	}
}

func (r *reader) path(more string) string {
	return "/v1/channels/" + r.channel + "/messages?limit=200&after=" + url.QueryEscape(r.where()) + more
}

func (r *reader) ask(ctx context.Context, wait bool) error {
	more := ""
	if wait {
		more = "&wait=10"
	}
	resp, err := r.get(ctx, more, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		if !wait {
			time.Sleep(20 * time.Millisecond)
		}
		return nil
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, data)
	}
	return r.apply(data)
}

func (r *reader) get(ctx context.Context, more, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", r.client.url+r.path(more), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Authorization", "Bearer "+r.client.token)
	if accept == "application/json" {
		req.Header.Set("If-None-Match", `"`+r.where()+`"`)
	}
	return http.DefaultClient.Do(req)
}

func (r *reader) sse(ctx context.Context) error {
	resp, err := r.get(ctx, "", "text/event-stream")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err // the last line may be cut off: it does not count
		}
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			if err := r.apply(data); err != nil {
				return err
			}
		}
	}
}

func (r *reader) websocket(ctx context.Context) error {
	address := "ws" + strings.TrimPrefix(r.client.url, "http") + r.path("")
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		Header: http.Header{"Authorization": {"Bearer " + r.client.token}}, ReadLimit: 4 << 20,
	})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := r.apply(data); err != nil {
			return err
		}
	}
}

// apply takes what any transport delivered; what is no batch (hello, signals, heartbeats) is ignored.
func (r *reader) apply(data []byte) error {
	var b wireBatch
	if err := json.Unmarshal(data, &b); err != nil {
		return r.breaks("it is not JSON: %v: %.200s", err, data)
	}
	if b.Gap != nil {
		return r.breaks("a gap, though nothing was removed: %s", data)
	}
	if b.Messages == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	if b.From != r.position {
		r.broken = fmt.Errorf("%s: a batch from %s for a reader at %s", r.name, b.From, r.position)
		return r.broken
	}
	r.got = append(r.got, b.Messages...)
	r.position = b.To
	return nil
}

func (r *reader) breaks(format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		r.broken = fmt.Errorf(r.name+": "+format, args...)
	}
	return r.broken
}

func (r *reader) where() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.position
}

func (r *reader) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

func (r *reader) messages() []wireMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[:len(r.got):len(r.got)]
}
