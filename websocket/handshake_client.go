package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	maxResponseHeader = 64 << 10 // bytes of a server's or proxy's answer before its body
	maxResponseBody   = 16 << 10 // bytes kept of the body of a refusal
	maxInformational  = 5        // answers like 103 before the real one
)

// handshakeHeaders belong to the protocol; DialOptions.Header may not have them.
var handshakeHeaders = []string{
	"Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Accept", subprotocolHeader, extensionsHeader,
	"Content-Length", "Transfer-Encoding",
}

// newRequest makes the client's opening handshake (RFC 6455, section 4.1).
func newRequest(u *url.URL, o *DialOptions) (*http.Request, error) {
	for name := range o.Header {
		if slices.Contains(handshakeHeaders, http.CanonicalHeaderKey(name)) {
			return nil, &HandshakeError{Code: "bad_option", Text: "DialOptions.Header may not have " + name + ", which is the protocol's"}
		}
	}
	for i, name := range o.Subprotocols {
		if !isToken(name) || slices.Contains(o.Subprotocols[:i], name) {
			return nil, &HandshakeError{Code: "bad_option", Text: fmt.Sprintf("DialOptions.Subprotocols must be different tokens; %q is not", name)}
		}
	}
	r := &http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header),
	}
	for name, values := range o.Header {
		r.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
		r.Header.Del("Host")
	}
	if u.User != nil && r.Header.Get("Authorization") == "" {
		password, _ := u.User.Password()
		r.SetBasicAuth(u.User.Username(), password)
	}
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Sec-Websocket-Key", newKey())
	r.Header.Set("Sec-Websocket-Version", "13")
	compression, herr := o.Compression.withDefaults()
	if herr != nil {
		return nil, herr
	}
	if compression.Mode != CompressionOff {
		r.Header.Set(extensionsHeader, offerDeflate(compression))
	}
	if len(o.Subprotocols) > 0 {
		r.Header.Set(subprotocolHeader, strings.Join(o.Subprotocols, ", "))
	}
	return r, nil
}

// shake sends the request and judges the answer. The reader may hold bytes that the server sent behind it. The response, once
// there is one, is returned with an error too; its body then is the beginning of the server's.
func shake(nc net.Conn, r *http.Request, offered []string) (*http.Response, *bufio.Reader, error) {
	if err := r.Write(nc); err != nil {
		return nil, nil, &HandshakeError{Code: "lost", Text: "the request could not be sent", cause: err}
	}
	limited := &io.LimitedReader{R: nc, N: maxResponseHeader}
	br := bufio.NewReader(limited)
	resp, err := readResponse(br, r)
	if err != nil {
		if limited.N <= 0 {
			err = fmt.Errorf("its headers have more than %d bytes", maxResponseHeader)
		}
		return nil, nil, &HandshakeError{Code: "bad_response", Text: "the server's answer is not HTTP", cause: err}
	}
	if herr := checkResponse(resp, r.Header.Get("Sec-Websocket-Key"), offered); herr != nil {
		limited.N = maxResponseBody
		keepBody(resp)
		return resp, nil, herr
	}
	resp.Body = http.NoBody
	return resp, br, nil
}

// readResponse skips informational answers.
func readResponse(br *bufio.Reader, r *http.Request) (*http.Response, error) {
	for range maxInformational {
		resp, err := http.ReadResponse(br, r)
		if err != nil || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
	return nil, errors.New("too many informational answers")
}

// checkResponse judges the server's opening handshake by the numbered list of section 4.1.
func checkResponse(resp *http.Response, key string, offered []string) *HandshakeError {
	refuse := func(code, format string, args ...any) *HandshakeError {
		return &HandshakeError{Status: resp.StatusCode, Code: code, Text: fmt.Sprintf(format, args...)}
	}
	h := resp.Header
	accept := h.Values("Sec-Websocket-Accept")
	protocols := h.Values(subprotocolHeader)
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return refuse("redirect", "the server redirects to %q (%s), which is not followed; dial that address if you trust it",
			h.Get("Location"), resp.Status)
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return refuse("refused", "the server answered %q instead of 101", resp.Status)
	case len(h.Values("Upgrade")) != 1 || !strings.EqualFold(h.Get("Upgrade"), "websocket"):
		return refuse("bad_response", `the server's Upgrade header is %q, not "websocket"`, h.Values("Upgrade"))
	case !hasToken(h, "Connection", "upgrade"):
		return refuse("bad_response", `the server's Connection header has no "Upgrade"`)
	case len(accept) != 1 || accept[0] != acceptKey(key):
		return refuse("bad_response", "the server's Sec-WebSocket-Accept does not belong to this request")
	case len(protocols) > 1 || (len(protocols) == 1 && !slices.Contains(offered, protocols[0])):
		return refuse("bad_response", "the server chose the subprotocol %q, which was not offered", protocols)
	}
	return nil
}

// keepBody reads the beginning of the body, so that the connection can be closed and the caller still see what the server said.
func keepBody(resp *http.Response) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body = http.NoBody
		return
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxResponseBody))
	resp.Body = io.NopCloser(bytes.NewReader(body))
}
