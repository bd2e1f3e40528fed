package websocket

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/proxy"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// proxyFor asks which proxy to use for the address, in the terms of HTTP.
func proxyFor(u *url.URL, choose func(*http.Request) (*url.URL, error)) (*url.URL, error) {
	if choose == nil {
		choose = http.ProxyFromEnvironment
	}
	asHTTP := *u
	asHTTP.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	proxy, err := choose(&http.Request{Method: http.MethodGet, URL: &asHTTP, Host: u.Host, Header: make(http.Header)})
	if err != nil {
		return nil, fmt.Errorf("choosing a proxy: %w", err)
	}
	switch {
	case proxy == nil:
		return nil, nil
	case slices.Contains([]string{"http", "https", "socks5", "socks5h"}, proxy.Scheme):
		return proxy, nil
	}
	return nil, fmt.Errorf("the proxy %s is not of the scheme http, https, socks5 or socks5h; for another kind use DialOptions.NetDial", proxy.Redacted())
}

// dialProxy connects to the proxy and has it connect to addr (RFC 6455, section 4.1, and RFC 9110, section 9.3.6).
func dialProxy(ctx context.Context, dial dialFunc, proxy *url.URL, addr string, config *tls.Config) (net.Conn, error) {
	if strings.HasPrefix(proxy.Scheme, "socks5") {
		return dialSOCKS(ctx, dial, proxy, addr)
	}
	nc, err := dial(ctx, "tcp", hostPort(proxy))
	if err == nil && proxy.Scheme == "https" {
		nc, err = startTLS(ctx, nc, proxy.Hostname(), config)
	}
	if err != nil {
		return nil, fmt.Errorf("the proxy %s: %w", proxy.Redacted(), err)
	}
	if err := within(ctx, nc, func() error { return tunnel(nc, proxy, addr) }); err != nil {
		nc.Close()
		return nil, fmt.Errorf("the proxy %s: %w", proxy.Redacted(), err)
	}
	return nc, nil
}

// dialSOCKS has a SOCKS5 proxy (RFC 1928, 1929) connect to addr, whose name the proxy looks up.
func dialSOCKS(ctx context.Context, dial dialFunc, server *url.URL, addr string) (net.Conn, error) {
	var auth *proxy.Auth
	if user := server.User; user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	var nc net.Conn // rather than the wrapped one that package proxy returns: a plain socket is faster
	keep := func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		nc, err = dial(ctx, network, addr)
		return nc, err
	}
	d, err := proxy.SOCKS5("tcp", hostPort(server), auth, dialer(keep))
	if err == nil {
		_, err = d.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("the proxy %s: %w", server.Redacted(), err)
	}
	return nc, nil
}

// dialer is a dialFunc as package proxy has it.
type dialer dialFunc

func (d dialer) Dial(network, addr string) (net.Conn, error) {
	return d(context.Background(), network, addr)
}

func (d dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d(ctx, network, addr)
}

func tunnel(nc net.Conn, proxy *url.URL, addr string) error {
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: make(http.Header)}
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		r.Header.Set("Proxy-Authorization", "Basic "+credentials)
	}
	if err := r.Write(nc); err != nil {
		return err
	}
	br := bufio.NewReader(io.LimitReader(nc, maxResponseHeader))
	resp, err := readResponse(br, r)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %q to CONNECT %s", resp.Status, addr)
	}
	if br.Buffered() > 0 {
		return fmt.Errorf("it sent bytes before the server could")
	}
	return nil
}
