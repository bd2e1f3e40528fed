// Command gorilla is the server under measurement with github.com/gorilla/websocket.
package main

import (
	"net"
	"net/http"

	"github.com/gorilla/websocket"

	"parley/bench/websocket/servers/serving"
)

func main() { serving.Main(serve) }

func serve(l net.Listener, d serving.Deflate) error {
	upgrader := websocket.Upgrader{EnableCompression: d == serving.NoTakeover} // it knows no takeover
	var room serving.Room[*websocket.Conn]
	on := func(loop func(*websocket.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if c, err := upgrader.Upgrade(w, r, nil); err == nil {
				c.SetReadLimit(serving.MaxMessage)
				go func() {
					defer c.Close()
					loop(c)
				}()
			}
		}
	}
	return serving.HTTP(l,
		on(func(c *websocket.Conn) {
			for {
				t, m, err := c.ReadMessage()
				if err != nil || c.WriteMessage(t, m) != nil {
					return
				}
			}
		}),
		on(func(c *websocket.Conn) {
			room.Join(c)
			defer room.Leave(c)
			for {
				if _, _, err := c.ReadMessage(); err != nil {
					return
				}
			}
		}),
		on(func(c *websocket.Conn) {
			for {
				t, m, err := c.ReadMessage()
				if err != nil {
					return
				}
				prepared, err := websocket.NewPreparedMessage(t, m)
				if err != nil {
					return
				}
				room.Each(func(c *websocket.Conn) { _ = c.WritePreparedMessage(prepared) })
			}
		}))
}
