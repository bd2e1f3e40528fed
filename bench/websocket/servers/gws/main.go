// Command gws is the server under measurement with github.com/lxzan/gws, on its own HTTP server.
package main

import (
	"bufio"
	"net"
	"net/http"

	"github.com/lxzan/gws"

	"parley/bench/websocket/servers/serving"
)

func main() { serving.Main(serve) }

func serve(l net.Listener, d serving.Deflate) error {
	h := &handler{}
	s := gws.NewServer(h, &gws.ServerOption{PermessageDeflate: gws.PermessageDeflate{
		Enabled:               d != serving.Off,
		ServerContextTakeover: d == serving.Takeover,
		ClientContextTakeover: d == serving.Takeover,
	}})
	s.OnError = func(net.Conn, error) {}
	s.OnRequest = func(nc net.Conn, br *bufio.Reader, r *http.Request) {
		c, err := s.GetUpgrader().UpgradeFromConn(nc, br, r)
		if err != nil {
			return
		}
		c.Session().Store("path", r.URL.Path)
		if r.URL.Path == "/subscribe" {
			h.room.Join(c)
		}
		go c.ReadLoop()
	}
	return s.RunListener(l)
}

type handler struct {
	gws.BuiltinEventHandler
	room serving.Room[*gws.Conn]
}

func (h *handler) OnClose(c *gws.Conn, _ error) {
	if path, _ := c.Session().Load("path"); path == "/subscribe" {
		h.room.Leave(c)
	}
}

func (h *handler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	switch path, _ := c.Session().Load("path"); path {
	case "/echo":
		_ = c.WriteMessage(m.Opcode, m.Bytes())
	case "/publish":
		b := gws.NewBroadcaster(m.Opcode, append([]byte(nil), m.Bytes()...)) // which outlives the message
		h.room.Each(func(c *gws.Conn) { _ = b.Broadcast(c) })
		_ = b.Close()
	}
}
