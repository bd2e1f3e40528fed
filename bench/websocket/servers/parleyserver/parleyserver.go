// Package parleyserver is what the servers with this repository's websocket package have in common.
package parleyserver

import (
	"net/http"

	"parley/bench/websocket/servers/serving"
	"parley/websocket"
)

// New makes a server whose connections have the path of their request as their value.
func New(d serving.Deflate) *websocket.Server {
	return &websocket.Server{
		Options: websocket.AcceptOptions{Compression: websocket.Compression{Mode: map[serving.Deflate]websocket.CompressionMode{
			serving.Off:        websocket.CompressionOff,
			serving.NoTakeover: websocket.CompressionNoTakeover,
			serving.Takeover:   websocket.CompressionTakeover,
		}[d]}},
		OnRequest: func(r *http.Request, _ http.Header) (any, error) {
			switch r.URL.Path {
			case "/echo":
				return "/echo", nil
			case "/subscribe":
				return "/subscribe", nil
			case "/publish":
				return "/publish", nil
			}
			return nil, &websocket.HandshakeError{Status: http.StatusNotFound, Code: "path", Text: "there is nothing here"}
		},
	}
}
