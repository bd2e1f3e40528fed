package websocket

import (
	"crypto/tls"
	"math"
	"net"
	"net/http"
	"net/url"
	"time"

	"context"
)

// Defaults of [AcceptOptions] and [DialOptions].
const (
	DefaultReadLimit        = 1 << 20 // bytes of one message
	DefaultSendLimit        = 1 << 20 // bytes that wait to be sent
	DefaultPingInterval     = 30 * time.Second
	DefaultPongTimeout      = 15 * time.Second
	DefaultWriteTimeout     = 10 * time.Second
	DefaultCloseTimeout     = 5 * time.Second
	DefaultMessageTimeout   = 60 * time.Second
	DefaultHandshakeTimeout = 30 * time.Second
)

// AcceptOptions are what a server may choose. The zero value is safe: the same origin only, and every limit on.
type AcceptOptions struct {
	// Subprotocols that the server speaks, the preferred first. The first of them that the client offers is used;
	// with none in common the connection has no subprotocol (Conn.Subprotocol is ""): refuse it then if you must.
	Subprotocols []string

	// OriginPatterns are further origins whose pages may connect, beside those of the request's own host, which
	// always may. A pattern is a host, or host:port if the origin has a port ("chat.example.com", "localhost:*",
	// "*.example.com"), optionally behind a scheme ("https://example.com"), in which * stands for any characters
	// and ? for one. "*" alone lets pages of every site connect with the cookies of whoever opens them: only for services
	// that do not trust cookies. Requests without an Origin header do not come from browsers' pages and are let in.
	OriginPatterns []string

	// CheckOrigin, if set, decides alone: if it returns an error, the request is refused with 403 and the error's text.
	CheckOrigin func(*http.Request) error

	// ReadLimit is the most bytes of one incoming message, over all its frames; the connection is closed with 1009
	// as soon as a header announces more, or a compressed message has become more. Default 1 MiB; negative: no limit.
	ReadLimit int64

	// FrameLimit is the most payload bytes of one incoming frame. Default: ReadLimit; negative: no limit.
	FrameLimit int64

	// Compression of messages in both directions, if the client offers it too. Default: none.
	Compression Compression

	// SendLimit is how many bytes may wait to be sent to a peer that is slow to take them: once so many wait, Send returns
	// Full, and Write in the handler form ErrFull. Default 1 MiB; negative: no limit.
	SendLimit int64

	// PingInterval is how long the peer may be silent before it is sent a ping. Default 30 s; negative: no pings, and
	// a peer that vanished is noticed only by writing to it.
	PingInterval time.Duration

	// PongTimeout is how long a peer that was pinged may stay silent, while a Read waits for it, before the connection is
	// closed. Default 15 s; negative: for ever.
	PongTimeout time.Duration

	// WriteTimeout is how long a write may wait for a peer that takes nothing. Then the connection is closed. Default
	// 10 s; negative: for ever.
	WriteTimeout time.Duration

	// CloseTimeout is how long the closing handshake waits for the peer. Default 5 s; negative: no waiting.
	CloseTimeout time.Duration

	// MessageTimeout is how long the rest of a message may take after a Read has begun to wait for it, with the time that the
	// application itself takes between the reads of a stream: streams that last need more. The connection is closed with
	// 1008. Default 60 s; negative: for ever.
	MessageTimeout time.Duration
}

// DialOptions are what a client may choose. The zero value is safe.
type DialOptions struct {
	// Header is sent with the handshake: Authorization, Cookie, Origin, … "Host" replaces the URL's host in the Host
	// header. The headers of the handshake itself (Upgrade, Connection, Sec-WebSocket-…) may not be among them.
	Header http.Header

	// Subprotocols offered to the server, the preferred first.
	Subprotocols []string

	// Proxy names the HTTP proxy for a request, or nil for none. It sees the URL with the scheme http or https.
	// Default: http.ProxyFromEnvironment. Proxies of the schemes http and https are spoken to by CONNECT, those of socks5 and socks5h by
	// SOCKS5; each of them looks the server's name up itself.
	Proxy func(*http.Request) (*url.URL, error)

	// TLSClientConfig is used for wss. Default: the system's roots, the URL's host as server name.
	TLSClientConfig *tls.Config

	// NetDial opens the connection to the server or proxy. Default: a net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)

	// HandshakeTimeout limits everything until the connection is open. Default 30 s; negative: only ctx does.
	HandshakeTimeout time.Duration

	// Queue, if set, is shared by the dials of a program: no two of them are connecting to one address at the same
	// time (RFC 6455, section 4.1). Default: none; every Dial begins at once.
	Queue *DialQueue

	ReadLimit      int64         // as in AcceptOptions
	Compression    Compression   // what is offered to the server; default: none
	SendLimit      int64         // as in AcceptOptions
	FrameLimit     int64         // as in AcceptOptions
	PingInterval   time.Duration // as in AcceptOptions
	PongTimeout    time.Duration // as in AcceptOptions
	WriteTimeout   time.Duration // as in AcceptOptions
	CloseTimeout   time.Duration // as in AcceptOptions
	MessageTimeout time.Duration // as in AcceptOptions
}

// limits are the options of a connection once it is open. A zero duration means "for ever" here.
type limits struct {
	read, frame, send                          int64
	pingInterval, pongTimeout                  time.Duration
	writeTimeout, closeTimeout, messageTimeout time.Duration
}

func (o *AcceptOptions) limits() limits {
	return limits{
		read: o.ReadLimit, frame: o.FrameLimit, send: o.SendLimit,
		pingInterval: o.PingInterval, pongTimeout: o.PongTimeout,
		writeTimeout: o.WriteTimeout, closeTimeout: o.CloseTimeout, messageTimeout: o.MessageTimeout,
	}.withDefaults()
}

func (o *DialOptions) limits() limits {
	return limits{
		read: o.ReadLimit, frame: o.FrameLimit, send: o.SendLimit,
		pingInterval: o.PingInterval, pongTimeout: o.PongTimeout,
		writeTimeout: o.WriteTimeout, closeTimeout: o.CloseTimeout, messageTimeout: o.MessageTimeout,
	}.withDefaults()
}

func (l limits) withDefaults() limits {
	l.read = bytesOr(l.read, DefaultReadLimit)
	l.frame = bytesOr(l.frame, l.read)
	l.send = bytesOr(l.send, DefaultSendLimit)
	l.pingInterval = durationOr(l.pingInterval, DefaultPingInterval)
	l.pongTimeout = durationOr(l.pongTimeout, DefaultPongTimeout)
	l.writeTimeout = durationOr(l.writeTimeout, DefaultWriteTimeout)
	l.closeTimeout = durationOr(l.closeTimeout, DefaultCloseTimeout)
	l.messageTimeout = durationOr(l.messageTimeout, DefaultMessageTimeout)
	return l
}

func bytesOr(n, byDefault int64) int64 {
	switch {
	case n == 0:
		return byDefault
	case n < 0:
		return math.MaxInt64
	}
	return n
}

func durationOr(d, byDefault time.Duration) time.Duration {
	switch {
	case d == 0:
		return byDefault
	case d < 0:
		return 0
	}
	return d
}
