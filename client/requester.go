package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxAnswer bounds an answer's body: a batch ends at 1 MiB, a hundred channels are asked for at once.
const maxAnswer = 128 << 20

// requester is HTTP to one Parley server: JSON in, JSON out, an *Error on every failure.
type requester struct {
	base    string
	http    *http.Client
	timeout time.Duration
	ended   context.Context // the client's
	onGuest func()          // called when the server has made a guest for us on the spot

	mu    sync.Mutex
	token string
}

func newRequester(address string, o Options, ended context.Context) (*requester, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &Error{Code: CodeBadOption, Detail: "\"" + address + "\" is not the address of a server, like https://chat.example.com."}
	}
	plain := *o.HTTPClient
	plain.Timeout = 0 // a stream has no end
	return &requester{base: strings.TrimRight(address, "/"), http: &plain, timeout: o.Timeouts.Request, ended: ended, token: o.Token}, nil
}

func (r *requester) currentToken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.token
}

func (r *requester) adopt(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.token = token
}

// request is what one request says beside its method and path.
type request struct {
	body   any // encoded as JSON; nil: none
	header http.Header
	wait   time.Duration // beyond the ordinary time limit
}

// do makes a request and decodes its answer into out, unless that is nil or the answer has no body.
func (r *requester) do(ctx context.Context, method, path string, in request, out any) (int, http.Header, error) {
	limited, cancel := context.WithTimeout(ctx, r.timeout+in.wait)
	defer cancel()
	defer context.AfterFunc(r.ended, cancel)()
	resp, err := r.open(limited, method, path, in)
	if err != nil {
		return 0, nil, r.failure(ctx, limited, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, r.failure(ctx, limited, err)
	}
	if resp.StatusCode == http.StatusNotModified {
		return resp.StatusCode, resp.Header, nil
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp.StatusCode, resp.Header, refusal(resp.StatusCode, resp.Header, body)
	}
	if guest := resp.Header.Get("Parley-Token"); guest != "" {
		r.adopt(guest)
		r.onGuest()
	}
	switch out := out.(type) {
	case nil:
	case *[]byte:
		*out = body
	default:
		if len(body) > 0 && json.Unmarshal(body, out) != nil {
			return resp.StatusCode, resp.Header, unexpected(resp.StatusCode)
		}
	}
	return resp.StatusCode, resp.Header, nil
}

// open makes a request whose answer is still to be read.
func (r *requester) open(ctx context.Context, method, path string, in request) (*http.Response, error) {
	var body io.Reader
	if in.body != nil {
		data, err := json.Marshal(in.body)
		if err != nil {
			return nil, &Error{Code: "bad_request", Detail: "The data cannot be encoded as JSON.", cause: err}
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, &Error{Code: CodeBadOption, Detail: "The request cannot be made.", cause: err}
	}
	for name, values := range in.header {
		req.Header[name] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := r.currentToken(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return r.http.Do(req)
}

// failure says why nothing came back.
func (r *requester) failure(ctx, limited context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return networkError("The request was given up.", context.Cause(ctx))
	case r.ended.Err() != nil:
		return closedError()
	case limited.Err() != nil:
		return networkError("The server did not answer in time.", nil)
	}
	return asError(err)
}

func (r *requester) get(ctx context.Context, path string, out any) error {
	_, _, err := r.do(ctx, http.MethodGet, path, request{}, out)
	return err
}

func (r *requester) send(ctx context.Context, method, path string, body, out any) error {
	_, _, err := r.do(ctx, method, path, request{body: body}, out)
	return err
}

// inPath is a channel's name or any other value as part of a path or query, with the colon left readable.
func inPath(value string) string {
	return strings.NewReplacer("+", "%20", "%3A", ":").Replace(url.QueryEscape(value))
}

// fetch is a request whose answer is a T.
func fetch[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var answer T
	err := c.env.http.send(ctx, method, path, body, &answer)
	return answer, err
}
