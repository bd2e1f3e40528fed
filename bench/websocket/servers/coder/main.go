// Command coder is the server under measurement with github.com/coder/websocket.
package main

import (
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"parley/bench/websocket/servers/serving"
)

func main() { serving.Main(serve) }

func serve(l net.Listener, d serving.Deflate) error {
	options := websocket.AcceptOptions{CompressionMode: map[serving.Deflate]websocket.CompressionMode{
		serving.Off:        websocket.CompressionDisabled,
		serving.NoTakeover: websocket.CompressionNoContextTakeover,
		serving.Takeover:   websocket.CompressionContextTakeover,
	}[d]}
	ctx := context.Background()
	var room serving.Room[*websocket.Conn]
	on := func(loop func(*websocket.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, &options); err == nil {
				c.SetReadLimit(serving.MaxMessage)
				go func() {
					defer c.CloseNow()
					loop(c)
				}()
			}
		}
	}
	return serving.HTTP(l,
		on(func(c *websocket.Conn) {
			for {
				t, m, err := c.Read(ctx)
				if err != nil || c.Write(ctx, t, m) != nil {
					return
				}
			}
		}),
		on(func(c *websocket.Conn) {
			room.Join(c)
			defer room.Leave(c)
			for {
				if _, _, err := c.Read(ctx); err != nil {
					return
				}
			}
		}),
		on(func(c *websocket.Conn) {
			for {
				t, m, err := c.Read(ctx)
				if err != nil {
					return
				}
				room.Each(func(c *websocket.Conn) { _ = c.Write(ctx, t, m) }) // it has nothing prepared
			}
		}))
}
