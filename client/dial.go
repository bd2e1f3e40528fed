package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"parley/websocket"
)

// maxBatch is how large a message of the server's may be: a batch ends at 1 MiB of messages.
const maxBatch = 8 << 20

// dialFunc opens a WebSocket to an http(s):// address; the error is an *Error.
type dialFunc func(ctx context.Context, address, token string) (*websocket.Conn, error)

// dialer opens WebSockets the way that an HTTP client makes its connections.
func dialer(h *http.Client) dialFunc {
	o := websocket.DialOptions{ReadLimit: maxBatch, SendLimit: maxBatch, PingInterval: -1, CloseTimeout: closeTimeout}
	if t, ok := h.Transport.(*http.Transport); ok && t != nil {
		o.Proxy, o.TLSClientConfig, o.NetDial = t.Proxy, t.TLSClientConfig, t.DialContext
		if o.Proxy == nil {
			o.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
		}
	}
	return func(ctx context.Context, address, token string) (*websocket.Conn, error) {
		o := o
		o.Header = http.Header{}
		if token != "" {
			o.Header.Set("Authorization", "Bearer "+token)
		}
		conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(address, "http"), &o)
		if err == nil {
			return conn, nil
		}
		if resp != nil && resp.StatusCode >= 400 {
			body, _ := io.ReadAll(resp.Body)
			return nil, refusal(resp.StatusCode, resp.Header, body)
		}
		return nil, networkError("The WebSocket could not be opened.", err)
	}
}
