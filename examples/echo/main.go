// Command echo is a WebSocket that says everything back.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"parley/websocket"
)

//go:embed index.html page.js style.css
var files embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:9001", "`host:port` to listen on; port 0 is any free one")
	origin := flag.String("origin", "", "further `hosts` whose pages may connect, with spaces between; * for all, and for pages on a disk")
	flag.Parse()
	sockets := &websocket.Server{
		Options: websocket.AcceptOptions{OriginPatterns: strings.Fields(*origin)},
		Handler: websocket.Handler{
			OnOpen: func(c *websocket.Conn) {
				log.Printf("%s: open", c.RemoteAddr())
			},
			OnMessage: func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
				if err := c.Write(context.Background(), typ, data); errors.Is(err, websocket.ErrFull) {
					c.CloseNow() // it sends and does not read what comes back
				}
			},
			OnClose: func(c *websocket.Conn, err error) {
				log.Printf("%s: closed: %v", c.RemoteAddr(), err)
			},
		},
	}
	if err := serve(*addr, pages(sockets), sockets); err != nil {
		log.Fatalf("echo: %v; choose another --addr", err)
	}
}

// pages serves the page, and WebSockets at every path: clients of this kind of server use all sorts.
func pages(sockets http.Handler) http.Handler {
	static := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if websocket.IsUpgrade(r) {
			sockets.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
		static.ServeHTTP(w, r)
	})
}

// serve serves until the program is told to stop, and then lets everybody go: pages see the close code 1001.
func serve(addr string, h http.Handler, sockets *websocket.Server) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("open http://%s\n", l.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return sockets.Shutdown(ctx)
}
