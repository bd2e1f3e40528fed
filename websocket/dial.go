package websocket

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Dial opens a WebSocket to a ws:// or wss:// address, if need be through a proxy. ctx is for the opening only. o may be nil.
//
// The response is that of the server, if there was one: with an error too, and then its Body has the first 16 KiB of what the server said.
// It need not be closed. Redirects are not followed. The error is a [*HandshakeError], or ctx's within one.
func Dial(ctx context.Context, address string, o *DialOptions) (*Conn, *http.Response, error) {
	if o == nil {
		o = &DialOptions{}
	}
	u, err := parseAddress(address)
	if err != nil {
		return nil, nil, err
	}
	r, err := newRequest(u, o)
	if err != nil {
		return nil, nil, err
	}
	if limit := durationOr(o.HandshakeTimeout, DefaultHandshakeTimeout); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	if o.Queue != nil {
		leave, err := o.Queue.enter(ctx, hostPort(u))
		if err != nil {
			return nil, nil, &HandshakeError{Code: "connect", Text: "waiting for other dials to " + u.Host, cause: err}
		}
		defer leave()
	}
	nc, err := connect(ctx, u, o)
	if err != nil {
		return nil, nil, &HandshakeError{Code: "connect", Text: "connecting to " + u.Host, cause: err}
	}
	var resp *http.Response
	var br *bufio.Reader
	err = within(ctx, nc, func() (err error) {
		resp, br, err = shake(nc, r, o.Subprotocols)
		return err
	})
	var a agreement
	if err == nil {
		a.deflate, err = o.agreed(resp)
	}
	if err != nil {
		nc.Close()
		return nil, resp, err
	}
	a.subprotocol = resp.Header.Get(subprotocolHeader)
	l := o.limits()
	return newConn(nc, br, true, &a, &l, nil), resp, nil
}

// agreed judges the extensions that the server has chosen (RFC 6455, section 9.1).
func (o *DialOptions) agreed(resp *http.Response) (deflateParams, error) {
	compression, _ := o.Compression.withDefaults()
	p, ok := agreeDeflate(resp.Header, compression)
	if !ok {
		return p, &HandshakeError{
			Status: resp.StatusCode, Code: "bad_response",
			Text: fmt.Sprintf("the server uses extensions that were not offered so: %q", resp.Header.Values(extensionsHeader)),
		}
	}
	return p, nil
}

// parseAddress reads a WebSocket URI (RFC 6455, section 3).
func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &HandshakeError{Code: "bad_url", Text: "the address is not a URL", cause: err}
	}
	switch {
	case u.Scheme != "ws" && u.Scheme != "wss":
		return nil, &HandshakeError{Code: "bad_url", Text: "the address must begin with ws:// or wss://, not " + u.Scheme + ":"}
	case u.Hostname() == "":
		return nil, &HandshakeError{Code: "bad_url", Text: "the address has no host"}
	case u.Fragment != "":
		return nil, &HandshakeError{Code: "bad_url", Text: "the address has a fragment (#" + u.Fragment + "), which a WebSocket may not"}
	}
	return u, nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443", "http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// connect opens the connection that the handshake goes over: TCP, perhaps to a proxy, perhaps with TLS.
func connect(ctx context.Context, u *url.URL, o *DialOptions) (net.Conn, error) {
	proxy, err := proxyFor(u, o.Proxy)
	if err != nil {
		return nil, err
	}
	dial := o.NetDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	var nc net.Conn
	if proxy == nil {
		nc, err = dial(ctx, "tcp", hostPort(u))
	} else {
		nc, err = dialProxy(ctx, dial, proxy, hostPort(u), o.TLSClientConfig)
	}
	if err != nil || u.Scheme == "ws" {
		return nc, err
	}
	return startTLS(ctx, nc, u.Hostname(), o.TLSClientConfig)
}

func startTLS(ctx context.Context, nc net.Conn, host string, config *tls.Config) (net.Conn, error) {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = []string{"http/1.1"} // a server that also speaks HTTP/2 must not choose it
	t := tls.Client(nc, config)
	if err := t.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return t, nil
}

// within runs f, which uses nc, and makes it fail when ctx ends.
func within(ctx context.Context, nc net.Conn, f func() error) error {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		nc.SetDeadline(longAgo)
		close(fired)
	})
	err := f()
	if !stop() {
		<-fired
		return &HandshakeError{Code: "timeout", Text: "the handshake did not finish in time", cause: ctx.Err()}
	}
	nc.SetDeadline(time.Time{})
	return err
}
