package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// person is somebody with a session, and the way to the server.
type person struct {
	*site
	token, id string
}

// site is the server as all persons share it.
type site struct {
	urls    []string // of its nodes
	turn    atomic.Uint64
	client  *http.Client
	timeout time.Duration
	settle  time.Duration
	counts  *counters
}

func newSite(o Options, counts *counters) *site {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.ReadBufferSize = 16 << 10
	return &site{urls: o.addresses(), client: &http.Client{Transport: t}, timeout: o.Timeout, settle: o.Settle, counts: counts}
}

// url is the address of the node whose turn it is.
func (s *site) url() string { return s.urls[s.turn.Add(1)%uint64(len(s.urls))] }

func (p *person) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.url()+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	return r, nil
}

// do makes a request once. The error is a *refusal where the server, or a proxy, answered with one.
func (p *person) do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	r, err := p.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return refused(resp, data)
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	return json.Unmarshal(data, out)
}

// maxAnswer bounds what is taken as one answer: a batch of 1 MiB, with room for its JSON.
const maxAnswer = 16 << 20

func refused(resp *http.Response, data []byte) *refusal {
	why := &refusal{}
	if json.Unmarshal(data, why) != nil || why.Code == "" {
		why = &refusal{Code: "http", Detail: strings.TrimSpace(fmt.Sprintf("%s %.200s", resp.Status, data))}
	}
	why.Status = resp.StatusCode
	return why
}

// insist makes a request until it is answered, but not for longer than a minute or Options.Settle: the server may be away for a while, or
// ask for patience. It returns the answer, a refusal for good, or the last error.
func (p *person) insist(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, max(p.settle, time.Minute))
	defer cancel()
	for {
		err := p.do(ctx, method, path, in, out)
		if err == nil || ctx.Err() != nil || !p.patience(ctx, err) {
			return err
		}
	}
}

// patience waits before a request is repeated that failed with err; it returns false where there is no use in repeating.
func (s *site) patience(ctx context.Context, err error) bool {
	var why *refusal
	if !errors.As(err, &why) {
		s.counts.broken.Add(1)
		return pause(ctx, 20*time.Millisecond)
	}
	if !why.passing() {
		return false
	}
	if why.Status == http.StatusTooManyRequests {
		s.counts.refused.Add(1)
	} else {
		s.counts.broken.Add(1)
	}
	return pause(ctx, min(max(time.Duration(why.RetryAfter*float64(time.Second)), 20*time.Millisecond), 5*time.Second))
}

// pause waits, and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
