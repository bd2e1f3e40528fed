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
	on := func(h websocket.Handler) http.HandlerFunc {
		return (&websocket.Server{Handler: h, Options: options}).ServeHTTP
	}
	return serving.HTTP(l,
		on(websocket.Handler{
			OnMessage: func(c *websocket.Conn, t websocket.MessageType, m []byte) { _ = c.Write(context.Background(), t, m) },
		}),
		on(websocket.Handler{
			OnOpen:  func(c *websocket.Conn) { room.Join(c) },
			OnClose: func(c *websocket.Conn, _ error) { room.Leave(c) },
		}),
		on(websocket.Handler{
			OnMessage: func(_ *websocket.Conn, t websocket.MessageType, m []byte) {
				prepared := websocket.Prepare(t, m)
				room.Each(func(c *websocket.Conn) { c.Send(prepared) })
			},
		}))
}
