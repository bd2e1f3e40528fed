// Command parley is the server under measurement with this repository's websocket package, in its blocking form: a
// goroutine for each connection.
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
	ctx := context.Background()
	var room serving.Room[*websocket.Conn]
	on := func(loop func(*websocket.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, &options); err == nil {
				go func() {
					defer c.CloseNow()
					loop(c)
				}()
			}
		}
	}
	return serving.HTTP(l,
		on(func(c *websocket.Conn) {
			var m []byte
			for {
				t, p, err := c.ReadAppend(ctx, m[:0])
				if err != nil || c.Write(ctx, t, p) != nil {
					return
				}
				m = p
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
				prepared := websocket.Prepare(t, m)
				room.Each(func(c *websocket.Conn) { c.Send(prepared) })
			}
		}))
}
