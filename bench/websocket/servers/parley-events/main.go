// Command parley-events is the server under measurement with this repository's websocket package, in its event-handler
// form: event loops instead of goroutines.
package main

import (
	"context"
	"net"
	"net/http"

	"parley/bench/websocket/servers/serving"
	"parley/websocket"
)

func main() { serving.Main(serve) }

func serve(l net.Listener, d serving.Deflate) error {
	options := websocket.AcceptOptions{Compression: websocket.Compression{Mode: map[serving.Deflate]websocket.CompressionMode{
		serving.Off:        websocket.CompressionOff,
		serving.NoTakeover: websocket.CompressionNoTakeover,
		serving.Takeover:   websocket.CompressionTakeover,
	}[d]}}
	var room serving.Room[*websocket.Conn]
	server := &websocket.Server{Options: options, Handler: websocket.Handler{
		OnOpen: func(c *websocket.Conn) {
			if c.Value() == "subscriber" {
				room.Join(c)
			}
		},
		OnMessage: func(c *websocket.Conn, t websocket.MessageType, m []byte) {
			switch c.Value() {
			case "echo":
				_ = c.Write(context.Background(), t, m)
			case "publisher":
				prepared := websocket.Prepare(t, m)
				room.Each(func(c *websocket.Conn) { c.Send(prepared) })
			}
		},
		OnClose: func(c *websocket.Conn, _ error) {
			if c.Value() == "subscriber" {
				room.Leave(c)
			}
		},
	}}
	as := func(role string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { _, _ = server.Serve(w, r, role) }
	}
	return serving.HTTP(l, as("echo"), as("subscriber"), as("publisher"))
}
