// Package parleyserver is what the servers with this repository's websocket package have in common.
package parleyserver

import (
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
		Paths: map[string]any{"/echo": "/echo", "/subscribe": "/subscribe", "/publish": "/publish"},
	}
}
