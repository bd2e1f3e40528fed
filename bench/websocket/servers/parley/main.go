// Command parley is the server under measurement with this repository's websocket package, in its blocking form: a
// goroutine for each connection.
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
	roles := map[any]func(*websocket.Conn){
		"/echo":      echo,
		"/subscribe": func(c *websocket.Conn) { subscribe(c, &room) },
		"/publish":   func(c *websocket.Conn) { publish(c, &room) },
	}
	server := parleyserver.New(d)
	server.Run = func(c *websocket.Conn) { roles[c.Value()](c) }
	return server.ServeListener(l)
}

func echo(c *websocket.Conn) {
	ctx := context.Background()
	var m []byte
	for {
		t, p, err := c.ReadAppend(ctx, m[:0])
		if err != nil || c.Write(ctx, t, p) != nil {
			return
		}
		m = p
	}
}

func subscribe(c *websocket.Conn, room *serving.Room[*websocket.Conn]) {
	room.Join(c)
	defer room.Leave(c)
	for {
		if _, _, err := c.Read(context.Background()); err != nil {
			return
		}
	}
}

func publish(c *websocket.Conn, room *serving.Room[*websocket.Conn]) {
	for {
		t, m, err := c.Read(context.Background())
		if err != nil {
			return
		}
		prepared := websocket.Prepare(t, m)
		room.Each(func(c *websocket.Conn) { c.Send(prepared) })
	}
}
