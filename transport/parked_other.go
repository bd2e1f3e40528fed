//go:build !linux

package transport

import (
	"net"
	"net/http"

	"parley/channel"
)

// Front is for Linux; elsewhere waiting polls and SSE streams have a goroutine each.
func (t *Transport) Front(_ *http.Server, l net.Listener) net.Listener { return l }

func (t *Transport) parkSSE(http.ResponseWriter, *http.Request, *stream, *encoder, func()) bool {
	return false
}

func (t *Transport) parkPoll(http.ResponseWriter, *http.Request, *query, rights, *channel.Reader, bool, func()) bool {
	return false
}

func (t *Transport) onlyPolls(*http.Request) bool { return false }
