// Command parley-events is the server under measurement with this repository's websocket package, in its event-handler
// form: event loops instead of goroutines.
package main

import (
	"context"
	"net"

	"parley/bench/websocket/servers/parleyserver"
	"parley/bench/websocket/servers/serving"
	"parley/websocket"
)

func main() { serving.Main(serve) }

func serve(l net.Listener, d serving.Deflate) error {
	var room serving.Room[*websocket.Conn]
	server := parleyserver.New(d)
	server.Handler = websocket.Handler{
		OnOpen: func(c *websocket.Conn) {
			if c.Value() == "/subscribe" {
				room.Join(c)
			}
		},
		OnMessage: func(c *websocket.Conn, t websocket.MessageType, m []byte) {
			switch c.Value() {
			case "/echo":
				_ = c.Write(context.Background(), t, m)
			case "/publish":
				prepared := websocket.Prepare(t, m)
				room.Each(func(c *websocket.Conn) { c.Send(prepared) })
			}
		},
		OnClose: func(c *websocket.Conn, _ error) {
			if c.Value() == "/subscribe" {
				room.Leave(c)
			}
		},
	}
	return server.ServeListener(l)
}
