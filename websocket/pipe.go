package websocket

import (
	"context"
	"net"
	"net/http"
	"net/url"
)

// Pipe returns the two ends of a new connection in memory, for tests: no ports, and time that can be synctest's. All of it is real but the
// network: the handshake has gone through net/http, [Accept] and [Dial] with the options given, either of which may be nil. A message that nobody reads yet
// is taken, as by sockets, until 64 KiB are under way.
//
// DialOptions.NetDial, Proxy and Queue are not used. The error is Dial's.
func Pipe(server *AcceptOptions, client *DialOptions) (clientEnd, serverEnd *Conn, err error) {
	near, far := memoryPipe()
	var o DialOptions
	if client != nil {
		o = *client
	}
	o.Queue = nil
	o.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	o.NetDial = func(context.Context, string, string) (net.Conn, error) { return near, nil }
	accepted := make(chan *Conn, 1)
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _ := Accept(w, r, server) // the client is told what is wrong, and tells it
		accepted <- c
	})}
	hs.Serve(listenerOf(far)) // returns at once; the connection is served on
	clientEnd, _, err = Dial(context.Background(), "ws://pipe/", &o)
	if err != nil {
		near.Close()
		far.Close()
		return nil, nil, err
	}
	return clientEnd, <-accepted, nil
}

// listener accepts the one connection that is in it.
type listener chan net.Conn

func listenerOf(nc net.Conn) listener {
	l := make(listener, 1)
	l <- nc
	close(l)
	return l
}

func (l listener) Accept() (net.Conn, error) {
	if nc, ok := <-l; ok {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func (l listener) Close() error   { return nil }
func (l listener) Addr() net.Addr { return memoryAddr{} }
